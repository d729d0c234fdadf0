"""The bus on PostgreSQL: the same behaviour as on Kafka, with nothing to install."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.faults import DATABASE_ERRORS
from shared.bus.gather import Gatherer
from shared.bus.interface import BusUnavailableError, WrongPartitionsError
from shared.bus.log.log import PostgresLog
from shared.bus.postgres.group_member import GroupMember
from shared.bus.postgres.listener import Listener
from shared.bus.postgres.retention import Retention
from shared.bus.records import Incoming, Outgoing, Partition
from shared.postgres.direct import autocommit
from shared.postgres.held import HeldConnection

SCHEMA = "platform"
PREFIX = "log"
POLL_S = 0.5
"""The longest wait for a record whose notification was lost."""

WRITER_S = 0.01
"""Between two looks at a partition that somebody is writing to."""

QUERY_TIMEOUT_S = 10.0
BEAT_S = 1.0


def platform_log(partitions: int) -> PostgresLog:
    """The log that is the bus."""
    return PostgresLog(SCHEMA, PREFIX, partitions, on_request=True)


class PostgresProducer:
    """Publishes to the log, in transactions of its own; what many callers publish at once shares one."""

    def __init__(self, engine: AsyncEngine, partitions: int, timeout_s: float = 3.0) -> None:
        self._engine = engine
        self._single = HeldConnection(autocommit(engine))
        self._log = platform_log(partitions)
        self._begun: set[Partition] = set()
        self._gatherer = Gatherer(self._write, timeout_s)

    async def start(self) -> None:
        """Nothing to do: connections are made when they are needed."""

    async def stop(self) -> None:
        """Give up what is not yet written."""
        await self._gatherer.stop()
        await self._single.close()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is committed. Raises `BusUnavailableError` within the timeout."""
        await self._gatherer.publish(records)

    async def ready(self) -> bool:
        """Whether the database answers within a second."""
        try:
            async with asyncio.timeout(1), self._engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except DATABASE_ERRORS:
            return False
        return True

    async def _write(self, records: list[Outgoing]) -> None:
        """One statement is a transaction by itself; it is one where all partitions have been written to before."""
        partitions = {self._log.partition(record) for record in records}
        begun = partitions <= self._begun
        async with self._single.connect() if begun else self._engine.begin() as connection:
            await self._log.append(connection, records)
        self._begun |= partitions


