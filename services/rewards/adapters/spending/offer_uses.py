"""Codes and their uses in PostgreSQL. Whoever uses or undoes one holds the customer's row, and then the code's."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import CodeUse

_USE = "u.id, u.customer_id, u.code, u.offer, u.order_id, u.at, u.personal, u.discount, u.undone_at"
_FOR_ORDERS = text(f"""
    SELECT {_USE} FROM unnest(CAST(:customers AS text[]), CAST(:orders AS text[])) AS w(customer_id, order_id)
    JOIN rewards.offer_uses u USING (customer_id, order_id) WHERE u.undone_at IS NULL ORDER BY u.id
    """)  # noqa: S608
_OF_CUSTOMER = text(f"""
    SELECT {_USE} FROM rewards.offer_uses u
    WHERE u.customer_id = :customer AND (u.offer = :offer OR u.order_id = CAST(:order_id AS text))
    ORDER BY u.at, u.id
    """)  # noqa: S608
_COUNT = text("UPDATE rewards.offers SET used = used + 1 WHERE code = :code")
_ADD = text("""
    INSERT INTO rewards.offer_uses (id, customer_id, code, offer, order_id, at, personal, discount, actor, part)
    VALUES (:id, :customer, CAST(:code AS text), :offer, :order_id, :at, :personal, :discount, :actor,
        (SELECT part FROM rewards.offers WHERE code = CAST(:code AS text)))
    """)
_UNDO = text("""
    UPDATE rewards.offer_uses u SET undone_at = w.at
    FROM unnest(CAST(:ids AS text[]), CAST(:moments AS timestamptz[])) AS w(id, at) WHERE u.id = w.id
    """)
_DISCOUNT = text("""
    UPDATE rewards.offers o SET used = o.used - w.uses
    FROM (SELECT code, count(*) AS uses FROM unnest(CAST(:codes AS text[])) AS c(code) GROUP BY code) w
    WHERE o.code = w.code
    """)


async def load_for_orders(
    connection: AsyncConnection, members: dict[str, Member], orders: Collection[tuple[str, str]]
) -> None:
    """The uses that stand for these (customer, order id)."""
    keys = {"customers": [customer for customer, _ in orders], "orders": [order for _, order in orders]}
    for row in await connection.execute(_FOR_ORDERS, keys):
        use = _code_use(row)
        members[use.customer_id].code_uses.setdefault(str(use.order_id), []).append(use)


async def of_customer(
    connection: AsyncConnection, customer_id: str, offer: str, order_id: str | None
) -> list[CodeUse]:
    """The customer's uses of this offer, and of any for this order, undone ones too; oldest first."""
    keys = {"customer": customer_id, "offer": offer, "order_id": order_id}
    return [_code_use(row) for row in await connection.execute(_OF_CUSTOMER, keys)]


async def add(connection: AsyncConnection, use: CodeUse, actor: str) -> None:
    """Write a new use, and count it on the code if that is the customer's own."""
    if use.personal:
        await connection.execute(_COUNT, {"code": use.code})
    await connection.execute(
        _ADD,
        {
            "id": use.id,
            "customer": use.customer_id,
            "code": use.code,
            "offer": use.offer,
            "order_id": use.order_id,
            "at": use.at,
            "personal": use.personal,
            "discount": use.discount,
            "actor": actor,
        },
    )


async def undo(connection: AsyncConnection, uses: Sequence[CodeUse]) -> None:
    """Write that these uses no longer stand; the codes may be used as often more."""
    moments: list[datetime | None] = [use.undone_at for use in uses]
    await connection.execute(_UNDO, {"ids": [use.id for use in uses], "moments": moments})
    await connection.execute(_DISCOUNT, {"codes": [use.code for use in uses if use.personal]})


def _code_use(row: Any) -> CodeUse:
    return CodeUse(**row._mapping)
