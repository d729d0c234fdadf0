"""What is kept about why something was given: everything that happened for one cause."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ENTRY = text("""
    SELECT customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause, program_version
    FROM rewards.entries WHERE customer_id = :customer AND number = :number
    """)
_LOTS = text("""
    SELECT l.lot, l.points, l.remaining, l.expired, l.expires_at, l.available_at
    FROM rewards.lots l WHERE l.customer_id = ANY(CAST(:customers AS text[]))
        AND l.lot IN (SELECT lot FROM rewards.entries WHERE customer_id = :customer AND cause = :cause)
    ORDER BY l.expires_at NULLS LAST, l.lot
    """)
_PURCHASE = text("""
    SELECT order_id, placed_at, currency, total, net FROM rewards.purchases
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND lot = :lot
    """)
_ADJUSTMENT = text("SELECT points, reason, actor, at FROM rewards.adjustments WHERE id = :id")
_REDEMPTION = text("SELECT order_id, points, value, currency, status FROM rewards.redemptions WHERE id = :id")
_TIER = text("""
    SELECT number, at, old, new, reason, spend, cause, program_version, until FROM rewards.tier_history
    WHERE customer_id = :customer AND (:tier = 'current' OR new = :tier) ORDER BY number DESC LIMIT 1
    """)
_FAMILY = text(
    "SELECT customer_id FROM rewards.members WHERE customer_id = :customer OR merged_into = :customer"
)


async def entry(connection: AsyncConnection, customer_id: str, number: int) -> Any | None:
    """One ledger entry."""
    return (await connection.execute(_ENTRY, {"customer": customer_id, "number": number})).first()


async def family(connection: AsyncConnection, customer_id: str) -> list[str]:
    """The customer and everyone merged into them."""
    return [row[0] for row in await connection.execute(_FAMILY, {"customer": customer_id})]


async def lots(connection: AsyncConnection, customers: list[str], customer_id: str, cause_: str) -> list[Any]:
    """The lots that entries of this cause touched, wherever a merge has brought them since."""
    bound = {"customers": customers, "customer": customer_id, "cause": cause_}
    return list(await connection.execute(_LOTS, bound))


async def purchase(connection: AsyncConnection, customers: list[str], lot: int | None) -> Any | None:
    """The order whose points are in this lot."""
    if lot is None:
        return None
    return (await connection.execute(_PURCHASE, {"customers": customers, "lot": lot})).first()


async def adjustment(connection: AsyncConnection, id_: str) -> Any | None:
    """An adjustment by its id."""
    return (await connection.execute(_ADJUSTMENT, {"id": id_})).first()


async def redemption(connection: AsyncConnection, id_: str) -> Any | None:
    """A redemption by its id."""
    return (await connection.execute(_REDEMPTION, {"id": id_})).first()


async def tier_change(connection: AsyncConnection, customer_id: str, tier: str) -> Any | None:
    """The newest change to this tier (`current`: the newest change)."""
    return (await connection.execute(_TIER, {"customer": customer_id, "tier": tier})).first()
