"""The bus on PostgreSQL."""

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.interface import Consumer, Producer, WrongPartitionsError
from shared.bus.postgres_bus import PostgresConsumer, PostgresProducer
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
