"""The outbox: outgoing records become rows of the transaction that caused them."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.log.log import PostgresLog
from shared.bus.records import Outgoing


class LogOutbox:
    """An outbox kept in a `PostgresLog`.

    Where PostgreSQL is the bus that log is the bus itself and nothing else is to do; where Kafka is, a `Relay`
    takes the records from there.
    """

    def __init__(self, log: PostgresLog) -> None:
        self._log = log

    async def append(self, connection: AsyncConnection, records: Sequence[Outgoing]) -> None:
        """Write the records as part of the caller's transaction. Call it last: it takes locks that order writers."""
        if records:
            await self._log.append(connection, records)
