"""What the bus tests drive the bus with: a little service with effects that can be counted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import BigInteger, Column, Identity, Integer, LargeBinary, MetaData, String, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.consuming.dead_letters import DeadLetters, dead_letter_table
from shared.bus.consuming.offsets import Offsets, offset_table, unread_table
from shared.bus.consuming.worker import Handler, StreamWorker
from shared.bus.interface import Consumer, Producer
from shared.bus.log.log import PostgresLog
from shared.bus.log.tables import log_tables
from shared.bus.records import Incoming, Outgoing
from shared.clock import system_clock

PARTITIONS = 4
POISON = b"poison"

metadata = MetaData(schema="probe")
offset_table(metadata)
unread_table(metadata)
dead_letter_table(metadata)
log_tables(metadata, "outbox")
Table(
    "effects",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("member", String, nullable=False),
    Column("topic", String, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

_WRITE = text("""
    INSERT INTO probe.effects (member, topic, partition, "offset", key, value)
    SELECT :member, topic, partition, "offset", key, value
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]),
                CAST(:keys AS text[]), CAST(:values AS bytea[])) AS r(topic, partition, "offset", key, value)
    """)

PoisonError = type("PoisonError", (ValueError,), {})


class Bus(Protocol):
    """One implementation of the bus, as a test sees it: a topic of its own, and members of one group."""

    topic: str

    def producer(self) -> Producer: ...

    def consumer(self, member: str) -> Consumer: ...

    async def go_away(self) -> None:
        """Make the bus unreachable."""

    async def come_back(self) -> None:
        """Make it reachable again."""

    async def forget(self) -> None:
        """Delete every record, as retention does when all of them are old."""


@dataclass(frozen=True)
class Effect:
    """One row that a handler wrote."""

    member: str
    partition: int
    offset: int
    key: str
    value: bytes


async def create_probe(engine: AsyncEngine) -> None:
    """Make the tables of the little service."""
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA probe"))
        await connection.run_sync(metadata.create_all)


def writes_effects(member: str) -> Handler:
    """A handler that writes every record down, and fails on poison."""

    async def handle(connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
        if any(record.value == POISON for record in records):
            raise PoisonError("this record is poison")
        await connection.execute(
            _WRITE,
            {
                "member": member,
                "topics": [each.topic for each in records],
                "partitions": [each.partition for each in records],
                "offsets": [each.offset for each in records],
                "keys": [each.key for each in records],
                "values": [each.value for each in records],
            },
        )

    return handle


async def effects(engine: AsyncEngine) -> list[Effect]:
    """All effects, in the order in which they were written."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text('SELECT member, partition, "offset", key, value FROM probe.effects ORDER BY id')
        )
        return [Effect(*row) for row in rows]


async def eventually(check: Callable[[], Awaitable[bool]], timeout_s: float = 20.0) -> None:
    """Return as soon as the check holds; fail when it never does."""
    async with asyncio.timeout(timeout_s):
        while not await check():  # noqa: ASYNC110  # it looks at what others do in the database
            await asyncio.sleep(0.02)


async def until_effects(engine: AsyncEngine, count: int, timeout_s: float = 20.0) -> list[Effect]:
    """The effects, once there are so many."""

    async def enough() -> bool:
        return len(await effects(engine)) >= count

    try:
        await eventually(enough, timeout_s)
    except TimeoutError:
        raise AssertionError(f"{len(await effects(engine))} effects instead of {count}") from None
    return await effects(engine)


def numbered(topic: str, count: int, keys: int = 7, first: int = 0) -> list[Outgoing]:
    """Records that say by themselves where in their key's order they belong."""
    return [Outgoing(topic, f"key-{n % keys}", b"%d" % n) for n in range(first, first + count)]


def values(written: Sequence[Effect]) -> list[int]:
    """The numbers of the records that took effect, sorted."""
    return sorted(int(each.value) for each in written)


def orders_by_key(written: Sequence[Effect]) -> dict[str, list[int]]:
    """The numbers in the order in which they took effect, for each key."""
    orders: dict[str, list[int]] = {}
    for each in written:
        orders.setdefault(each.key, []).append(int(each.value))
    return orders


class Member:
    """One running worker of the little service."""

    def __init__(
        self,
        engine: AsyncEngine,
        bus: Bus,
        name: str,
        *,
        handle: Handler | None = None,
        batch_records: int = 100,
    ) -> None:
        self.name = name
        self.consumer = bus.consumer(name)
        self.worker = StreamWorker(
            engine=engine,
            consumer=self.consumer,
            topic=bus.topic,
            offsets=Offsets("probe"),
            dead_letters=DeadLetters("probe"),
            handle=handle or writes_effects(name),
            clock=system_clock,
            batch_records=batch_records,
        )
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> "Member":
        """Begin to consume."""
        self._task = asyncio.create_task(self.worker.run(self._stop))
        return self

    async def stop(self) -> None:
        """Stop in good order."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def die(self) -> None:
        """Stop in the middle of whatever it does: its transaction is rolled back, the record under way unhandled."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        self._task = None


@asynccontextmanager
async def running(*members: Member) -> AsyncIterator[None]:
    """Let members run, and stop them at the end."""
    for member in members:
        member.start()
    try:
        yield
    finally:
        for member in members:
            await member.stop()


@asynccontextmanager
async def started(producer: Producer) -> AsyncIterator[Producer]:
    """A producer that is ready, stopped at the end."""
    await producer.start()
    try:
        await eventually(producer.ready)
        yield producer
    finally:
        await producer.stop()


def outbox_log() -> PostgresLog:
    """The little service's own log."""
    return PostgresLog("probe", "outbox", PARTITIONS)
