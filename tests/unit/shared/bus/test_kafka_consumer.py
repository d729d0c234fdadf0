"""What a consumer on Kafka gives, and what it counts as its own, whatever happens between two reads of its client."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException

from shared.bus.batches import READ_BYTES_MAX
from shared.bus.interface import BusUnavailableError
from shared.bus.kafka import consumer as kafka_consumer
from shared.bus.kafka.consumer import SILENT_MAX_S, KafkaConsumer
from shared.settings import Settings

ONE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)

Step = dict[TopicPartition, list[int]] | Exception | Callable[[], None]
"""What a read comes to: offsets of each partition, an error, or something that happens while it waits in vain."""


class Client:
    """An aiokafka consumer whose reads are told beforehand."""

    def __init__(self, value: bytes = b"") -> None:
        self.steps: list[Step] = []
        self.limits: list[int] = []
        self.stopped = False
        self.last_words: Callable[[], None] = lambda: None
        """What still happens while it stops."""
        self._value = value
        self._client = self

    def seek(self, place: TopicPartition, offset: int) -> None: ...

    def resume(self, *places: TopicPartition) -> None: ...

    def pause(self, *places: TopicPartition) -> None: ...

    async def stop(self) -> None:
        self.last_words()
        self.stopped = True

    async def close(self) -> None: ...

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        self.limits.append(max_records)
        step = self.steps.pop(0) if self.steps else {}
        if isinstance(step, Exception):
            raise step
        if not isinstance(step, dict):
            step()
            return {}
        return {
            place: [
                SimpleNamespace(
                    topic=place.topic, partition=place.partition, offset=at, key=b"k", value=self._value
                )
                for at in offsets
            ]
            for place, offsets in step.items()
        }


def consumer_of(client: Client) -> KafkaConsumer:
    """A consumer that has sought both partitions."""
    consumer = KafkaConsumer(Settings(kafka_bootstrap_servers="nowhere:1"), "g", "t", "a")
    consumer._client = client
    consumer._take([ONE, OTHER])
    return consumer


async def fetched(consumer: KafkaConsumer, limit: int = 10) -> list[tuple[int, int]]:
    """Partitions and offsets of a batch."""
    return [(each.partition, each.offset) for each in await consumer.fetch(limit, 0.01)]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(kafka_consumer, "GATHER_MAX_S", 10)  # only what comes may end it
    return Client()


@pytest.fixture
async def consumer(client: Client) -> KafkaConsumer:
    consumer = consumer_of(client)
    await consumer.seek({("t", 0): 0, ("t", 1): 0})
    return consumer


async def test_reads_go_on_until_nothing_more_comes(client: Client, consumer: KafkaConsumer) -> None:
    """Given records that come in crumbs; then they make one batch, in the order of each partition."""
    client.steps = [{ONE: [0]}, {OTHER: [0, 1], ONE: [1]}, {ONE: [2]}, {}, {ONE: [3]}]
    assert await fetched(consumer) == [(0, 0), (1, 0), (1, 1), (0, 1), (0, 2)]


async def test_a_full_batch_ends_the_reads(client: Client, consumer: KafkaConsumer) -> None:
    """Given as many records as a batch may hold after two reads; then there is no third, and no read asks for more than
    there is room for."""
    client.steps = [{ONE: [0, 1, 2]}, {ONE: [3]}, {ONE: [4]}]
    assert await fetched(consumer, limit=4) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert client.limits == [4, 1]


async def test_large_records_end_the_reads(client: Client, consumer: KafkaConsumer) -> None:
    """Given records that are as much as a worker holds at once by their bytes; then no more are asked for."""
    client._value = bytes(READ_BYTES_MAX // 2)
    client.steps = [{ONE: [0]}, {ONE: [1]}, {ONE: [2]}]
    assert await fetched(consumer) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("back", [False, True])
async def test_nothing_is_given_of_partitions_taken_away_between_two_reads(
    client: Client, consumer: KafkaConsumer, back: bool
) -> None:
    """Given a record, and a rebalance before the next read ends, after which the partition may be back; then the record
    is not given: who had the partition meanwhile may have handled it, and more."""

    def rebalance() -> None:
        consumer._lose()
        if back:
            consumer._take([ONE, OTHER])

    client.steps = [{ONE: [0]}, rebalance]
    assert await fetched(consumer) == []
    assert consumer.waiting() == consumer.assigned()


async def test_an_error_after_the_first_read_does_not_cost_what_was_read(
    client: Client, consumer: KafkaConsumer
) -> None:
    """Given a partition that cannot be read, and records of another one before the error; then these are given, as what
    is whole may not wait for what is broken, and the client is left: what else it has read is not known."""
    client.steps = [{ONE: [0, 1]}, CorruptRecordException()]
    assert await fetched(consumer) == [(0, 0), (0, 1)]
    assert client.stopped
    assert consumer.assigned() == frozenset()


async def test_a_client_that_was_left_assigns_nothing(client: Client, consumer: KafkaConsumer) -> None:
    """Given a client that is left after an error, and a rebalance that still ends with it; then nothing counts as
    assigned: whoever waited to claim that from it would never come to join anew."""
    client.steps = [{ONE: [0]}, CorruptRecordException()]
    client.last_words = lambda: consumer._take([ONE, OTHER])
    assert await fetched(consumer) == [(0, 0)]
    assert consumer.assigned() == consumer.waiting() == frozenset()


async def test_a_silent_client_assigns_nothing(client: Client, consumer: KafkaConsumer) -> None:
    """Given a client that has had no answer for long, just when partitions were assigned; then there is nothing to
    claim, which would never end, and the next fetch leaves the client."""
    consumer._take([ONE, OTHER])
    consumer._silent_since = time.monotonic() - SILENT_MAX_S - 1
    assert consumer.assigned() == consumer.waiting() == frozenset()
    with pytest.raises(BusUnavailableError, match="has not answered"):
        await fetched(consumer)
    assert client.stopped


async def test_an_error_at_the_first_read_is_told(client: Client, consumer: KafkaConsumer) -> None:
    """Given a client that fails before it has given anything; then the bus counts as away."""
    client.steps = [CorruptRecordException()]
    with pytest.raises(BusUnavailableError, match="CorruptRecord"):
        await fetched(consumer)
    assert client.stopped
