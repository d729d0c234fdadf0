"""What rewards remembers of an order: enough to take back exactly the points that a refund undoes."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from msgspec import Struct, structs

from services.rewards.domain.state.baskets import Basket, Refund, Rest, rest_of

UNDOING = frozenset({"order.refunded", "order.cancelled"})
ORDERS = UNDOING | {"order.completed"}
"""Types of activities that tell of an order; `UNDOING` those that take back what it earned."""

ZERO = Decimal(0)
POINTS_MAX = 1_000_000_000_000
"""The most points of one rule for one order: far above any program, and far below where a customer's sum of them could
no longer be kept."""


class GrantTerms(Struct, array_like=True, gc=False, frozen=True):
    """What a grant goes by beside its factor, as the program said when the points were earned; see `EarnRule`.

    `skus` are the products that count, None: all; `shipping`, `tax` and `discounts` whether these count too. `most` is
    the most points that the grant can come to; `minimum` what must be left of the order for it to stay.
    """

    skus: list[str] | None = None
    shipping: bool = True
    tax: bool = True
    discounts: bool = False
    most: int | None = None
    minimum: str | None = None

    @property
    def whole(self) -> bool:
        """Whether all that was paid counts."""
        return self.skus is None and self.shipping and self.tax and not self.discounts


WHOLE = GrantTerms()
"""The terms of a grant that has none."""


class Grant(Struct, array_like=True, gc=False):
    """Points that one rule gave for an order, and how many of them were taken back since.

    The factor and the terms are kept as they were when the points were earned, so that a later program changes nothing
    about old orders.
    """

    rule: str
    by: Literal["unit", "times", "fixed"]
    """How the rule counts: `unit` gives `factor` points per unit of money, `times` adds `factor` times the points of
    all `unit` grants, `fixed` gives `factor` points whatever the order was worth."""
    factor: str
    earned: int
    reversed: int = 0
    terms: GrantTerms | None = None
    """None: all that was paid counts, and nothing bounds the points."""


class Purchase(Struct, kw_only=True):
    """One order of one customer."""

    order_id: str
    placed_at: datetime | None = None
    """None: only refunds or a cancellation of the order have arrived so far."""
    currency: str | None = None
    total: Decimal = ZERO
    counts: bool = False
    """Whether its money is in the program's currency, and so earns points per unit and counts towards tiers."""
    cancelled: bool = False
    lot: int | None = None
    """The number of the lot of its points, which derives from the identity of the event that told the order first; None
    until one has."""
    told: int | None = None
    """The same of the event whose telling of the order counts; None: it is the first one."""
    part: str | None = None
    grants: list[Grant] = []
    refunds: dict[str, Refund] = {}
    """By refund id."""
    basket: Basket | None = None
    """What the order was made of; kept only where a grant's terms ask for it."""
    stored: bool = False
    changed: bool = True

    def refunded(self) -> Decimal:
        """The sum of its refunds in its own currency. One in another currency cannot be set off and counts nothing."""
        return sum((Decimal(refund.amount) for refund in self.valid_refunds()), ZERO)

    def valid_refunds(self) -> list[Refund]:
        """Its refunds in its own currency."""
        return [refund for refund in self.refunds.values() if refund.currency in {None, self.currency}]

    def net(self) -> Decimal:
        """What the customer has paid and not got back: never below zero, whatever refunds say."""
        if self.placed_at is None or self.cancelled:
            return ZERO
        if not self.refunds:
            return self.total
        return max(self.total - self.refunded(), ZERO)

    def held(self) -> int:
        """The points of it that the customer has: what it earned and was not taken back."""
        return sum(grant.earned - grant.reversed for grant in self.grants)

    def undone(self) -> bool:
        """Whether nothing of the order is left: cancelled, or refunded in full."""
        return self.cancelled or (bool(self.refunds) and self.total > 0 and self.net() == 0)


def whole_points(amount: Decimal | Fraction, rate: Decimal) -> int:
    """Points for an amount of money, rounded down to whole points per order; `POINTS_MAX` at most."""
    points = int(amount * rate) if isinstance(amount, Decimal) else int(amount * Fraction(rate))
    return min(points, POINTS_MAX)


def kept_points(purchase: Purchase) -> list[int]:
    """For each grant the points that the customer keeps of those earned, given what is left of the order."""
    due = due_points(purchase)
    return [min(points, grant.earned) for grant, points in zip(purchase.grants, due, strict=True)]


def due_points(purchase: Purchase) -> list[int]:
    """For each grant the points that its rule gives for what is left of the order."""
    left = purchase.net()
    net = left if purchase.counts else ZERO
    rest: Rest | None = None
    if purchase.basket is not None:
        rest = rest_of(purchase.basket, purchase.total, purchase.valid_refunds(), left)
    by_unit = [
        _within(grant, net, whole_points(_counted(grant.terms or WHOLE, net, rest), Decimal(grant.factor)))
        if grant.by == "unit" and purchase.counts
        else 0
        for grant in purchase.grants
    ]
    due = []
    for grant, units in zip(purchase.grants, by_unit, strict=True):
        if grant.by == "unit":
            points = units
        elif grant.by == "times":
            base = _base(purchase, grant, by_unit, rest)
            points = _within(grant, net, whole_points(Decimal(base), Decimal(grant.factor)))
        else:
            points = 0 if _gone(purchase, grant, rest) else int(grant.factor or grant.earned)
            points = _within(grant, net, points)
        due.append(points)
    return due


def _within(grant: Grant, net: Decimal, points: int) -> int:
    """The points within the grant's terms."""
    terms = grant.terms
    if terms is None:
        return points
    if terms.minimum is not None and net < Decimal(terms.minimum):
        return 0
    return points if terms.most is None else min(points, terms.most)


def _counted(terms: GrantTerms, net: Decimal, rest: Rest | None) -> Decimal | Fraction:
    """The money that counts by these terms of what is left."""
    return net if rest is None or terms.whole else _part(terms, rest)


def _part(terms: GrantTerms, rest: Rest) -> Fraction:
    """The same, by what the order was made of."""
    goods = rest.of(terms.skus)
    if terms.discounts:
        goods *= rest.gross
    return goods + (rest.shipping if terms.shipping else 0) + (rest.tax if terms.tax else 0)


def _base(purchase: Purchase, grant: Grant, by_unit: list[int], rest: Rest | None) -> int:
    """The points that a `times` grant multiplies: those for the products that it is for."""
    terms = grant.terms or WHOLE
    if rest is None or terms.skus is None:
        return sum(by_unit)
    base = 0
    for unit, most in zip(purchase.grants, by_unit, strict=True):
        if unit.by != "unit":
            continue
        own = unit.terms or WHOLE
        skus = [sku for sku in terms.skus if own.skus is None or sku in own.skus]
        part = structs.replace(own, skus=skus, shipping=False, tax=False)
        base += min(most, whole_points(_part(part, rest), Decimal(unit.factor)))
    return base


def _gone(purchase: Purchase, grant: Grant, rest: Rest | None) -> bool:
    """Whether nothing is left of what fixed points were given for."""
    if purchase.undone():
        return True
    skus = grant.terms.skus if grant.terms is not None else None
    if skus is None or rest is None:
        return False
    assert purchase.basket is not None, "what is left is told by the basket"
    return rest.of(skus) == 0 and rest_of(purchase.basket, purchase.total, (), purchase.total).of(skus) > 0
