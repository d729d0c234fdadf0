"""What rewards remembers of an order: enough to take back exactly the points that a refund undoes."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

ZERO = Decimal(0)


class Grant(Struct, array_like=True, gc=False):
    """Points that one rule gave for an order, and how many of them were taken back since.

    `by` says how the rule counts: `unit` gives `factor` points per unit of money, `times` adds `factor` times the
    points of all `unit` grants, `fixed` gives `factor` points whatever the order was worth. The factor is kept as it
    was when the points were earned, so that a later program changes nothing about old orders.
    """

    rule: str
    by: Literal["unit", "times", "fixed"]
    factor: str
    earned: int
    reversed: int = 0


class Refund(Struct, array_like=True, gc=False, frozen=True):
    """One refund of an order; `currency` None means the order's."""

    amount: str
    currency: str | None


class Purchase(Struct, kw_only=True):
    """One order of one customer. `placed_at` None: only refunds or a cancellation of it have arrived so far.

    `counts` tells whether its money is in the program's currency, and so counts towards tiers. `lot` is the number of
    the lot of its points, if it has any: it derives from the identity of the event that told the order first.
    """

    order_id: str
    placed_at: datetime | None = None
    currency: str | None = None
    total: Decimal = ZERO
    counts: bool = False
    cancelled: bool = False
    lot: int | None = None
    part: str | None = None
    grants: list[Grant] = []
    refunds: dict[str, Refund] = {}
    stored: bool = False
    changed: bool = True

    def refunded(self) -> Decimal:
        """The sum of its refunds in its own currency. One in another currency cannot be set off and counts nothing."""
        return sum(
            (Decimal(r.amount) for r in self.refunds.values() if r.currency in {None, self.currency}), ZERO
        )

    def net(self) -> Decimal:
        """What the customer has paid and not got back: never below zero, whatever refunds say."""
        if self.placed_at is None or self.cancelled:
            return ZERO
        if not self.refunds:
            return self.total
        return max(self.total - self.refunded(), ZERO)

    def undone(self) -> bool:
        """Whether nothing of the order is left: cancelled, or refunded in full."""
        return self.cancelled or (bool(self.refunds) and self.total > 0 and self.net() == 0)


def whole_points(amount: Decimal, rate: Decimal) -> int:
    """Points for an amount of money, rounded down to whole points per order."""
    return int(amount * rate)


def kept_points(purchase: Purchase) -> list[int]:
    """For each grant the points that the customer keeps of those earned, given what is left of the order."""
    due = due_points(purchase)
    return [min(points, grant.earned) for grant, points in zip(purchase.grants, due, strict=True)]


def due_points(purchase: Purchase) -> list[int]:
    """For each grant the points that its rule gives for what is left of the order."""
    net = purchase.net() if purchase.counts else ZERO
    undone = purchase.undone()
    by_unit = [whole_points(net, Decimal(g.factor)) if g.by == "unit" else 0 for g in purchase.grants]
    base = sum(by_unit)
    due = []
    for grant, units in zip(purchase.grants, by_unit, strict=True):
        if grant.by == "unit":
            points = units
        elif grant.by == "times":
            points = whole_points(Decimal(base), Decimal(grant.factor))
        else:
            points = 0 if undone else int(grant.factor or grant.earned)
        due.append(points)
    return due
