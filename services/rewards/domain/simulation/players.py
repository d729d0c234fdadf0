"""A member as a replay keeps them, and what is noted of them along the way."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush
from itertools import islice

from services.rewards.domain.simulation.counting import Counting
from services.rewards.domain.simulation.figures import Figures
from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.state.purchases import ZERO, Purchase
from services.rewards.domain.tiering.counting import lot_key
from shared.contracts.activity import Activity


@dataclass(slots=True)
class Player:
    """A member with all of their state, and when time alone will change it next."""

    member: Member
    figures: Figures = field(default_factory=Figures)
    brought_in: dict[str, int] = field(default_factory=dict)
    """Codes that a tier has brought."""
    due: list[datetime] = field(default_factory=list)
    """A heap of moments at which points become available or expire."""
    lots: int = 0
    """Lots whose moments are in `due`."""
    renewed_until: datetime | None = None
    """What of the member is in `due`."""
    placed: list[tuple[datetime, str]] = field(default_factory=list)
    """When orders were placed, sorted."""
    none_leaves_before: datetime | None = None
    """Until when no order can roll out of the sum."""
    order_lots: set[int | None] = field(default_factory=set)

    def next_due(self) -> datetime | None:
        """When time alone will change something next."""
        due, tier = self.due, self.member.tier_due
        if not due:
            return tier
        return due[0] if tier is None or due[0] < tier else tier

    def note_due(self) -> None:
        """Keep in mind when points that have just come will become available or expire."""
        member = self.member
        new = len(member.lots) - self.lots
        if new:
            self.lots += new
            for lot in islice(reversed(member.lots.values()), new):
                if lot.expires_at is not None:
                    heappush(self.due, lot.expires_at)
                if lot.pending and lot.available_at is not None:
                    heappush(self.due, lot.available_at)
        until = member.renewed_until
        if until is not None and until != self.renewed_until:
            self.renewed_until = until
            heappush(self.due, until)


def note_order(player: Player, purchase: Purchase, before: datetime | None) -> None:
    """Keep in mind when an order was placed; told again, it may be another moment than the one `before`."""
    at, placed = purchase.placed_at, player.placed
    if at is None or at == before:
        return
    if before is not None:
        del placed[bisect_left(placed, (before, purchase.order_id))]
    insort(placed, (at, purchase.order_id))


def count_points(
    counted: dict[str, Counted], order_lots: set[int | None], activity: Activity, changes: Counting
) -> None:
    """Keep what no order brought by its lot, as it is stored, not by the activity that has just brought it."""
    counted.pop(activity.id, None)
    for lot, at, points in changes.brought:
        if lot not in order_lots:
            key = lot_key(lot)
            before = counted[key].amount if key in counted else ZERO
            counted[key] = Counted(at, before + points)
