"""How far a group has read a topic, all of its members together: up to which moment nothing waits unread any more.

Who acts on what has not happened (nobody logged in for 14 days) must know that no login waits in a partition that
another member reads, or nobody at the moment.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.interface import Consumer
from shared.bus.offsets import Offsets
from shared.bus.records import Partition

ReadUntil = Callable[[datetime], Awaitable[datetime | None]]
"""The latest moment up to which everything was read, by all workers together; None when there is none."""


async def whenever(now: datetime) -> datetime:
    """For jobs that need not wait for what is unread."""
    return now


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the partitions ended at a moment."""

    at: datetime
    ends: Mapping[Partition, int]


class Progress:
    """Looks at the positions of the whole group, which lie in the database, and at the ends of all partitions.

    A stream that never rests is never read to its end; so its end is marked, with the moment, and once the group has
    passed the mark, all that was there at that moment has been handled.
    """

    def __init__(self, engine: AsyncEngine, consumer: Consumer, offsets: Offsets, topic: str) -> None:
        self._engine = engine
        self._consumer = consumer
        self._offsets = offsets
        self._topic = topic
        self._origin = ""
        self._mark: _Mark | None = None
        self._reached: datetime | None = None

    async def read_until(self, now: datetime) -> datetime | None:
        """The latest moment, `now` at most, up to which all records that were on the topic have taken effect; None as
        long as there is none. Raises `BusUnavailableError`."""
        origin = await self._consumer.origin()
        if origin != self._origin:  # another cluster: what was marked there says nothing here
            self._origin, self._offsets = origin, self._offsets.within(origin)
            self._mark = self._reached = None
        ends = await self._consumer.ends()
        async with self._engine.connect() as connection:
            positions = await self._offsets.positions(connection, self._topic)
        if _passed(positions, ends):
            self._reached, self._mark = now, None
        elif self._mark is None:
            self._mark = _Mark(now, ends)
        elif _passed(positions, self._mark.ends):
            self._reached, self._mark = self._mark.at, _Mark(now, ends)
        if self._reached is not None and self._reached > now:
            self._reached = None  # by a clock that has been put back since: it says nothing of now
        return self._reached


def _passed(positions: Mapping[Partition, int], ends: Mapping[Partition, int]) -> bool:
    """Whether each partition has been handled up to there; one that nobody has claimed yet stands at its beginning."""
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())
