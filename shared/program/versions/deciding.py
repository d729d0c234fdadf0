"""When it is that somebody decides about versions: by clocks that the database's bears out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock

CLOCKS_DIFFER = timedelta(minutes=1)
"""So much at most a clock that is right differs from the database's."""

Witness = Callable[[AsyncConnection], Awaitable[datetime]]
"""The clock that all who decide have in common."""

# Not now(), which is when the transaction began: it may have waited for another decision since.
_TIME = text("SELECT clock_timestamp()")
log = structlog.get_logger()


async def server_time(connection: AsyncConnection) -> datetime:
    """What the clock of the database's server says."""
    time: datetime = await connection.scalar(_TIME)
    return time


@dataclass(frozen=True, slots=True)
class DecisionClock:
    """This machine's clock, heeded as long as the witness bears it out.

    Of two machines that decide neither can tell whose clock is wrong: to one that is behind, what was decided at once a
    moment ago lies ahead, as if a clock that is ahead had decided it. Put right by that, it would begin before
    what was scheduled in between, and no longer count. The database is there for both of them, so its clock
    decides. Without a witness (where time is not the world's) this machine's clock counts.
    """

    clock: Clock
    witness: Witness | None

    async def now(self, connection: AsyncConnection) -> datetime:
        """The moment of a decision that is made now."""
        now = self.clock()
        if self.witness is None:
            return now
        witnessed = await self.witness(connection)
        if abs(witnessed - now) <= CLOCKS_DIFFER:
            return now  # so that it has begun for this process at once
        log.warning("clock_differs_from_database", seconds=round((now - witnessed).total_seconds()))
        return witnessed
