"""PostgreSQL killed and started again under a producer and a worker: they heal without a restart of theirs."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text

from shared.bus.interface import BusUnavailableError, Consumer, Producer
from shared.bus.log.tables import bus_tables
from shared.bus.postgres.bus import PostgresConsumer, PostgresProducer
from shared.bus.records import Outgoing
from shared.postgres.engine import create_engine
from tests.integration.bus.probe import (
    PARTITIONS,
    Member,
    create_probe,
    numbered,
    orders_by_key,
    running,
    started,
    until_effects,
)
from tests.support.stack import Postgres

TOPIC = "probe.topic"


class OneServerBus:
    """The bus and the service in one database of a server that can be killed."""

    topic = TOPIC

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.engine = create_engine(server.url, role=None, pool_size=10, application="regulars-test")

    def producer(self) -> Producer:
        return PostgresProducer(self.engine, PARTITIONS)

    def consumer(self, member: str) -> Consumer:
        return PostgresConsumer(self.engine, "probe", self.topic, member, PARTITIONS)

    async def go_away(self) -> None:
        await self.server.kill()

    async def come_back(self) -> None:
        await self.server.start()


@pytest.fixture
async def bus() -> AsyncIterator[OneServerBus]:
    folder = Path(tempfile.mkdtemp(prefix="regulars-restart-"))
    folder.chmod(0o755)
    (folder / "logs").mkdir()
    server = Postgres(folder / "pg")
    await server.start()
    one = OneServerBus(server)
    try:
        platform = MetaData(schema="platform")
        bus_tables(platform)
        async with one.engine.begin() as connection:
            await connection.execute(text("CREATE SCHEMA platform"))
            await connection.run_sync(platform.create_all)
        await create_probe(one.engine)
        yield one
    finally:
        await one.engine.dispose()
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def publish_patiently(producer: Producer, records: list[Outgoing]) -> None:
    """Publish, and again until it succeeds, as a caller does; repeats are harmless, and counted out below."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await producer.publish(records)
            except BusUnavailableError:
                await asyncio.sleep(0.1)


async def test_a_killed_server_comes_back_and_everything_goes_on(bus: OneServerBus) -> None:
    """Given load; when PostgreSQL is killed twice and comes back; then every record took effect, in order."""
    async with started(bus.producer()) as producer, running(Member(bus.engine, bus, "a", batch_records=20)):

        async def load() -> None:
            for n in range(60):
                await publish_patiently(producer, numbered(TOPIC, 10, first=10 * n))

        loading = asyncio.create_task(load())
        for _ in range(2):
            await asyncio.sleep(0.3)
            await bus.go_away()
            await asyncio.sleep(0.5)
            await bus.come_back()
        await loading
        published = await published_count(bus)
        written = await until_effects(bus.engine, published, 30)
    assert len(written) == published, "a record took effect twice, or not at all"
    assert {int(each.value) for each in written} == set(range(600))
    first_seen = {key: list(dict.fromkeys(order)) for key, order in orders_by_key(written).items()}
    assert all(order == sorted(order) for order in first_seen.values())


async def published_count(bus: OneServerBus) -> int:
    async with bus.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT sum(records) FROM platform.log_records")) or 0)
