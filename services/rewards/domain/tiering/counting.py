"""What counts towards tiers: each order, or each time that points were given; and from when on."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.state.purchases import ZERO, Purchase
from shared.program.model.tiers import Basis, Measure
from shared.program.values.calendar import (
    NEW_YEAR,
    end_of_day_after,
    next_year_start,
    window_start,
    year_start,
)
from shared.program.values.period import Period

MOMENT = timedelta(microseconds=1)


class Calendar(NamedTuple):
    """When one customer's windows and periods begin and end. `joined` is the day from which years of membership run."""

    basis: Basis
    zone: ZoneInfo
    joined: date

    @classmethod
    def of(cls, basis: Basis, zone: ZoneInfo, member: Member) -> "Calendar":
        """The member's. Who joined is not known of has years that begin with the calendar's."""
        joined = NEW_YEAR
        if basis.year == "anniversary_year" and member.joined_at is not None:
            joined = member.joined_at.astimezone(zone).date()
        return cls(basis, zone, joined)

    def start(self, moment: datetime) -> datetime:
        """From when on something counts at `moment`."""
        if self.basis.over is not None:
            return window_start(moment, self.basis.over, self.zone)
        return year_start(moment, self.joined, self.zone)

    def start_for_review(self, end: datetime) -> datetime:
        """From when on something counts for a tier that ends at `end`: where years count, in the one just over."""
        if self.basis.over is not None:
            return window_start(end, self.basis.over, self.zone)
        return year_start(end - MOMENT, self.joined, self.zone)

    def end(self, reached: datetime, keep_for: Period) -> datetime:
        """Until when a tier reached then is kept: through the last local day; where years count, so long after the year
        in which it was reached."""
        if self.basis.over is not None:
            return end_of_day_after(reached, keep_for, self.zone)
        return keep_for.after(next_year_start(reached, self.joined, self.zone), self.zone)

    def end_again(self, ended: datetime, keep_for: Period) -> datetime:
        """Until when a tier is kept that was reached again in the time that ended then."""
        if self.basis.over is not None:
            return end_of_day_after(ended - MOMENT, keep_for, self.zone)
        return keep_for.after(ended, self.zone)


def worth(purchase: Purchase, measure: Measure) -> Decimal:
    """What an order as it stands counts: the money left of it, if it is the program's; the points left of those given
    for it; or one, until it is called off or refunded in full."""
    if purchase.placed_at is None:
        return ZERO
    if measure is Measure.SPEND:
        return purchase.net() if purchase.counts else ZERO
    if measure is Measure.ORDERS:
        return ZERO if purchase.undone() else Decimal(1)
    return Decimal(sum(grant.earned - grant.reversed for grant in purchase.grants))


def lot_key(lot: int) -> str:
    """Under which key of `Member.counted` the points of a lot count that no order has filled."""
    return f"lot:{lot}"


def lot_of(key: str) -> int:
    """The lot of such a key."""
    return int(key.removeprefix("lot:"))


def of_lots(member: Member) -> dict[str, Counted]:
    """What counts of a member besides orders."""
    return {key: one for key, one in (member.counted or {}).items() if key.startswith("lot:")}


def counted(member: Member, measure: Measure) -> list[Counted]:
    """All that counts of a member, in order: what was stored, and orders at hand as they stand now."""
    found = dict(member.counted or {})
    for order_id, purchase in member.purchases.items():
        amount = worth(purchase, measure)
        if amount:
            assert purchase.placed_at is not None, "else it is worth nothing"
            found[order_id] = Counted(purchase.placed_at, amount)
        else:
            found.pop(order_id, None)
    return sorted(found.values())


def total(items: Iterable[Counted], start: datetime) -> Decimal:
    """What counts from `start` on."""
    return sum((one.amount for one in items if one.at >= start), ZERO)
