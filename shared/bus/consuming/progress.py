"""How far a group has read a topic, all of its members together: up to which moment nothing waits unread any more.

Who acts on what has not happened (nobody logged in for 14 days) must know that no login waits in a partition that
another member reads, or nobody at the moment.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.consuming import metrics
from shared.bus.consuming.offsets import Offsets, Stand
from shared.bus.interface import Consumer
from shared.bus.records import Partition

FRESH_S = 0.5
"""So long the moment that was reached is answered again: many jobs ask, and an installation at rest costs little."""

UNREAD_AFTER = timedelta(minutes=1)
"""A partition in which nothing was handled for so long, while records wait, holds all sweeps up: somebody must know."""

NOTED_AFTER = timedelta(seconds=10)
"""Then it is noted in the database, so that a worker which is started again goes on counting."""

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Records wait behind a position that has not moved since."""

    position: int
    records: int
    since: datetime
    noted: bool


class Progress:
    """Looks at the positions of the whole group, which lie in the database, and at the ends of all partitions. Asks
    `engine` single statements, each a transaction of its own.

    A stream that never rests is never read to its end; so its end is marked, with the moment, and once the group has
    passed the mark, all that was there at that moment has been handled.
    """

    def __init__(self, engine: AsyncEngine, consumer: Consumer, offsets: Offsets, topic: str) -> None:
        self._engine = engine
        self._consumer = consumer
        self._offsets = offsets
        self._topic = topic
        self._origin: str | None = None
        self._mark: _Mark | None = None
        self._reached: datetime | None = None
        self._waiting: dict[Partition, _Waiting] = {}
        self._looked_at: datetime | None = None
        self._looked_s = 0.0

    @property
    def trouble(self) -> str | None:
        """The partitions that nobody seems to read, for the health check: sweeps wait for them."""
        told = [
            f"partition {number} of {topic} has {one.records} records that nobody has read since {one.since:%FT%TZ}"
            for (topic, number), one in sorted(self._waiting.items())
            if self._looked_at is not None and self._looked_at - one.since >= UNREAD_AFTER
        ]
        return ", ".join(told) or None

    async def read_until(self, now: datetime) -> datetime | None:
        """The latest moment, `now` at most, up to which all records that were on the topic have taken effect; None as
        long as there is none; as it was `FRESH_S` ago at most. Raises `BusUnavailableError`."""
        if self._is_fresh(now):
            return self._reached
        await self._look(now)
        return self._reached

    def _is_fresh(self, now: datetime) -> bool:
        """Whether what was reached lately may be answered again, by either clock: the one of `now` may jump."""
        if self._reached is None or self._looked_at is None or time.monotonic() - self._looked_s > FRESH_S:
            return False
        return timedelta() <= now - self._looked_at <= timedelta(seconds=FRESH_S)

    async def _look(self, now: datetime) -> None:
        origin = await self._consumer.origin()
        ends = await self._consumer.ends()
        async with self._engine.connect() as connection:
            if origin != self._origin:
                await self._begin(connection, origin)
            positions = await self._offsets.positions(connection, self._topic)
            self._reach(positions, ends, now)
            await self._note_waiting(connection, positions, ends, now)
        self._looked_at, self._looked_s = now, time.monotonic()

    async def _begin(self, connection: AsyncConnection, origin: str) -> None:
        """Look at a cluster for the first time: what was marked at another one says nothing here."""
        self._offsets = self._offsets.within(origin)
        self._mark = self._reached = self._looked_at = None
        noted = await self._offsets.unread(connection, self._topic)
        self._show({each: _Waiting(position, 0, since, True) for each, (position, since) in noted.items()})
        self._origin = origin

    def _reach(
        self, positions: Mapping[Partition, int], ends: Mapping[Partition, int], now: datetime
    ) -> None:
        if _passed(positions, ends):
            self._reached, self._mark = now, None
        elif self._mark is None:
            self._mark = _Mark(now, ends)
        elif _passed(positions, self._mark.ends):
            self._reached, self._mark = self._mark.at, _Mark(now, ends)
        if self._reached is not None and self._reached > now:
            self._reached = None  # by a clock that has been put back since: it says nothing of now

    async def _note_waiting(
        self,
        connection: AsyncConnection,
        positions: Mapping[Partition, int],
        ends: Mapping[Partition, int],
        now: datetime,
    ) -> None:
        """Note where records wait, and since when none of them has been handled, as far as anybody has seen."""
        waiting: dict[Partition, _Waiting] = {}
        news: dict[Partition, Stand] = {}
        for partition, end in ends.items():
            position = positions.get(partition, 0)
            if position >= end:
                continue
            known = self._waiting.get(partition)
            if known is None or known.position != position:
                known = _Waiting(position, 0, now, False)
            since = min(known.since, now)
            if not known.noted and now - since >= NOTED_AFTER:
                news[partition] = position, since
            waiting[partition] = _Waiting(position, end - position, since, known.noted or partition in news)
        if news:
            await self._offsets.note_unread(connection, news)
        self._show(waiting)
        for (topic, number), one in waiting.items():
            metrics.UNREAD_SECONDS.labels(topic, str(number)).set((now - one.since).total_seconds())
            told = self._looked_at is not None and self._looked_at - one.since >= UNREAD_AFTER
            if now - one.since >= UNREAD_AFTER and not told:
                log.warning(
                    "partition %d of %s: nobody reads it since %s, and sweeps wait", number, topic, one.since
                )

    def _show(self, waiting: dict[Partition, _Waiting]) -> None:
        """These wait, and nothing else is shown any more."""
        before, self._waiting = self._waiting, waiting
        for topic, number in before.keys() - waiting.keys():
            with suppress(KeyError):
                metrics.UNREAD_SECONDS.remove(topic, str(number))


def _passed(positions: Mapping[Partition, int], ends: Mapping[Partition, int]) -> bool:
    """Whether each partition has been handled up to there; one that nobody has claimed yet stands at its beginning."""
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())
