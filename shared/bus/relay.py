"""From a log in PostgreSQL to Kafka: outboxes always, the spool of ingest when Kafka was away."""

import asyncio
import logging
import random
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus import metrics
from shared.bus.faults import is_transient
from shared.bus.interface import Producer
from shared.bus.listener import Listener
from shared.bus.log import PostgresLog
from shared.bus.records import Outgoing, Partition, columns

log = logging.getLogger(__name__)

POLL_S = 0.5
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0


class Relay:
    """Publishes the records of a log in the order of their partitions, and deletes what Kafka has acknowledged.

    A partition is locked while its records are on their way, so any number of relays may run. A relay that is
    killed in between leaves its records to the next one, which publishes some twice: never out of order, and
    recognised downstream by their identities.
    """

    def __init__(
        self, engine: AsyncEngine, log: PostgresLog, producer: Producer, *, batch_records: int = 1000
    ) -> None:
        self._engine = engine
        self._log = log
        self._producer = producer
        self._batch_records = batch_records
        self._published: dict[Partition, int] = {}
        self._wake = asyncio.Event()
        # An advisory lock goes with its connection, so that no dead relay can keep a partition.
        self._lock = text("""
            SELECT topic, partition
            FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS w(topic, partition)
            WHERE pg_try_advisory_xact_lock(hashtextextended(:name || ' ' || topic || ' ' || partition, 0))
            """)
        self.trouble: str | None = None
        """The fault that holds the relay up at the moment, for its health check."""

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set; the batch under way is finished first. Starts and stops the producer."""
        listener = Listener(self._engine, (self._log.channel,), lambda _channel, _payload: self._wake.set())
        stopping = asyncio.create_task(self._wake_at(stop))
        await self._producer.start()
        listener.start()
        backoff_s = BACKOFF_FIRST_S
        try:
            while not stop.is_set():
                self._wake.clear()
                try:
                    relayed = await self.relay_once()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    if self.trouble is None:
                        log.warning("the relay of %s waits: %s", self._log.channel, error)
                    self.trouble = type(error).__name__
                    await _pause(stop, backoff_s * random.uniform(0.5, 1))  # noqa: S311  # no secret
                    backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                    continue
                self.trouble, backoff_s = None, BACKOFF_FIRST_S
                if not relayed:
                    await _pause(self._wake, POLL_S)
        finally:
            stopping.cancel()
            await listener.stop()
            await self._producer.stop()

    async def relay_once(self) -> int:
        """Publish and delete one batch; answer how many records it had. Raises `BusUnavailableError`."""
        async with self._engine.begin() as connection:
            heads = await self._log.heads(connection)
            behind = [each for each, head in heads.items() if self._published.get(each, 0) < head]
            if not behind:
                return 0
            locked = await self._lock_free(connection, behind)
            random.shuffle(locked)  # no partition may starve behind a busy one
            records = await self._log.read(
                connection, {each: self._published.get(each, 0) for each in locked}, self._batch_records
            )
            if records:
                await self._producer.publish([Outgoing(each.topic, each.key, each.value) for each in records])
            ends = {(each.topic, each.partition): each.offset + 1 for each in records}
            await self._log.delete_below(connection, ends)
        if len(records) < self._batch_records:
            # What the heads promised has been read, or was published by another relay before.
            ends = {each: heads[each] for each in locked} | ends
        self._published |= ends
        metrics.RELAYED.labels(self._log.channel).inc(len(records))
        return len(records)

    async def _lock_free(self, connection: AsyncConnection, partitions: list[Partition]) -> list[Partition]:
        """Those of the partitions that no other relay is busy with, locked until the transaction ends."""
        topics, numbers = columns(partitions)
        rows = await connection.execute(
            self._lock, {"topics": topics, "partitions": numbers, "name": self._log.channel}
        )
        return [(topic, number) for topic, number in rows]

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()


async def _pause(until: asyncio.Event, seconds: float) -> None:
    """Wait until the event, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
