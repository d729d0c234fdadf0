"""The spool in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.interface import BusUnavailableError
from shared.bus.log.log import PostgresLog
from shared.bus.records import Outgoing
from shared.postgres.faults import is_database_away

SPOOL_PATIENCE_S = 2.0
"""How long PostgreSQL may take before the sender is told to come again."""

# The first record of each partition is found through the primary key: counting rows would read them all.
_DEPTH = text("""
    SELECT coalesce(sum(h.next_offset - first."offset" + first.records - 1), 0)
    FROM ingest.spool_heads h
    CROSS JOIN LATERAL (
        SELECT r."offset", r.records FROM ingest.spool_records r
        WHERE r.topic = h.topic AND r.partition = h.partition ORDER BY r."offset" LIMIT 1
    ) first
    """)


class PostgresSpool:
    """Keeps records in `ingest.spool_records`, in order, until the relay has published them."""

    def __init__(self, engine: AsyncEngine, log: PostgresLog) -> None:
        self._engine = engine
        self._log = log

    async def append(self, records: Sequence[Outgoing]) -> None:
        """Return when they are committed. Raises `BusUnavailableError`."""
        async with self._transaction() as connection:
            await self._log.append(connection, records)

    async def is_empty(self) -> bool:
        """Whether nothing waits. Raises `BusUnavailableError`."""
        async with self._transaction() as connection:
            return await self._log.is_empty(connection)

    async def depth(self) -> int:
        """How many records wait. Raises `BusUnavailableError`."""
        async with self._transaction() as connection:
            return int(await connection.scalar(_DEPTH) or 0)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(SPOOL_PATIENCE_S), self._engine.begin() as connection:
                yield connection
        except Exception as error:
            if is_database_away(error):
                raise BusUnavailableError(f"the spool is away: {type(error).__name__}") from error
            raise
