"""What customers use at the checkout: a redemption is points put aside, then spent or given back; codes are used."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from shared.program.model.offers import Gift
from shared.program.model.program import Redeem
from shared.program.values.currencies import DECIMALS


class Status(StrEnum):
    """Where a redemption stands."""

    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"
    RETURNED = "returned"
    """Spent, and given back: the order was cancelled, or refunded in full."""


@dataclass(slots=True, kw_only=True)
class Redemption:
    """Points of one customer for one order, as money or for the `reward` of the catalogue, which `gives` something.

    `value` is what they take off the order in `currency`, fixed when reserved; None where a reward is no money, or the
    order was not known. `taken` tells from which lots they came, in the order in which they were taken.
    """

    id: str
    customer_id: str
    order_id: str | None
    points: int
    value: Decimal | None
    currency: str
    status: Status
    reserved_at: datetime
    expires_at: datetime
    taken: list[tuple[int, int]]
    program_version: int
    reward: str | None = None
    gives: Gift | None = None
    ended_at: datetime | None = None
    stored: bool = False


@dataclass(slots=True, kw_only=True)
class CodeUse:
    """A code that a customer used, and whether that stands (`undone_at` None). `personal` tells a customer's own code
    from one for everybody."""

    id: str
    customer_id: str
    code: str
    offer: str
    order_id: str | None
    at: datetime
    personal: bool
    discount: Decimal | None = None
    undone_at: datetime | None = None


def stock_of(kind: str, name: str) -> str:
    """How the stock of an offer (`offer`) or a reward (`reward`) is named."""
    return f"{kind}:{name}"


def worth(points: int, redeem: Redeem, currency: str) -> Decimal:
    """The money that points stand for, rounded down to what can be paid in the currency."""
    unit = Decimal(1).scaleb(-DECIMALS.get(currency, 2))
    return (Decimal(points) * redeem.value / redeem.points).quantize(unit, ROUND_DOWN)
