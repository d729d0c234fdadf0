"""A redemption: points put aside at the checkout, then spent or given back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from shared.program.model import Redeem

CENT = Decimal("0.01")


class Status(StrEnum):
    """Where a redemption stands."""

    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(slots=True, kw_only=True)
class Redemption:
    """Points of one customer for one order. `value` is what they are worth in `currency`, fixed when reserved.
    `taken` tells from which lots they came, in the order in which they were taken."""

    id: str
    customer_id: str
    order_id: str | None
    points: int
    value: Decimal
    currency: str
    status: Status
    reserved_at: datetime
    expires_at: datetime
    taken: list[tuple[int, int]]
    program_version: int
    ended_at: datetime | None = None
    stored: bool = False


def worth(points: int, redeem: Redeem) -> Decimal:
    """The money that points stand for, rounded down to cents."""
    return (Decimal(points) * redeem.value / redeem.points).quantize(CENT, ROUND_DOWN)
