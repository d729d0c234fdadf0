"""Earn rules as frozen types: what gives points, on which part of an order, and how many at most."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.program.conditions.condition import Condition
from shared.program.model.limit import Limit
from shared.program.values.period import Period

ONCE_EVER = "customer.registered"
"""Rules on this type give points once per customer, whatever their limit says."""


@dataclass(frozen=True, slots=True)
class Products:
    """Some of a shop's products: `products` by SKU, and those of these `categories`."""

    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def has(self, sku: str, category: str | None) -> bool:
        """Whether a product is one of them."""
        return sku in self.products or category in self.categories


@dataclass(frozen=True, slots=True)
class Cap:
    """The most points that a rule gives: for one order, to one customer in a day, in a month (both of the program's
    calendar) and ever, and to all customers together (`program`). None: no bound."""

    order: int | None = None
    day: int | None = None
    month: int | None = None
    customer: int | None = None
    program: int | None = None

    @property
    def remembers(self) -> bool:
        """Whether what the rule gave the customer before decides how much it gives again."""
        return (self.day, self.month, self.customer) != (None, None, None)


@dataclass(frozen=True, slots=True)
class EarnRule:
    """Points for an event: exactly one of `points` (fixed), `points_per_unit` (of what was really paid, rounded
    down to whole points per order), or `multiply` (adds (multiply - 1) times what the `points_per_unit` rules gave).

    For orders: `only` and `without` say which of its products count, `minimum_order` how much must have been paid for
    the rule to give anything. `tiers` are the tiers whose members get the points; empty: everybody. The rule counts
    for what happened from `begins` on and before `ends`; None: always.

    `free`: nothing but its condition decides if the rule gives points, and nothing how often, or how many.
    """

    id: str
    on: str
    points: int | None = None
    points_per_unit: Decimal | None = None
    multiply: Decimal | None = None
    when: Condition | None = None
    limit: Limit | None = None
    cap: Cap | None = None
    only: Products | None = None
    without: Products | None = None
    minimum_order: Decimal | None = None
    tiers: frozenset[str] = frozenset()
    begins: datetime | None = None
    ends: datetime | None = None
    free: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bounds = self.limit, self.cap, self.only, self.without, self.minimum_order, self.begins, self.ends
        free = all(bound is None for bound in bounds) and not self.tiers and self.on != ONCE_EVER
        object.__setattr__(self, "free", free)

    def runs(self, at: datetime) -> bool:
        """Whether the rule counts for what happened then."""
        return (self.begins is None or at >= self.begins) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Counted:
    """What of an order counts as paid, where points are given for money: beside its goods at the price that was paid,
    the `shipping`, the `tax`, and the `discounts`, as if there had been none."""

    shipping: bool = True
    tax: bool = True
    discounts: bool = False


@dataclass(frozen=True, slots=True)
class Referral:
    """Points for bringing a friend: `points` for who brought, `friend` for who came, once the friend's first order
    has been kept for `kept_for` (neither cancelled nor refunded in full) and was of `minimum_order` or more. At most
    `limit` friends for one customer."""

    id: str
    points: int | None
    friend: int | None
    kept_for: Period
    minimum_order: Decimal | None = None
    limit: Limit | None = None
