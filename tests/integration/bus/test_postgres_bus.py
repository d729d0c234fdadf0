"""The bus on PostgreSQL."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.interface import Consumer, Producer, WrongPartitionsError
from shared.bus.postgres.bus import PostgresConsumer, PostgresProducer
from shared.bus.records import Outgoing
from tests.integration.bus import behaviour
from tests.integration.bus.probe import PARTITIONS, numbered, started
from tests.support.database import TestDatabases


class PostgresBus:
    """The bus in the database of the test."""

    topic = "probe.topic"

    def __init__(self, engine: AsyncEngine, admin_url: str) -> None:
        self._engine = engine
        self._admin_url = admin_url
        self._database = make_url(str(engine.url)).database

    def producer(self) -> Producer:
        return PostgresProducer(self._engine, PARTITIONS)

    def consumer(self, member: str) -> Consumer:
        return PostgresConsumer(self._engine, "probe", self.topic, member, PARTITIONS)

    async def go_away(self) -> None:
        """Nobody may connect, and whoever is connected is thrown out."""
        await self._admin(f"ALTER DATABASE {self._database} ALLOW_CONNECTIONS false")
        await self._admin(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._database}'"
        )

    async def come_back(self) -> None:
        await self._admin(f"ALTER DATABASE {self._database} ALLOW_CONNECTIONS true")

    async def forget(self) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(text("DELETE FROM platform.log_records"))

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture
def bus(probe: AsyncEngine, databases: TestDatabases) -> PostgresBus:
    return PostgresBus(probe, databases.admin_url)


class TestDelivery(behaviour.DeliveryBehaviour):
    pass


class TestRestart(behaviour.RestartBehaviour):
    pass


class TestGroup(behaviour.GroupBehaviour):
    pass


class TestRetention(behaviour.RetentionBehaviour):
    pass


class TestPoison(behaviour.PoisonBehaviour):
    pass


class TestOutage(behaviour.OutageBehaviour):
    pass


async def test_fewer_partitions_than_were_written_are_refused(bus: PostgresBus, probe: AsyncEngine) -> None:
    """Given a topic with four partitions; when the settings say three; then no worker starts."""
    async with started(bus.producer()) as producer:
        await producer.publish(numbered(bus.topic, 40, keys=40))
    fewer = PostgresConsumer(probe, "probe", bus.topic, "a", PARTITIONS - 1)
    with pytest.raises(WrongPartitionsError, match="has 4 partitions, and REGULARS_PARTITIONS is 3"):
        await fewer.start()
    more = PostgresConsumer(probe, "probe", bus.topic, "a", PARTITIONS + 1)
    await more.start()
    await more.stop()


async def test_who_waits_for_partitions_leaves_the_others_their_turn(probe: AsyncEngine) -> None:
    """Given a consumer that owns nothing; when it is told of records; then its fetch does not spin."""
    consumer = PostgresConsumer(probe, "probe", "probe.topic", "m1", PARTITIONS)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    consumer._wake.set()
    assert await consumer.fetch(10, 0.1) == []
    counting.cancel()

    assert turns > 10


async def test_a_read_that_was_cut_off_is_gone_on_with(
    probe: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given records beyond the bytes of one read; when fetched; then all come, without a notification or a poll."""
    monkeypatch.setattr("shared.bus.log.log.READ_BYTES_MAX", 64)
    monkeypatch.setattr("shared.bus.postgres.bus.POLL_S", 60)
    consumer = PostgresConsumer(probe, "probe", "probe.topic", "m1", PARTITIONS)
    await PostgresProducer(probe, PARTITIONS).publish(
        [Outgoing("probe.topic", "one", b"x" * 40) for _ in range(5)]
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            while not consumer.waiting():
                await consumer.fetch(10, 0.1)
            await consumer.seek(dict.fromkeys(consumer.assigned(), 0))
            found = 0
            while found < 5:
                found += len(await consumer.fetch(10, 60))
    finally:
        await consumer.stop()
