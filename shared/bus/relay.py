"""From a log in PostgreSQL to Kafka: outboxes always, the spool of ingest when Kafka was away."""

import asyncio
import logging
import random

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.batches import is_full
from shared.bus.consuming import metrics
from shared.bus.faults import is_transient
from shared.bus.interface import Producer
from shared.bus.log.log import PostgresLog
from shared.bus.postgres.listener import Listener
from shared.bus.records import Outgoing, Partition
from shared.waiting import rest

log = logging.getLogger(__name__)

POLL_S = 0.5
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0


class Relay:
    """Publishes the records of a log in the order of their partitions, and deletes what Kafka has acknowledged.

    A partition is locked while its records are on their way, so any number of relays may run. A relay that is
    killed in between leaves its records to the next one, which publishes some twice: never one before its time, and
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
                    more = await self.relay_once()
                except Exception as error:
                    if not is_transient(error):
                        raise
                    if self.trouble is None:
                        log.warning("the relay of %s waits: %s", self._log.channel, error)
                    self.trouble = type(error).__name__
                    await rest(stop, backoff_s * random.uniform(0.5, 1))  # noqa: S311  # no secret
                    backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                    continue
                self.trouble, backoff_s = None, BACKOFF_FIRST_S
                if not more:
                    await rest(self._wake, POLL_S)
        finally:
            stopping.cancel()
            await listener.stop()
            await self._producer.stop()

    async def relay_once(self) -> bool:
        """Publish and delete one batch; answer whether more may wait. Raises `BusUnavailableError`."""
        async with self._engine.begin() as connection:
            heads, records = await self._log.take(connection, self._published, self._batch_records)
            ends = {(each.topic, each.partition): each.offset + 1 for each in records}
            if records:
                await self._producer.publish([Outgoing(each.topic, each.key, each.value) for each in records])
                await self._log.delete_below(connection, ends)
        if len(records) < self._batch_records:
            # Where no record was found, another relay has published before what the head promised.
            ends = heads | ends
        self._published |= ends
        metrics.RELAYED.labels(self._log.channel).inc(len(records))
        return is_full(records, self._batch_records)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
