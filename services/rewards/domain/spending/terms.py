"""Whether the terms of an offer or a reward are met, why not, and what it takes off an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any

from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import Cart
from shared.program.model.offers import OfferTemplate, Reward, Terms
from shared.program.model.program import Program
from shared.program.values.currencies import DECIMALS
from shared.program.values.period import Period

ZERO = Decimal(0)


class Reason(StrEnum):
    """Why an offer or a reward cannot be had; as an error code behind `offer_` or `reward_`."""

    UNKNOWN = "unknown"
    """No such thing, or not this customer's: whoever asks may not learn which."""
    REVOKED = "revoked"
    USED = "used"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_TIER = "wrong_tier"
    CURRENCY_MISMATCH = "currency_mismatch"
    OUT_OF_STOCK = "out_of_stock"
    LIMIT_REACHED = "limit_reached"
    ORDER_NEEDED = "order_needed"
    BELOW_MINIMUM_ORDER = "below_minimum_order"
    PRODUCTS_MISSING = "products_missing"
    NOT_COMBINABLE = "not_combinable"
    ORDER_CANCELLED = "order_cancelled"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A term that is not met, in a sentence that a checkout can show, with figures that help."""

    reason: Reason
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def refusal(self, what: str) -> RefusedError:
        """What a caller hears of it; `what` is an offer or a reward, and the code says which term."""
        status = 404 if self.reason is Reason.UNKNOWN else 409
        title = f"{what.capitalize()} refused"
        return RefusedError(status, f"{what}_{self.reason}", title, self.detail, self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """What the terms look at beside the order, for one customer and one offer or reward."""

    tier: str | None = None
    """The id of the customer's tier; None: nobody in particular asks, or the program has no tiers."""
    uses: Sequence[datetime] = ()
    """When this customer had it before."""
    taken: int = 0
    """How many of it all customers have had; 0 where its number is not limited."""


def unmet(
    wanted: OfferTemplate | Reward, cart: Cart, claimant: Claimant, program: Program, now: datetime
) -> Unmet | None:
    """The first term of what is wanted that is not met; None if all are."""
    return (
        unmet_by_customer(wanted.terms, claimant, program, now)
        or _of_currency(wanted, cart, program)
        or _of_order(wanted.terms, cart, program)
    )


def unmet_by_customer(
    terms: Terms, claimant: Claimant, program: Program, now: datetime, *, anybody: bool = False
) -> Unmet | None:
    """The first term that is not met, whatever the order may be; for `anybody` the tier is not looked at either."""
    tier = None if anybody else _of_tier(terms, claimant, program)
    return _of_time(terms, now) or tier or _of_number(terms, claimant, program, now)


def _of_time(terms: Terms, now: datetime) -> Unmet | None:
    if terms.begins is not None and now < terms.begins:
        return Unmet(Reason.NOT_YET_VALID, "It is not valid yet.", {"valid_from": terms.begins})
    if terms.ends is not None and now >= terms.ends:
        return Unmet(Reason.EXPIRED, "It has expired.", {"valid_until": terms.ends})
    return None


def _of_tier(terms: Terms, claimant: Claimant, program: Program) -> Unmet | None:
    if not terms.tiers or claimant.tier in terms.tiers:
        return None
    levels = program.tiers.levels if program.tiers is not None else ()
    names = [level.name for level in levels if level.id in terms.tiers]
    return Unmet(
        Reason.WRONG_TIER,
        f"It is for customers of tier {' or '.join(names or sorted(terms.tiers))}.",
        {"tiers": sorted(terms.tiers)},
    )


def _of_number(terms: Terms, claimant: Claimant, program: Program, now: datetime) -> Unmet | None:
    if terms.stock is not None and claimant.taken >= terms.stock:
        return Unmet(Reason.OUT_OF_STOCK, "All of it has been given.")
    limit = terms.limit
    if limit is None:
        return None
    uses = list(claimant.uses)
    if isinstance(limit.per, Period):
        since = limit.per.before(now, program.time_zone)
        uses = [at for at in uses if at > since]
    if len(uses) < limit.times:
        return None
    extra: dict[str, Any] = {"times": limit.times}
    if isinstance(limit.per, Period):
        extra["again_at"] = limit.per.after(sorted(uses)[-limit.times], program.time_zone)
    return Unmet(Reason.LIMIT_REACHED, "The customer has had it as often as one customer may.", extra)


def _of_currency(wanted: OfferTemplate | Reward, cart: Cart, program: Program) -> Unmet | None:
    """Amounts of the program cannot be set off against an order in another currency."""
    amounts = (wanted.amount, wanted.at_most, wanted.terms.minimum_order)
    if cart.currency in {None, program.currency} or amounts == (None, None, None):
        return None
    detail = f"It is for orders in {program.currency} alone."
    return Unmet(Reason.CURRENCY_MISMATCH, detail, {"currency": program.currency})


def _of_order(terms: Terms, cart: Cart, program: Program) -> Unmet | None:
    least, total = terms.minimum_order, cart.worth()
    picky = bool(terms.products or terms.categories)
    if least is not None and total is None:
        return Unmet(Reason.ORDER_NEEDED, "Tell what the order comes to: order.total.")
    if picky and not cart.lines:
        return Unmet(Reason.ORDER_NEEDED, "Tell what is ordered: order.lines.")
    if least is not None and total is not None and total < least:
        detail = f"The order comes to less than {least} {program.currency}."
        return Unmet(
            Reason.BELOW_MINIMUM_ORDER, detail, {"minimum_order": str(least), "missing": str(least - total)}
        )
    if picky and eligible(terms, cart) is None:
        return Unmet(Reason.PRODUCTS_MISSING, "The order has none of the products that it is for.")
    return None


def eligible(terms: Terms, cart: Cart) -> Decimal | None:
    """The part of the order that a discount is on: the named products, or all; None when nothing of them is there."""
    if not terms.products and not terms.categories:
        return cart.worth()
    lines = [
        line.amount()
        for line in cart.lines
        if line.sku in terms.products or line.category in terms.categories
    ]
    if not lines:
        return None
    amount = sum(lines, ZERO)
    return amount if cart.total is None else min(amount, cart.total)


def discount(given: OfferTemplate | Reward, cart: Cart, program: Program) -> Decimal | None:
    """What is taken off the order, rounded down to what can be paid in its currency: a percentage, or an amount at most
    what it is on; zero for what is no discount; None when what the order comes to is not known."""
    base = eligible(given.terms, cart)
    if base is None:
        return None
    off = ZERO
    if given.percent is not None:
        off = base * given.percent / 100
        off = off if given.at_most is None else min(off, given.at_most)
    elif given.amount is not None:
        off = min(given.amount, base)
    return off.quantize(Decimal(1).scaleb(-DECIMALS.get(cart.currency or program.currency, 2)), ROUND_DOWN)
