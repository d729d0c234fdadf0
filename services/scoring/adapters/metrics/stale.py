"""Notes of changed customers: a row per batch, so that the stream writes next to nothing and waits for nobody."""

from collections.abc import Collection, Mapping
from datetime import datetime
from operator import itemgetter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# The ids travel as one text: an array of 500 costs the driver and the server five times as much.
_NOTE = text("INSERT INTO scoring.stale_rollups (at, since, customers) VALUES (:now, :since, :customers)")

_NOTE_ALL = text("""
    INSERT INTO scoring.stale_rollups (at, since, customers)
    SELECT CAST(:now AS timestamptz), NULL, string_agg(id, ' ')
    FROM (
        SELECT id, row_number() OVER () / 500 AS part
        FROM (SELECT id FROM scoring.customers UNION SELECT customer_id FROM scoring.rollups) everybody
    ) parted GROUP BY part
    """)

TAKEN_BYTES_MAX = 60_000
"""Of ids in one taking, some two thousand customers: what is not dealt with is written back."""

# To count characters reads every text that waits, 70 us each; how many bytes a row has the row says itself.
_TAKE = text(f"""
    DELETE FROM scoring.stale_rollups WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(octet_length(customers)) OVER (ORDER BY id) - octet_length(customers) AS before
            FROM (SELECT id, customers FROM scoring.stale_rollups ORDER BY id LIMIT :limit) oldest
        ) counted WHERE before < {TAKEN_BYTES_MAX}
    ) RETURNING id, since, customers
    """)  # noqa: S608  # the number is our own


class PostgresStale:
    """`Stale` on PostgreSQL."""

    async def note(
        self, connection: AsyncConnection, customers: Mapping[str, datetime | None], now: datetime
    ) -> None:
        """Note these customers, to be committed with what changed them."""
        times = [since for since in customers.values() if since is not None]
        if times:
            dated = [one for one, since in customers.items() if since is not None]
            await self._write(connection, dated, min(times), now)
        if len(times) < len(customers):
            undated = [one for one, since in customers.items() if since is None]
            await self._write(connection, undated, None, now)

    async def note_all(self, connection: AsyncConnection, now: datetime) -> None:
        """Note every customer, for a rebuild."""
        await connection.execute(_NOTE_ALL, {"now": now})

    async def take(self, connection: AsyncConnection, limit: int) -> dict[str, datetime | None]:
        """The customers of so many of the oldest notes, those who wait longest first, each with the earliest time of
        all its notes (None: any time)."""
        taken: dict[str, datetime | None] = {}
        notes = (await connection.execute(_TAKE, {"limit": limit})).all()
        for _, since, customers in sorted(notes, key=itemgetter(0)):
            for customer_id in customers.split():
                known = taken.get(customer_id, since)
                taken[customer_id] = None if since is None or known is None else min(known, since)
        return taken

    async def _write(
        self, connection: AsyncConnection, customers: Collection[str], since: datetime | None, now: datetime
    ) -> None:
        await connection.execute(_NOTE, {"now": now, "since": since, "customers": " ".join(customers)})
