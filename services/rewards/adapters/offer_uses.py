"""Uses of offers in PostgreSQL; the offer's row is locked by the caller."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.offers import Offer

_USED_FOR = text("SELECT at FROM rewards.offer_uses WHERE code = :code AND order_id = :order_id LIMIT 1")
_COUNT = text("UPDATE rewards.offers SET used = used + 1 WHERE code = :code RETURNING used")
_ADD = text("""
    INSERT INTO rewards.offer_uses (code, number, customer_id, order_id, at, actor)
    VALUES (:code, :number, :customer, :order_id, :at, :actor)
    """)


async def used_for(connection: AsyncConnection, code: str, order_id: str | None) -> datetime | None:
    """When the code was used for this order, if it was."""
    if order_id is None:
        return None
    at: datetime | None = await connection.scalar(_USED_FOR, {"code": code, "order_id": order_id})
    return at


async def use(
    connection: AsyncConnection, offer: Offer, order_id: str | None, actor: str, now: datetime
) -> int:
    """Count one more use; how many there are then."""
    number = await connection.scalar(_COUNT, {"code": offer.code})
    await connection.execute(
        _ADD,
        {
            "code": offer.code,
            "number": number,
            "customer": offer.customer_id,
            "order_id": order_id,
            "at": now,
            "actor": actor,
        },
    )
    assert isinstance(number, int)
    return number
