"""The inbox: the identity of every event ever taken in."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Sorted, so that two workers who take the same events in cannot deadlock.
_TAKE = text("""
    INSERT INTO scoring.inbox (event_key)
    SELECT k FROM unnest(CAST(:keys AS bytea[])) AS u(k)
    ON CONFLICT DO NOTHING RETURNING event_key
    """)


class PostgresInbox:
    """`Inbox` on PostgreSQL."""

    async def take(self, connection: AsyncConnection, keys: Collection[str]) -> set[str]:
        """Note these events, and answer which of them are new."""
        rows = await connection.execute(_TAKE, {"keys": [bytes.fromhex(key) for key in sorted(keys)]})
        return {key.hex() for (key,) in rows}
