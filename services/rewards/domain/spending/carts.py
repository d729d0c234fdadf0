"""A cart: an order as the checkout tells of it before, or while, it is paid."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """One line: what a piece costs, in the cart's currency."""

    sku: str
    unit_price: Decimal
    quantity: Decimal = Decimal(1)
    category: str | None = None

    def amount(self) -> Decimal:
        """What the line comes to."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What is known of the order; `total` is what it comes to before the discount in question."""

    order_id: str | None = None
    total: Decimal | None = None
    currency: str | None = None
    lines: tuple[CartLine, ...] = ()

    def worth(self) -> Decimal | None:
        """The total, or what the lines come to; None when neither is known."""
        if self.total is None and self.lines:
            return sum((line.amount() for line in self.lines), Decimal(0))
        return self.total


EMPTY = Cart()
