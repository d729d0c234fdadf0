"""The data of events about orders: placed, paid back, cancelled, delivered."""

from typing import Annotated

from msgspec import Meta, Struct, field

from shared.contracts.event_data import Data
from shared.contracts.values import (
    Count,
    Currency,
    Identifier,
    Label,
    Money,
    PersonalText,
)


class Line(Struct, frozen=True, kw_only=True):
    """One line of an order. `unit_price` is what one piece costs, in the order's currency; `amount` what was paid for
    all of them, where that is not so many times the price."""

    sku: Identifier
    quantity: Count
    unit_price: Money
    name: Label | None = None
    category: Label | None = None
    amount: Money | None = None


class OrderCompleted(Data, frozen=True, kw_only=True):
    """A paid order. `total` is what was really paid, after discounts; `shipping` and `tax` are what of it was paid for
    these, `discount` is what was taken off before. `referral_id` names the referral that brought the customer."""

    order_id: Identifier
    currency: Currency
    total: Money
    lines: Annotated[list[Line], Meta(max_length=1000)] = field(default_factory=list)
    channel: Label | None = None
    store: Label | None = None
    coupon: Label | None = None
    campaign: Label | None = None
    shipping: Money | None = None
    tax: Money | None = None
    discount: Money | None = None
    referral_id: Identifier | None = None


class RefundedLine(Struct, frozen=True, kw_only=True):
    """How many pieces of an order's line came back."""

    sku: Identifier
    quantity: Count
    amount: Money | None = None


class OrderRefunded(Data, frozen=True, kw_only=True):
    """Money given back for an order, in full or in part; `total` in the order's currency."""

    order_id: Identifier
    refund_id: Identifier
    total: Money
    currency: Currency | None = None
    lines: Annotated[list[RefundedLine], Meta(max_length=1000)] = field(default_factory=list)
    reason: PersonalText | None = None


class OrderCancelled(Data, frozen=True, kw_only=True):
    """An order that will not be fulfilled: all that was paid goes back."""

    order_id: Identifier
    reason: PersonalText | None = None


class OrderDelivered(Data, frozen=True, kw_only=True):
    """A delivery; `days_late` is 0 when it came in time and negative when early."""

    order_id: Identifier
    days_late: Annotated[int, Meta(ge=-365, le=3650)] = 0
