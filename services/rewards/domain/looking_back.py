"""Whether a tier must be decided from all that counts: the ordinary order needs no look back."""

from dataclasses import dataclass
from datetime import datetime

from services.rewards.domain.matching import Match
from services.rewards.domain.member import Member
from services.rewards.domain.needs import ORDERS, UNDOING
from services.rewards.domain.tiers import current_level, rolls, start_of_window
from shared.contracts.activity import Activity
from shared.program.calendar import day_start
from shared.program.model import Program
from shared.program.tiering import Measure, Tiers


@dataclass(frozen=True, slots=True)
class LookBack:
    """The program's tiers, with the day of now and the window that ends with it."""

    tiers: Tiers
    today: datetime
    window: datetime

    @classmethod
    def of(cls, program: Program, now: datetime) -> "LookBack | None":
        """None if the program has no tiers."""
        window = start_of_window(program, now)
        if program.tiers is None or window is None:
            return None
        return cls(program.tiers, day_start(now, program.time_zone), window)

    def needed(self, activity: Activity, matched: Match, member: Member) -> bool:
        """Whether the activity's tier is to be decided from all that counts.

        Not for an order of today that comes after all the customer's others, nor for one of an earlier day if nothing
        has left the window since, nor for anybody who has not spent enough in all their life to reach anything.
        """
        if activity.type not in ORDERS:
            return self.tiers.basis.measure is Measure.POINTS and bool(matched.rules or matched.milestones)
        if activity.type in UNDOING or not rolls(self.tiers):
            return True
        if activity.time >= self.today and not activity.late:
            return False
        levels, facts = self.tiers.levels, activity.facts
        if activity.late:
            return len(levels) > 1 and facts.spend >= levels[1].at
        first, above = facts.first_order_at, current_level(self.tiers, member) + 1
        within = first is not None and first >= self.window
        return not within and above < len(levels) and facts.spend >= levels[above].at
