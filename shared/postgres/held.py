"""A connection that one user holds on to, where taking one from the pool each time would cost more than the work.

A worker's batch, a read of the log and a publish come one at a time, dozens a second. The way through the pool and back
(five steps in greenlets, and the isolation level set and reset) costs as much as several statements.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres.engine import PLANS_S


class HeldConnection:
    """Lends the same connection again, as long as it works, by way of the pool when that may have it planned anew.
    Whoever asks while it is lent gets one of the pool.

    `close` gives it back; before that it counts as one of the pool's that are in use. The last one of a pool is not
    held: with a small one, everybody else would wait for it in vain.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._at_rest: AsyncConnection | None = None
        self._taken_at = 0.0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, as `AsyncEngine.begin` has it."""
        async with self.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """The connection. After an error it goes back to the pool, which looks after it."""
        async with AsyncExitStack() as stack:
            connection = await self._take()
            stack.push_async_exit(connection)
            yield connection
            if self._at_rest is None and not connection.in_transaction() and self._leaves_one():
                self._at_rest = connection
                stack.pop_all()

    async def close(self) -> None:
        """Give the connection back. It may be asked for again."""
        connection, self._at_rest = self._at_rest, None
        if connection is not None:
            await connection.close()

    def _leaves_one(self) -> bool:
        """Whether the pool has another one for whoever asks next."""
        pool = self._engine.pool
        return not isinstance(pool, QueuePool) or pool.checkedout() < pool.size()

    async def _take(self) -> AsyncConnection:
        connection, self._at_rest = self._at_rest, None
        if connection is not None:
            if _works(connection) and time.monotonic() - self._taken_at < PLANS_S:
                return connection
            await connection.close()
        self._taken_at = time.monotonic()
        return await self._engine.connect()


def _works(connection: AsyncConnection) -> bool:
    """Whether the server has not closed it meanwhile: the driver has heard of it, so that looking costs nothing."""
    sync = connection.sync_connection
    if sync is None or sync.closed or sync.invalidated:
        return False
    driver = sync.connection.driver_connection
    return driver is not None and not driver.is_closed()
