"""Notes of changed customers: a row per batch, so that the stream writes next to nothing and waits for nobody."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_NOTE = text("""
    INSERT INTO scoring.stale_rollups (at, customers, sinces)
    VALUES (:now, CAST(:customers AS text[]), CAST(:sinces AS timestamptz[]))
    """)

_NOTE_ALL = text("""
    INSERT INTO scoring.stale_rollups (at, customers, sinces)
    SELECT :now, array_agg(id), array_agg(CAST(NULL AS timestamptz))
    FROM (
        SELECT id, row_number() OVER () / 500 AS part
        FROM (SELECT id FROM scoring.customers UNION SELECT customer_id FROM scoring.rollups) everybody
    ) parted GROUP BY part
    """)

# The oldest notes until they name so many customers, but one at least.
_TAKE = text("""
    DELETE FROM scoring.stale_rollups WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(cardinality(customers)) OVER (ORDER BY id) - cardinality(customers) AS before
            FROM (SELECT id, customers FROM scoring.stale_rollups ORDER BY id LIMIT :limit) oldest
        ) counted WHERE before < :limit
    ) RETURNING customers, sinces
    """)


class SqlStale:
    """`Stale` on PostgreSQL."""

    async def note(
        self, connection: AsyncConnection, customers: Mapping[str, datetime | None], now: datetime
    ) -> None:
        """Note these customers, to be committed with what changed them."""
        bound = {"now": now, "customers": list(customers), "sinces": list(customers.values())}
        await connection.execute(_NOTE, bound)

    async def note_all(self, connection: AsyncConnection, now: datetime) -> None:
        """Note every customer, for a rebuild."""
        await connection.execute(_NOTE_ALL, {"now": now})

    async def take(self, connection: AsyncConnection, limit: int) -> dict[str, datetime | None]:
        """The customers of the oldest notes, each with the earliest time of all (None: any time)."""
        taken: dict[str, datetime | None] = {}
        for customers, sinces in await connection.execute(_TAKE, {"limit": limit}):
            for customer_id, since in zip(customers, sinces, strict=True):
                known = taken.get(customer_id, since)
                taken[customer_id] = None if since is None or known is None else min(known, since)
        return taken