class PostgresConsumer:
    """A member of a group that reads one topic of the log.

    Members share the partitions out among themselves by rank (see `GroupMember`). Two of them may believe for a
    moment that they own the same partition; what they write is fenced by `Offsets`.
    """

    def __init__(self, engine: AsyncEngine, group: str, topic: str, member: str, partitions: int) -> None:
        self._engine = engine
        self._asking = autocommit(engine)
        self._reading = HeldConnection(self._asking)
        self._topic = topic
        self._log = platform_log(partitions)
        self._member = GroupMember(SCHEMA, group, topic, member, partitions)
        self._listener = Listener(
            engine,
            (self._log.channel, self._member.channel),
            self._hear,
            self._beat,
            BEAT_S,
        )
        self._retention = Retention(SCHEMA)
        self._positions: dict[Partition, int] = {}
        self._wake = asyncio.Event()
        self._more = True
        """Whether there may be records that nobody will tell of."""
        self._told = False
        """Whether the next writer tells of what it writes: it does once, where a reader has asked for it."""

    async def start(self) -> None:
        """Join the group, in the background: partitions arrive a moment later.

        Raises `BusUnavailableError`; `WrongPartitionsError` when the topic has partitions that nobody would read.
        """
        async with _bounded(), self._asking.connect() as connection:
            heads = await self._log.heads(connection)
        written = 1 + max((number for topic, number in heads if topic == self._topic), default=-1)
        if written > self._log.partitions:
            raise WrongPartitionsError(
                f"topic {self._topic} has {written} partitions, and REGULARS_PARTITIONS is {self._log.partitions}: "
                "the others would not be read"
            )
        self._listener.start()

    async def stop(self) -> None:
        """Leave the group; the others take over at once."""
        await self._listener.stop()
        self._positions.clear()
        await self._reading.close()
        with suppress(*DATABASE_ERRORS):
            async with asyncio.timeout(2), self._engine.begin() as connection:
                await self._member.leave(connection)

    async def origin(self) -> str:
        """Nothing to name: the log lives and dies with the offsets, in the same database."""
        return ""

    def assigned(self) -> frozenset[Partition]:
        """What this member owns, by the last heartbeat."""
        return self._member.assigned

    def waiting(self) -> frozenset[Partition]:
        """Those not yet sought."""
        return self._member.assigned - self._positions.keys()

    async def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets."""
        self._positions |= {each: at for each, at in positions.items() if each in self._member.assigned}
        self._more, self._told = True, False

    async def fetch(self, limit: int, timeout_s: float) -> list[Incoming]:
        """Records as soon as there are any. Raises `BusUnavailableError`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            if self._more or self._wake.is_set():
                self._wake.clear()
                self._more = True  # until one who is told of news has found nothing
                records = await self._read(limit) if self._positions else []
                if records:
                    return records
                self._more = not self._told and await self._ask_to_be_told()
                if self._more and loop.time() < deadline:
                    continue
            patience = min(POLL_S, deadline - loop.time())
            if self.waiting() or patience <= 0:
                return []
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._wake.wait()
                    continue
            self._more = True  # look for what nobody told of

    async def heads(self) -> dict[Partition, int]:
        """Where the assigned partitions end. Raises `BusUnavailableError`."""
        async with _bounded(), self._asking.connect() as connection:
            heads = await self._log.heads(connection)
        return {partition: heads.get(partition, 0) for partition in self.assigned()}

    async def beginnings(self) -> dict[Partition, int]:
        """Where the assigned partitions begin. Raises `BusUnavailableError`."""
        async with _bounded(), self._asking.connect() as connection:
            beginnings = await self._log.beginnings(connection, self._topic)
        return {partition: beginnings.get(partition, 0) for partition in self.assigned()}

    async def ends(self) -> dict[Partition, int]:
        """Where all partitions of the topic end. Raises `BusUnavailableError`."""
        async with _bounded(), self._asking.connect() as connection:
            heads = await self._log.heads(connection)
        return {partition: head for partition, head in heads.items() if partition[0] == self._topic}

    async def report(self, positions: Mapping[Partition, int]) -> None:
        """Keep the group's positions beside the log, with the next heartbeat: records before them may be pruned."""
        self._member.report(positions)

    async def _ask_to_be_told(self) -> bool:
        """Ask for it before a rest, so that one is not woken under load; answer whether to look once more."""
        if not self._positions:
            return False
        asked, self._told = False, True  # before the question: what is heard from now on makes it false again
        try:
            async with _bounded(), self._reading.connect() as connection:
                asked = await self._log.ask_to_be_told(connection, self._positions)
        finally:
            self._told &= asked
        if not asked:
            await asyncio.sleep(WRITER_S)
        return True

    async def _read(self, limit: int) -> list[Incoming]:
        before = dict(self._positions)
        async with _bounded(), self._reading.connect() as connection:
            records = await self._log.read(connection, before, limit)
        if self._positions != before:  # a seek, or a loss of partitions, has come between
            records = [
                each
                for each in records
                if self._positions.get((each.topic, each.partition)) == before[each.topic, each.partition]
            ]
        if records:
            self._positions |= {(each.topic, each.partition): each.offset + 1 for each in records}
            self._rotate((records[-1].topic, records[-1].partition))
        return records

    def _rotate(self, last: Partition) -> None:
        """Read the partition that came last in this batch last in the next one, so that none is starved."""
        order = list(self._positions)
        cut = order.index(last) + 1
        self._positions = {each: self._positions[each] for each in order[cut:] + order[:cut]}

    def _hear(self, channel: str, payload: str) -> None:
        if channel == self._member.channel and self._member.concerns(payload):
            self._listener.nudge()
        elif payload in {self._topic, ""}:
            self._told = False
            self._wake.set()

    async def _beat(self, driver: Any) -> None:
        if await self._member.beat(driver):
            for partition in self._positions.keys() - self._member.assigned:
                del self._positions[partition]
            self._wake.set()
        await self._retention.prune(driver)


@asynccontextmanager
async def _bounded() -> AsyncIterator[None]:
    """Bound a query in time, and give the database's failures the name that the bus has for them."""
    try:
        async with asyncio.timeout(QUERY_TIMEOUT_S):
            yield
    except DATABASE_ERRORS as error:
        raise BusUnavailableError(f"the log cannot be read: {type(error).__name__}") from error
