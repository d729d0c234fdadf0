"""Stocks in PostgreSQL: how much was taken of an offer or a reward that has only so many.

A row is made when it is first asked for, from what was taken until then; from then on it is counted on, also while the
program knows no stock of it. Whoever takes from a stock holds its row until the end: nobody takes the last one twice.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_COUNTED = """CASE split_part(w.item, ':', 1)
    WHEN 'reward' THEN (SELECT count(*) FROM rewards.redemptions r
        WHERE r.reward = substr(w.item, 8) AND r.status IN ('reserved', 'confirmed'))
    ELSE (SELECT count(*) FROM rewards.offer_uses u WHERE u.offer = substr(w.item, 7) AND u.undone_at IS NULL) END"""
_MAKE = text(f"""
    INSERT INTO rewards.stock (item, taken)
    SELECT w.item, {_COUNTED} FROM unnest(CAST(:items AS text[])) AS w(item)
    WHERE NOT EXISTS (SELECT FROM rewards.stock s WHERE s.item = w.item)
    ORDER BY w.item ON CONFLICT (item) DO NOTHING
    """)  # noqa: S608
_TAKEN = text(f"""
    SELECT w.item, coalesce(s.taken, {_COUNTED})
    FROM unnest(CAST(:items AS text[])) AS w(item) LEFT JOIN rewards.stock s USING (item)
    """)  # noqa: S608
_LOCK = text("""
    SELECT item, taken FROM rewards.stock WHERE item = ANY(CAST(:items AS text[])) ORDER BY item FOR UPDATE
    """)
_ADD = text("""
    UPDATE rewards.stock s SET taken = greatest(s.taken + w.more, 0)
    FROM unnest(CAST(:items AS text[]), CAST(:more AS bigint[])) AS w(item, more) WHERE s.item = w.item
    """)


async def lock(
    connection: AsyncConnection, limited: Collection[str], others: Collection[str] = ()
) -> dict[str, int]:
    """How much is taken, locked until the transaction ends: of the items that have a stock, and, where they had one, of
    the others that will change. Always after the members' locks, and once in a transaction."""
    items = sorted({*limited, *others})
    if not items:
        return {}
    if limited:
        await connection.execute(_MAKE, {"items": sorted(limited)})
    return {item: taken for item, taken in await connection.execute(_LOCK, {"items": items})}  # noqa: C416


async def taken(connection: AsyncConnection, items: Collection[str]) -> dict[str, int]:
    """How much is taken, only to look at."""
    rows = await connection.execute(_TAKEN, {"items": sorted(items)})
    return {item: many for item, many in rows}  # noqa: C416  # rows are not tuples


async def add(connection: AsyncConnection, deltas: Mapping[str, int]) -> None:
    """Count what was taken (or, negative, came back), where it is counted."""
    changed = sorted((item, more) for item, more in deltas.items() if more)
    if not changed:
        return
    items = [item for item, _ in changed]
    await connection.execute(_LOCK, {"items": items})
    await connection.execute(_ADD, {"items": items, "more": [more for _, more in changed]})
