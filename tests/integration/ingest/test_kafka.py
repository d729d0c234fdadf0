"""Ingest on a real Kafka: straight to it while it is there, through the spool while it is not, never out of order."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.kafka.server import KafkaServer
from services.ingest.main import create_worker
from shared.bus.records import partition_of
from shared.contracts.events import EVENTS_TOPIC
from shared.settings import Settings
from tests.integration.ingest.conftest import Ingest, Start
from tests.support.events import event

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]

PARTITIONS = 4
"""Of the topic, whichever test makes it first."""


@pytest.fixture
def on_kafka(settings: Settings, kafka: KafkaServer) -> Settings:
    """Settings with the streams on Kafka."""
    return settings.model_copy(
        update={"kafka_bootstrap_servers": kafka.bootstrap_servers, "partitions": PARTITIONS}
    )


class Sender:
    """Sends events that can be told from those of other tests on the same Kafka."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self.source = uuid.uuid4().hex
        self.sent: dict[str, list[int]] = {}
        self._number = 0

    async def send(self, count: int = 1, customers: int = 3) -> float:
        """Send one batch; it must be accepted. The seconds that it took."""
        batch = []
        for _ in range(count):
            self._number += 1
            customer = f"{self.source}-{self._number % customers}"
            self.sent.setdefault(customer, []).append(self._number)
            who = {"id": customer}
            batch.append(event("x.count", id=str(self._number), customer=who, who=customer, n=self._number))
        started = time.monotonic()
        answer = await self._ingest.post([each | {"source": self.source} for each in batch])
        assert answer.status_code == 202, answer.text
        return time.monotonic() - started


async def read_back(settings: Settings, source: str, until: Callable[[list[Any]], bool]) -> list[Any]:
    """The events of one source on Kafka, partition after partition, once `until` says that they are all there."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(EVENTS_TOPIC, number) for number in range(PARTITIONS)])
        found: list[Any] = []
        deadline = time.monotonic() + 30
        while not until(found):
            assert time.monotonic() < deadline, f"{len(found)} events arrived"
            batches = await consumer.getmany(timeout_ms=200)
            for partition, messages in batches.items():
                for message in messages:
                    record = json.loads(message.value)
                    if record["source"] == source:
                        assert partition.partition == partition_of(message.key.decode(), PARTITIONS)
                        found.append(record)
        return found
    finally:
        await consumer.stop()


def numbers_by_customer(records: list[Any]) -> dict[str, list[int]]:
    """In the order in which each customer's events lie on Kafka, each at its first appearance."""
    seen: dict[str, list[int]] = {}
    for record in records:
        numbers = seen.setdefault(record["data"]["who"], [])
        if record["data"]["n"] not in numbers:
            numbers.append(record["data"]["n"])
    return seen


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[None]:
    """The worker of ingest, running."""
    stop = asyncio.Event()
    running = asyncio.create_task(create_worker(settings).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 15)


async def until_direct(ingest: Ingest) -> None:
    """Return when events no longer go to the spool."""
    for _ in range(200):
        health = (await ingest.client.get("/metrics")).text
        if "regulars_ingest_spooling 0.0" in health and not await ingest.log("ingest", "spool"):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("still spooling")


async def test_events_go_straight_to_kafka(start: Start, on_kafka: Settings) -> None:
    """Given Kafka; when events are posted; then they are on it, in order per customer, and the spool stays empty."""
    async with start(on_kafka) as ingest:
        sender = Sender(ingest)
        for _ in range(5):
            await sender.send(20)

        assert await ingest.log("ingest", "spool") == []
        records = await read_back(on_kafka, sender.source, lambda found: len(found) >= 100)
    assert numbers_by_customer(records) == sender.sent


@pytest.mark.parametrize("trouble", ["killed", "paused"])
async def test_kafka_away_and_back(
    start: Start, on_kafka: Settings, kafka: KafkaServer, trouble: str
) -> None:
    """Given Kafka killed or hung under way; then every event is accepted within 5 s, none is lost, and each
    customer's events are on Kafka in their order once it is back."""
    async with start(on_kafka) as ingest, worker(on_kafka):
        sender = Sender(ingest)
        await sender.send(10)
        if trouble == "killed":
            kafka.kill()
        else:
            kafka.pause()
        try:
            assert await sender.send(10) < 5
            for _ in range(5):
                assert await sender.send(10) < 1
            assert len(await ingest.log("ingest", "spool")) >= 60
        finally:
            if trouble == "killed":
                await asyncio.to_thread(kafka.start)
            else:
                kafka.resume()
        for _ in range(20):  # some overtake if they can: while the spool is emptied, and when it just was
            await sender.send(1)
            await asyncio.sleep(0.05)
        await until_direct(ingest)
        await sender.send(10)

        total = sum(map(len, sender.sent.values()))
        records = await read_back(
            on_kafka, sender.source, lambda found: len({each["id"] for each in found}) >= total
        )
        assert await ingest.log("ingest", "spool") == []
    assert numbers_by_customer(records) == sender.sent
