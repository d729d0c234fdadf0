"""The inbox in PostgreSQL: which activities were taken. Rows are written with the rest of a batch, by `saving`."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_KNOWN = text("SELECT id FROM rewards.inbox WHERE id = ANY(CAST(:ids AS text[]))")


class PostgresInbox:
    """Implements `Inbox`. The consumer holds the offset row of the partition, so that nobody else can be taking the
    same record meanwhile; should it happen all the same, the primary key refuses the second."""

    async def known(self, connection: AsyncConnection, ids: Collection[str]) -> set[str]:
        """See `Inbox.known`."""
        return {row[0] for row in await connection.execute(_KNOWN, {"ids": list(ids)})}
