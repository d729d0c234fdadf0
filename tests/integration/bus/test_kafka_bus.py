"""The bus on a real Apache Kafka."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.kafka.server import KafkaServer
from shared.bus.interface import BusUnavailableError, Consumer, Producer, WrongPartitionsError
from shared.bus.kafka import consumer as kafka_consumer
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.producer import KafkaProducer
from shared.bus.records import Incoming, partition_of
from shared.settings import Settings
from tests.integration.bus import behaviour
from tests.integration.bus.probe import (
    PARTITIONS,
    Member,
    eventually,
    numbered,
    running,
    started,
    until_effects,
    writes_effects,
)

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


class KafkaBus:
    """A topic of the test's own on the Kafka that all tests share."""

    def __init__(self, server: KafkaServer) -> None:
        self.topic = f"probe.{uuid.uuid4().hex}"
        self._server = server
        self._settings = Settings(kafka_bootstrap_servers=server.bootstrap_servers, partitions=PARTITIONS)

    def producer(self) -> Producer:
        return KafkaProducer(self._settings, [self.topic])

    def consumer(self, member: str) -> Consumer:
        return KafkaConsumer(self._settings, f"group-{self.topic}", self.topic, member)

    async def go_away(self) -> None:
        """Killed, as by a power cut."""
        await asyncio.to_thread(self._server.kill)

    async def come_back(self) -> None:
        await asyncio.to_thread(self._server.restart)

    async def forget(self) -> None:
        everything = {TopicPartition(self.topic, number): RecordsToDelete(-1) for number in range(PARTITIONS)}
        admin = AIOKafkaAdminClient(bootstrap_servers=self._server.bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_records(everything)
        finally:
            await admin.close()


@pytest.fixture
def bus(probe: AsyncEngine, kafka: KafkaServer) -> KafkaBus:
    return KafkaBus(kafka)


class TestDelivery(behaviour.DeliveryBehaviour):
    async def test_what_came_while_a_batch_was_handled_makes_one_batch(
        self, bus: KafkaBus, probe: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Given a batch that takes a while, and records of every partition that come meanwhile, one by one; then the
        next batch holds them all: what the client had fetched by then does not go first, alone."""
        monkeypatch.setattr(kafka_consumer, "GATHER_S", 0.5)  # on a busy machine, too
        monkeypatch.setattr(kafka_consumer, "GATHER_MAX_S", 2)
        write, sizes, begun, go_on = writes_effects("a"), list[int](), asyncio.Event(), asyncio.Event()

        async def slowly(connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
            await write(connection, records, now)
            sizes.append(len(records))
            begun.set()
            await go_on.wait()

        async with started(bus.producer()) as producer, running(Member(probe, bus, "a", handle=slowly)):
            await producer.publish(numbered(bus.topic, 1))
            async with asyncio.timeout(20):
                await begun.wait()
            for n in range(20):
                await producer.publish(numbered(bus.topic, 1, first=1 + n))
            go_on.set()
            await until_effects(probe, 21)
        assert sizes == [1, 20]


class TestRestart(behaviour.RestartBehaviour):
    pass


class TestGroup(behaviour.GroupBehaviour):
    pass


class TestRetention(behaviour.RetentionBehaviour):
    async def test_what_is_deleted_before_a_running_worker_is_told_and_passed(
        self, bus: KafkaBus, probe: AsyncEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Given a worker that is busy for so long that retention deletes what comes meanwhile; then the loss is told,
        and the worker stands where the partition begins: nothing seems to wait that nobody can read."""
        write, begun, go_on = writes_effects("a"), asyncio.Event(), asyncio.Event()

        async def slowly(connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
            await write(connection, records, now)
            begun.set()
            await go_on.wait()

        member = Member(probe, bus, "a", handle=slowly)
        consumer = member.consumer
        assert isinstance(consumer, KafkaConsumer)
        async with started(bus.producer()) as producer, running(member):
            await producer.publish(numbered(bus.topic, 1, keys=1))
            async with asyncio.timeout(20):
                await begun.wait()
            await producer.publish(numbered(bus.topic, 20, keys=1, first=1))
            await bus.forget()
            here = TopicPartition(bus.topic, partition_of("key-0", PARTITIONS))
            consumer._client.seek(here, 1)  # what it has fetched ahead is forgotten
            go_on.set()

            async def all_passed() -> bool:
                return set(member.worker._positions.values()) == {0, 21}

            await eventually(all_passed, 20)
        assert [
            each.levelname for each in caplog.records if "records 1 to 20 were deleted unread" in each.message
        ] == ["ERROR"]


class TestPoison(behaviour.PoisonBehaviour):
    pass


class TestOutage(behaviour.OutageBehaviour):
    async def test_a_hung_broker_holds_nobody_up(self, bus: KafkaBus, kafka: KafkaServer) -> None:
        """Given a broker that keeps connections open and answers nothing; then publish and stop are bounded in time."""
        producer = bus.producer()
        await producer.start()
        await producer.publish(numbered(bus.topic, 5))
        kafka.pause()
        try:
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(BusUnavailableError):
                    await producer.publish(numbered(bus.topic, 5))
                assert time.monotonic() - began < 5
            assert not await producer.ready()
            began = time.monotonic()
            await producer.stop()
            assert time.monotonic() - began < 15
        finally:
            kafka.resume()

    async def test_a_client_without_an_answer_is_left_for_a_new_one(
        self, bus: KafkaBus, kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Given a consumer that has had no answer for long, and reads nothing; then it says so, and a new client reads
        on: the old one might never notice that Kafka is back."""
        monkeypatch.setattr(kafka_consumer, "QUERY_TIMEOUT_S", 0.3)
        async with started(bus.producer()) as producer, reading(bus) as consumer:
            await producer.publish(numbered(bus.topic, 5))
            assert len(await read(consumer, 5)) == 5
            monkeypatch.setattr(kafka_consumer, "SILENT_MAX_S", 1.0)
            kafka.pause()
            try:
                with pytest.raises(BusUnavailableError, match="has not answered for 1 s"):
                    await reads_nothing(consumer, 20)
            finally:
                kafka.resume()
            monkeypatch.setattr(kafka_consumer, "QUERY_TIMEOUT_S", 5.0)
            await producer.publish(numbered(bus.topic, 5))
            assert len(await read(consumer, 10)) == 10

    async def test_a_client_without_partitions_is_asked_too(
        self, bus: KafkaBus, kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Given a member that has no partition, as where there are more members; when Kafka does not answer; then it
        notices; and once it answers, that is forgotten, and the client kept."""
        async with reading(bus) as consumer:
            assert isinstance(consumer, KafkaConsumer)
            consumer._lose()
            client = consumer._client
            monkeypatch.setattr(kafka_consumer, "SILENT_MAX_S", 1.0)
            monkeypatch.setattr(kafka_consumer, "QUERY_TIMEOUT_S", 0.3)
            kafka.pause()
            try:
                with pytest.raises(BusUnavailableError, match="does not answer"):
                    await consumer.heads()
            finally:
                kafka.resume()
            monkeypatch.setattr(kafka_consumer, "QUERY_TIMEOUT_S", 20.0)
            assert await consumer.heads() == {}
            await asyncio.sleep(1.1)
            assert await consumer.fetch(10, 0.1) == []
            assert consumer._client is client


@asynccontextmanager
async def reading(bus: KafkaBus) -> AsyncIterator[Consumer]:
    """A member of the group, stopped at the end."""
    consumer = bus.consumer("a")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def reads_nothing(consumer: Consumer, timeout_s: float) -> None:
    """Fetch, and look where the partitions end as the watchdog does, until it raises."""
    async with asyncio.timeout(timeout_s):
        while True:
            with suppress(BusUnavailableError):
                await consumer.heads()
            assert await consumer.fetch(10, 0.1) == []


async def read(consumer: Consumer, count: int) -> list[Incoming]:
    """So many records from the beginning, as soon as the consumer has its partitions."""
    records: list[Incoming] = []
    async with asyncio.timeout(30):
        while len(records) < count:
            with suppress(BusUnavailableError):
                await consumer.seek(dict.fromkeys(consumer.waiting(), 0))
                records += await consumer.fetch(count, 0.2)
    return records


class TestTopics:
    async def test_a_missing_topic_is_made_with_the_partitions_of_the_settings(self, bus: KafkaBus) -> None:
        """Given no such topic; when a producer starts; then it exists, and starting again changes nothing."""
        for _ in range(2):
            async with started(bus.producer()) as producer:
                await producer.publish(numbered(bus.topic, 5))

    async def test_another_number_of_partitions_is_refused(self, bus: KafkaBus, kafka: KafkaServer) -> None:
        """Given a topic with four partitions; when the settings say five; then nothing starts: keys would move."""
        async with started(bus.producer()):
            pass
        other = Settings(kafka_bootstrap_servers=kafka.bootstrap_servers, partitions=5)
        with pytest.raises(WrongPartitionsError, match="has 4 partitions"):
            await KafkaProducer(other, [bus.topic]).start()


async def test_a_producer_starts_while_kafka_is_away_and_connects_later(bus: KafkaBus) -> None:
    """Given no Kafka; when a producer starts; then it refuses at once, and works as soon as Kafka is there."""
    await bus.go_away()
    producer = bus.producer()
    try:
        await producer.start()
        with pytest.raises(BusUnavailableError):
            await producer.publish(numbered(bus.topic, 1))
    finally:
        await bus.come_back()
    try:
        await eventually(producer.ready, 30)
        await producer.publish(numbered(bus.topic, 1))
    finally:
        await producer.stop()
