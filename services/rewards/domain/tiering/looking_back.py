"""Whether a tier must be decided from all that counts: the ordinary order needs no look back."""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.rewards.domain.concerns import Match
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import ORDERS, UNDOING
from services.rewards.domain.tiering.tiers import current_level, start_of_window
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.model.tiers import Measure, Tiers
from shared.program.values.calendar import day_start


@lru_cache(maxsize=1)
def _today(now: datetime, zone: ZoneInfo) -> datetime:
    """The start of this day, which a batch asks for with each order."""
    return day_start(now, zone)


class LookBack(NamedTuple):
    """The program, and its tiers."""

    program: Program
    tiers: Tiers

    @classmethod
    def of(cls, program: Program) -> "LookBack | None":
        """None if the program has no tiers."""
        return cls(program, program.tiers) if program.tiers is not None else None

    def needed(self, activity: Activity, matched: Match, member: Member, now: datetime) -> bool:
        """Whether the tier of an activity that is taken at `now` is to be decided from all that counts.

        Not for an order of today that comes after all the customer's others, nor for one of an earlier day if nothing
        has left the window since, nor for anybody who has not spent enough in all their life to reach anything.
        """
        if activity.type not in ORDERS:
            return self.tiers.basis.measure is Measure.POINTS and bool(matched.rules or matched.milestones)
        if activity.type in UNDOING or not self.tiers.rolls:
            return True
        if not activity.late and (
            activity.time >= now or activity.time >= _today(now, self.program.time_zone)
        ):
            return False
        levels, facts = self.tiers.levels, activity.facts
        if activity.late:
            return len(levels) > 1 and facts.spend >= levels[1].at
        first, above = facts.first_order_at, current_level(self.tiers, member) + 1
        if above >= len(levels) or facts.spend < levels[above].at:
            return False
        window = start_of_window(self.program, now)
        return first is None or window is None or first < window
