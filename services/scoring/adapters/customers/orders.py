"""Order books: a row per order of a customer."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.copying import copy
from services.scoring.domain.money import DECIMALS, decimal
from services.scoring.domain.state.orders import Order, Refund

_COLUMNS = {
    "customer_id": "text",
    "order_id": "text",
    "event_key": "bytea",
    "placed_at": "timestamptz",
    "currency": "text",
    "total": "numeric",
    "refunded": "numeric",
    "cancelled": "boolean",
    "refunds": "text",
}
_SELECT = (
    "SELECT o.customer_id, o.order_id, o.event_key, o.placed_at, o.currency, o.total, o.cancelled,"
    " CAST(o.refunds AS text) FROM scoring.orders o"
)

_FIND = text(f"""
    {_SELECT} JOIN unnest(CAST(:customers AS text[]), CAST(:orders AS text[])) AS u(customer_id, order_id)
        ON o.customer_id = u.customer_id AND o.order_id = u.order_id
    """)

_WHOLE = text(f"{_SELECT} WHERE o.customer_id = ANY(CAST(:customers AS text[]))")

_SAVE = text(f"""
    UPDATE scoring.orders o
    SET event_key = u.event_key, placed_at = u.placed_at, currency = u.currency, total = u.total,
        refunded = u.refunded, cancelled = u.cancelled, refunds = CAST(u.refunds AS json)
    FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())})
        AS u({", ".join(_COLUMNS)})
    WHERE o.customer_id = u.customer_id AND o.order_id = u.order_id
    """)  # noqa: S608  # the names are our own

_REMOVE = text("DELETE FROM scoring.orders WHERE customer_id = ANY(CAST(:customers AS text[]))")

_refunds = msgspec.json.Decoder(tuple[Refund, ...])
_ZERO = Decimal(0)


class PostgresOrders:
    """`Orders` on PostgreSQL."""

    async def find(
        self, connection: AsyncConnection, wanted: Collection[tuple[str, str]]
    ) -> dict[str, dict[str, Order]]:
        """The orders named by (customer, order id), by customer."""
        books: dict[str, dict[str, Order]] = {}
        bound = {"customers": [one for one, _ in wanted], "orders": [one for _, one in wanted]}
        collect_orders(books, await connection.execute(_FIND, bound))
        return books

    async def of(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, dict[str, Order]]:
        """All orders of these customers, by customer."""
        books: dict[str, dict[str, Order]] = {}
        collect_orders(books, await connection.execute(_WHOLE, {"customers": list(customer_ids)}))
        return books

    async def add(self, connection: AsyncConnection, orders: Sequence[tuple[str, Order]]) -> None:
        """Store orders that were not there, each with its customer."""
        await copy(connection, "orders", list(_COLUMNS), [_row(*one) for one in orders])

    async def save(self, connection: AsyncConnection, orders: Sequence[tuple[str, Order]]) -> None:
        """Store changed orders."""
        columns = zip(*(_row(*one) for one in orders), strict=True)
        await connection.execute(_SAVE, dict(zip(_COLUMNS, map(list, columns), strict=True)))

    async def remove(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """Remove whole books, to be written anew."""
        await connection.execute(_REMOVE, {"customers": list(customer_ids)})


def _row(customer_id: str, order: Order) -> tuple[Any, ...]:
    return (
        customer_id,
        order.order_id,
        None if order.event_key is None else bytes.fromhex(order.event_key),
        order.placed_at,
        order.currency,
        decimal(order.total),
        decimal(order.refunded) if order.refunds else _ZERO,
        order.cancelled,
        msgspec.json.encode(order.refunds).decode() if order.refunds else None,
    )


def collect_orders(books: dict[str, dict[str, Order]], rows: Any) -> None:
    """Sort rows (customer, order id, event key, time, currency, total, cancelled, refunds) into `books` by customer."""
    for customer_id, order_id, event_key, placed_at, currency, total, cancelled, refunds in rows:
        books.setdefault(customer_id, {})[order_id] = Order(
            order_id=order_id,
            event_key=None if event_key is None else event_key.hex(),
            placed_at=placed_at,
            currency=currency,
            total=int(total.scaleb(DECIMALS)),
            cancelled=cancelled,
            refunds=() if refunds is None else _refunds.decode(refunds),
        )
