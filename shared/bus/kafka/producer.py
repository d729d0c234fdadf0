"""Publishing to Kafka: acknowledged by all replicas, idempotent, bounded in time, and healing by itself."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer

from shared.bus.gather import Gatherer
from shared.bus.interface import BusUnavailableError
from shared.bus.kafka.client import (
    CONNECT_TIMEOUT_S,
    KAFKA_ERRORS,
    MESSAGE_BYTES_MAX,
    REQUEST_TIMEOUT_MS,
    bounded,
    close_quietly,
    connect,
    connection_settings,
    ensure_topics,
    take_note,
)
from shared.bus.records import Outgoing, Partition, partition_of
from shared.settings import Settings

log = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024
RECONNECT_FIRST_S = 0.1
RECONNECT_MAX_S = 2.0
METADATA_TIMEOUT_S = 1.0


class KafkaProducer:
    """Publishes through one aiokafka producer, and makes a new one whenever a publish failed.

    After a failure the old one cannot be trusted: it may have counted sequence numbers that the broker never saw,
    and would be refused for ever. While there is none, `publish` refuses at once, so that callers need not wait
    for a Kafka that is known to be away.
    """

    def __init__(self, settings: Settings, topics: Sequence[str] = (), timeout_s: float = 2.0) -> None:
        self._settings = settings
        self._topics = topics
        self._client: Any = None
        self._retired: list[Any] = []
        self._broken = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._gatherer = Gatherer(self._write, timeout_s)

    async def start(self) -> None:
        """Connect; if Kafka is away, go on trying in the background."""
        if self._keeper is None:
            with suppress(BusUnavailableError):
                await self._connect()
            self._keeper = asyncio.create_task(self._keep_connected(), name="kafka-producer")

    async def stop(self) -> None:
        """Give up what is not yet acknowledged, and disconnect."""
        await self._gatherer.stop()
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._client is not None:
            self._retired.append(self._client)
            self._client = None
        await self._end_retired()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when Kafka has acknowledged every record. Raises `BusUnavailableError` within the timeout."""
        if self._client is None:
            raise BusUnavailableError("Kafka is away")
        await self._gatherer.publish(records)

    async def ready(self) -> bool:
        """Whether Kafka answers within a second."""
        client = self._client
        if client is None:
            return False
        try:
            await bounded(client.client.fetch_all_metadata(), METADATA_TIMEOUT_S)
        except KAFKA_ERRORS:
            return False
        return True

    async def _write(self, records: list[Outgoing]) -> None:
        client = self._client
        if client is None:
            raise BusUnavailableError("Kafka is away")
        try:
            await self._send(client, records)
        except BaseException:
            if self._client is client:
                self._client = None
                self._retired.append(client)
                self._broken.set()
            raise

    async def _send(self, client: Any, records: list[Outgoing]) -> None:
        """Hand over one finished batch per partition (or a few): far cheaper than record by record."""
        slots: dict[Partition, list[Outgoing]] = {}
        partitions = self._settings.partitions
        for record in records:
            slots.setdefault((record.topic, partition_of(record.key, partitions)), []).append(record)
        now_ms = int(time.time() * 1000)
        acknowledged: list[asyncio.Future[Any]] = []
        try:
            for (topic, partition), rows in slots.items():
                batch = client.create_batch()
                for row in rows:
                    key = row.key.encode()
                    if batch.append(key=key, value=row.value, timestamp=now_ms) is None:  # full
                        acknowledged.append(await client.send_batch(batch, topic, partition=partition))
                        batch = client.create_batch()
                        batch.append(key=key, value=row.value, timestamp=now_ms)
                acknowledged.append(await client.send_batch(batch, topic, partition=partition))
            await asyncio.gather(*acknowledged)
        except BaseException:
            for future in acknowledged:
                future.add_done_callback(take_note)
            raise

    async def _keep_connected(self) -> None:
        backoff_s = RECONNECT_FIRST_S
        while True:
            if self._client is not None:
                backoff_s = RECONNECT_FIRST_S
                await self._broken.wait()
                log.warning("the Kafka producer failed and is made anew")
            await self._end_retired()
            try:
                await self._connect()
            except BusUnavailableError as error:
                log.info("no connection to Kafka: %s", error)
            except Exception:
                log.exception("cannot make a Kafka producer")  # whatever it was, the next try may succeed
            else:
                continue
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, RECONNECT_MAX_S)

    async def _end_retired(self) -> None:
        while self._retired:
            await _abandon(self._retired[-1])
            self._retired.pop()  # only now: if this was cancelled, `stop` goes on with it

    async def _connect(self) -> None:
        await ensure_topics(self._settings, self._topics)
        client = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=MESSAGE_BYTES_MAX,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            **connection_settings(self._settings),
        )
        try:
            await connect(client.start, client.client, CONNECT_TIMEOUT_S)
            for topic in self._topics:
                await bounded(client.partitions_for(topic), CONNECT_TIMEOUT_S)
        except KAFKA_ERRORS as error:
            await _abandon(client)
            raise BusUnavailableError(f"Kafka does not answer: {type(error).__name__}") from error
        except BaseException:
            await _abandon(client)
            raise
        self._broken.clear()
        self._client = client


async def _abandon(client: Any) -> None:
    """End an aiokafka producer at once, with whatever it still holds, so that nothing of it arrives later.

    Its own `stop` would first wait for Kafka to take what is pending, perhaps for ever. Hence the look inside.
    """
    held = client._message_accumulator
    for batch in [*held._pending_batches, *(each for queue in held._batches.values() for each in queue)]:
        batch.future.cancel()
    sender = client._sender.sender_task
    if sender is not None:
        sender.cancel()
    await close_quietly(client.client.close)
    await close_quietly(client.stop)
