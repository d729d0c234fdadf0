"""An order of one customer: what was paid, what went back, whether it stands.

The order book lives beside the state, a row per order, so that the state stays small. Refunds and cancellations
that are older than their order wait in its entry until it comes.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.money import Units

NO_DATA: Mapping[str, Any] = MappingProxyType({})


class Refund(Struct, frozen=True, array_like=True):
    """Money given back; `currency` None means the order's own."""

    id: str
    amount: Units
    currency: str | None = None


class Order(Struct, frozen=True, kw_only=True):
    """One entry of the book. `placed_at` and `event_key` are None until the order itself is known.

    `data` is what its event told beside the money (lines, coupon, channel), where the order was folded from its event
    just now: the stored book does not keep it, as only a cancellation asks for it, and that folds everything anew.
    """

    order_id: str
    event_key: str | None = None
    placed_at: datetime | None = None
    currency: str | None = None
    total: Units = 0
    cancelled: bool = False
    refunds: tuple[Refund, ...] = ()
    data: Mapping[str, Any] = NO_DATA

    @property
    def counts(self) -> bool:
        """Whether the order is known and stands."""
        return self.placed_at is not None and not self.cancelled

    @property
    def refunded(self) -> Units:
        """What refunds gave back, never more than was paid. A refund in another currency than the order's is not money
        of this order."""
        if not self.refunds:
            return 0
        given = sum(one.amount for one in self.refunds if one.currency in (None, self.currency))
        return min(given, self.total)

    @property
    def net(self) -> Units:
        """What was paid less what was refunded; nothing for an order that is unknown or cancelled."""
        if not self.counts:
            return 0
        return self.total - self.refunded if self.refunds else self.total


Book = Mapping[str, Order]
"""The orders of one customer by their ids, as many of them as a step needs."""


def completed(
    known: Order | None,
    order_id: str,
    *,
    event_key: str,
    at: datetime,
    currency: str,
    total: Units,
    data: Mapping[str, Any] = NO_DATA,
) -> Order | None:
    """The entry once its order has come; None when the order was known already (a second telling changes nothing)."""
    if known is None:
        return Order(
            order_id=order_id, event_key=event_key, placed_at=at, currency=currency, total=total, data=data
        )
    if known.placed_at is not None:
        return None
    return replace(known, event_key=event_key, placed_at=at, currency=currency, total=total, data=data)


def refunded(known: Order | None, order_id: str, refund: Refund) -> Order | None:
    """The entry after a refund; None when this refund was known already."""
    entry = known or Order(order_id=order_id)
    if any(earlier.id == refund.id for earlier in entry.refunds):
        return None
    return replace(entry, refunds=(*entry.refunds, refund))


def cancelled(known: Order | None, order_id: str) -> Order | None:
    """The entry after a cancellation; None when it was cancelled already."""
    entry = known or Order(order_id=order_id)
    return None if entry.cancelled else replace(entry, cancelled=True)
