"""The relay, from an outbox in PostgreSQL to a bus: here to the one on PostgreSQL, and to Kafka under fire."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.kafka.server import KafkaServer
from shared.bus.interface import BusUnavailableError, Producer
from shared.bus.kafka.producer import KafkaProducer
from shared.bus.postgres.bus import PostgresProducer, platform_log
from shared.bus.records import Incoming, Outgoing
from shared.bus.relay import Relay
from shared.settings import Settings
from tests.integration.bus.probe import (
    PARTITIONS,
    Member,
    eventually,
    numbered,
    outbox_log,
    running,
    until_effects,
)
from tests.integration.bus.test_kafka_bus import KafkaBus

TOPIC = "probe.topic"


class StumblingProducer:
    """A real producer that now and then fails after the fact, as when the acknowledgement is lost."""

    def __init__(self, inner: Producer, fails_at: set[int]) -> None:
        self._inner = inner
        self._fails_at = fails_at
        self._calls = 0

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def ready(self) -> bool:
        return await self._inner.ready()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        await self._inner.publish(records)
        self._calls += 1
        if self._calls in self._fails_at:
            raise BusUnavailableError("the acknowledgement was lost")


async def write_outbox(engine: AsyncEngine, records: list[Outgoing]) -> None:
    async with engine.begin() as connection:
        await outbox_log().append(connection, records)


async def outbox_empty(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return await outbox_log().is_empty(connection)


async def published(engine: AsyncEngine) -> list[Incoming]:
    async with engine.connect() as connection:
        places = {(TOPIC, number): 0 for number in range(PARTITIONS)}
        return await platform_log(PARTITIONS).read(connection, places, 10_000)


def orders(records: Sequence[Incoming]) -> dict[str, list[int]]:
    """By key, the numbers of the records in the order in which each was first seen."""
    seen: dict[str, list[int]] = {}
    for record in records:
        numbers = seen.setdefault(record.key, [])
        if int(record.value) not in numbers:
            numbers.append(int(record.value))
    return seen


def relay(engine: AsyncEngine, producer: Producer, batch_records: int = 20) -> Relay:
    return Relay(engine, outbox_log(), producer, batch_records=batch_records)


class TestRelay:
    async def test_publishes_in_order_and_forgets_what_was_published(self, probe: AsyncEngine) -> None:
        """Given an outbox with records; when a relay runs; then all are published in order, and it is empty."""
        for first in range(0, 200, 50):
            await write_outbox(probe, numbered(TOPIC, 50, first=first))
        stop = asyncio.Event()
        task = asyncio.create_task(relay(probe, PostgresProducer(probe, PARTITIONS)).run(stop))
        await eventually(lambda: outbox_empty(probe))
        await write_outbox(probe, numbered(TOPIC, 50, first=200))
        await eventually(lambda: outbox_empty(probe))
        stop.set()
        await task
        records = await published(probe)
        assert sorted(int(each.value) for each in records) == list(range(250))
        assert all(order == sorted(order) for order in orders(records).values())

    async def test_two_relays_publish_nothing_twice(self, probe: AsyncEngine) -> None:
        """Given two relays on one outbox; when records come in; then each is published once, in order."""
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(relay(probe, PostgresProducer(probe, PARTITIONS)).run(stop)) for _ in range(2)
        ]
        for first in range(0, 400, 20):
            await write_outbox(probe, numbered(TOPIC, 20, keys=11, first=first))
        await eventually(lambda: outbox_empty(probe))
        stop.set()
        await asyncio.gather(*tasks)
        records = await published(probe)
        assert sorted(int(each.value) for each in records) == list(range(400))
        assert all(order == sorted(order) for order in orders(records).values())

    async def test_a_lost_acknowledgement_repeats_and_loses_nothing(self, probe: AsyncEngine) -> None:
        """Given publishes whose outcome is unknown; then the records come again, and never in another order."""
        await write_outbox(probe, numbered(TOPIC, 100))
        stop = asyncio.Event()
        producer = StumblingProducer(PostgresProducer(probe, PARTITIONS), fails_at={1, 3, 4})
        task = asyncio.create_task(relay(probe, producer).run(stop))
        await eventually(lambda: outbox_empty(probe))
        stop.set()
        await task
        records = await published(probe)
        assert len(records) > 100
        assert {int(each.value) for each in records} == set(range(100))
        assert all(order == sorted(order) for order in orders(records).values())

    async def test_a_relay_that_is_killed_leaves_its_records_to_the_next(self, probe: AsyncEngine) -> None:
        """Given a relay that dies between publishing and deleting; then the next one takes the same records."""
        await write_outbox(probe, numbered(TOPIC, 40))
        published_some = asyncio.Event()

        class HangingProducer(StumblingProducer):
            async def publish(self, records: Sequence[Outgoing]) -> None:
                await super().publish(records)
                published_some.set()
                await asyncio.sleep(60)

        victim = asyncio.create_task(
            relay(probe, HangingProducer(PostgresProducer(probe, PARTITIONS), set())).run(asyncio.Event())
        )
        async with asyncio.timeout(10):
            await published_some.wait()
        victim.cancel()
        await asyncio.wait([victim])
        stop = asyncio.Event()
        task = asyncio.create_task(relay(probe, PostgresProducer(probe, PARTITIONS)).run(stop))
        await eventually(lambda: outbox_empty(probe))
        stop.set()
        await task
        records = await published(probe)
        assert {int(each.value) for each in records} == set(range(40))
        assert all(order == sorted(order) for order in orders(records).values())


@pytest.mark.kafka
@pytest.mark.xdist_group("kafka")
class TestRelayToKafka:
    async def test_kafka_killed_in_the_midst_loses_nothing(
        self, probe: AsyncEngine, kafka: KafkaServer
    ) -> None:
        """Given a relay at work; when Kafka is killed and comes back; then all arrives, in order of each key."""
        settings = Settings(kafka_bootstrap_servers=kafka.bootstrap_servers, partitions=PARTITIONS)
        bus = KafkaBus(kafka)
        stop = asyncio.Event()
        member = Member(probe, bus, f"m-{uuid.uuid4().hex}")
        task = asyncio.create_task(relay(probe, KafkaProducer(settings, [bus.topic])).run(stop))
        async with running(member):
            await write_outbox(probe, numbered(bus.topic, 100))
            await until_effects(probe, 50)
            await bus.go_away()
            await write_outbox(probe, numbered(bus.topic, 100, first=100))
            await asyncio.sleep(0.5)
            assert not await outbox_empty(probe)
            await bus.come_back()
            await write_outbox(probe, numbered(bus.topic, 100, first=200))
            await eventually(lambda: outbox_empty(probe), 60)
            written = await until_effects(probe, 300, 60)
        stop.set()
        await task
        seen: dict[str, list[int]] = {}
        for each in written:
            numbers = seen.setdefault(each.key, [])
            if int(each.value) not in numbers:
                numbers.append(int(each.value))
        assert sorted(n for numbers in seen.values() for n in numbers) == list(range(300))
        assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_the_outbox_is_written_by_the_transaction_or_not_at_all(probe: AsyncEngine) -> None:
    """Given a transaction that is rolled back; then its outgoing records never existed."""
    async with probe.connect() as connection:
        await outbox_log().append(connection, [Outgoing(TOPIC, "k", b"1")])
        await connection.rollback()
    assert await outbox_empty(probe)
