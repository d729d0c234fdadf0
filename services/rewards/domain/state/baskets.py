"""What an order was made of, and what is left of it after refunds: by line where they name lines, else in proportion.

Kept with an order only where a rule asks for it; for all other orders their total is enough.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from msgspec import Struct

from services.rewards.domain.state.lots import lot_number
from shared.contracts.activity import Activity
from shared.program.model.earn import EarnRule

NOTHING = Fraction(0)


class Refund(Struct, array_like=True, gc=False, frozen=True):
    """One refund of an order; `currency` None means the order's. `lines` are the products that came back: the SKU, how
    many, and what was given back for them, None: what was paid for so many. `at` and `told` are the time and the
    identity (as the number of a lot) of the event that told it; None: an earlier release has kept it."""

    amount: str
    currency: str | None
    lines: list[tuple[str, int, str | None]] | None = None
    at: datetime | None = None
    told: int | None = None

    def comes_before(self, other: "Refund") -> bool:
        """Whether of two tellings of one refund this is the one that counts, as in the profile."""
        if self.at is None or self.told is None or other.at is None or other.told is None:
            return False
        return (self.at, self.told) < (other.at, other.told)


def refund_of(data: Mapping[str, Any], at: datetime | None = None, told: int | None = None) -> Refund:
    """The refund that an event tells; see `Refund`."""
    lines = [(line["sku"], int(line["quantity"]), line.get("amount")) for line in data.get("lines") or ()]
    return Refund(str(data["total"]), data.get("currency"), lines or None, at, told)


def refund_told(activity: Activity) -> Refund:
    """The refund that an activity tells."""
    return refund_of(activity.data, activity.time, lot_number(activity.id))


class Basket(Struct, array_like=True, gc=False, frozen=True):
    """The products of an order by SKU, each with how many and what they were worth beside each other, and what of its
    total was for shipping and tax; `discount` is what was taken off before. An order that tells no lines has one
    product without a name."""

    items: dict[str, tuple[int, str]]
    shipping: str = "0"
    tax: str = "0"
    discount: str = "0"


def basket_of(data: Mapping[str, Any]) -> Basket:
    """The basket of an order. Lines of one SKU are one."""
    items: dict[str, tuple[int, Decimal]] = {}
    for line in data.get("lines") or ():
        pieces, value = items.get(line["sku"], (0, Decimal(0)))
        quantity = int(line["quantity"])
        told = line.get("amount")
        worth = Decimal(told) if told is not None else quantity * Decimal(line["unit_price"])
        items[line["sku"]] = pieces + quantity, value + worth
    if not any(value for _, value in items.values()):
        items = {sku: (pieces, Decimal(pieces)) for sku, (pieces, _) in items.items()} or {
            "": (1, Decimal(1))
        }
    return Basket(
        {sku: (pieces, str(value)) for sku, (pieces, value) in items.items()},
        *(str(data.get(key) or "0") for key in ("shipping", "tax", "discount")),
    )


def chosen(rule: EarnRule, data: Mapping[str, Any]) -> list[str] | None:
    """The SKUs of the order's lines that the rule is for; None: whatever there is."""
    if rule.only is None and rule.without is None:
        return None
    lines = data.get("lines") or ()
    if not lines and rule.only is None:
        return None
    skus = {
        line["sku"]: None
        for line in lines
        if (rule.only is None or rule.only.has(line["sku"], line.get("category")))
        and not (rule.without is not None and rule.without.has(line["sku"], line.get("category")))
    }
    return list(skus)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of an order's money: for its products by SKU, for shipping, for tax. `gross` is what a product's
    money stands for when discounts count as paid."""

    goods: Mapping[str, Fraction]
    shipping: Fraction
    tax: Fraction
    gross: Fraction

    def of(self, skus: Iterable[str] | None) -> Fraction:
        """What is left of these products; None: of all."""
        names = self.goods if skus is None else skus
        return sum((self.goods.get(sku, NOTHING) for sku in names), NOTHING)


def rest_of(basket: Basket, total: Decimal, refunds: Iterable[Refund], net: Decimal) -> Rest:
    """What is left of an order of `total` when `net` is.

    Refunds that name lines take those lines away; what else was given back is taken from all that then is left, in
    proportion. So it depends on what was given back, not on the order in which that was told. Exact: rounding is for
    whoever makes points of it.
    """
    paid = Fraction(total)
    shipping = min(Fraction(basket.shipping), paid)
    tax = min(Fraction(basket.tax), paid - shipping)
    goods = paid - shipping - tax
    worth = sum((Fraction(value) for _, value in basket.items.values()), NOTHING)
    each = {sku: goods * Fraction(value) / worth for sku, (_, value) in basket.items.items()}
    left = dict(each)
    for refund in refunds:
        for sku, amount in _by_line(refund, basket, each).items():
            left[sku] = max(left[sku] - amount, NOTHING)
    standing = shipping + tax + sum(left.values(), NOTHING)
    share = min(Fraction(net) / standing, Fraction(1)) if standing else NOTHING
    gross = (goods + Fraction(basket.discount)) / goods if goods else Fraction(1)
    return Rest({sku: amount * share for sku, amount in left.items()}, shipping * share, tax * share, gross)


def _by_line(refund: Refund, basket: Basket, each: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What a refund gives back for each product that it names; never more than its amount in all."""
    named: dict[str, Fraction] = {}
    for sku, quantity, amount in refund.lines or ():
        if sku in each:
            pieces = basket.items[sku][0]
            value = Fraction(amount) if amount is not None else each[sku] * min(quantity, pieces) / pieces
            named[sku] = named.get(sku, NOTHING) + value
    claimed, given = sum(named.values(), NOTHING), Fraction(refund.amount)
    if claimed > given:
        return {sku: value * given / claimed for sku, value in named.items()}
    return named
