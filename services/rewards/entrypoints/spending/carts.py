"""The order as a checkout tells of it, while nothing is paid yet.

A shop tells its orders as it has them: what is not looked at here may stay in, as in `order.completed`.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.carts import CartLine as Line
from shared.http.types import ShortText

LINES_MAX = 1_000
QUANTITY_MAX = 1_000_000
Money = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=4)]


class CartLine(BaseModel):
    """One line of the order; `unit_price` is what a piece costs."""

    sku: ShortText
    unit_price: Money
    quantity: Decimal = Field(Decimal(1), gt=0, le=QUANTITY_MAX, max_digits=12, decimal_places=4)
    category: ShortText | None = None


class Order(BaseModel):
    """The order. `total` is what it comes to before the discount in question; without it, what the lines come to."""

    order_id: ShortText | None = None
    total: Money | None = None
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    lines: list[CartLine] = Field([], max_length=LINES_MAX)

    def cart(self) -> Cart:
        """The same for decisions."""
        return Cart(
            order_id=self.order_id,
            total=self.total,
            currency=self.currency,
            lines=tuple(
                Line(sku=line.sku, unit_price=line.unit_price, quantity=line.quantity, category=line.category)
                for line in self.lines
            ),
        )
