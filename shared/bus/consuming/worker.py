"""The loop of a stream consumer: fetch, handle in one transaction with the offset, set poison aside, go on."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.contextvars import bound_contextvars

from shared.bus.batches import is_full
from shared.bus.consuming import metrics
from shared.bus.consuming.claiming import take_over
from shared.bus.consuming.dead_letters import DeadLetters, detail_of, event_in
from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.pace import PACE_S
from shared.bus.consuming.watchdog import Watchdog
from shared.bus.faults import is_transient
from shared.bus.interface import Consumer, FencedError
from shared.bus.records import Incoming, Partition
from shared.clock import Clock
from shared.postgres.held import HeldConnection
from shared.waiting import rest

log = logging.getLogger(__name__)

Result = TypeVar("Result")

FETCH_S = 0.5
"""The longest that a fetch waits; also how soon a stop is noticed."""

LOAD_S = 2.0
"""Over about so many seconds the load is averaged."""

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 5.0
ATTEMPT_MAX_S = 45.0
"""Of one transaction: beyond it a connection counts as dead, whatever it says, or the batch as too much at once."""

ALONE_MAX_S = 720.0
"""Up to which a record that is tried alone is given twice as long each time that this was not enough."""

FENCED_PAUSE_S = 1.0
"""Before a partition lost to another member is claimed again: by then it is known who owns it."""


class Handler(Protocol):
    """Handles records in the transaction of `connection`, at `now`.

    It may be called again with the same records, or with a part of them, after a transaction that was rolled back.
    What it raises means that a record is poison, unless it is transient (see `faults`).
    """

    async def __call__(
        self, connection: AsyncConnection, records: Sequence[Incoming], now: datetime
    ) -> None: ...


class _TooLongError(Exception):
    """Several records took longer than a transaction may: fewer at once may not."""


class _StoppedError(Exception):
    """The worker was told to stop while it waited to try again."""


class StreamWorker:
    """One consumer of one topic and what it does with the records.

    Each batch is one transaction: the offset rows are locked, checked and moved on, records already handled are
    dropped, the handler writes its effects. So every record takes effect once, whoever dies whenever.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        consumer: Consumer,
        topic: str,
        offsets: Offsets,
        dead_letters: DeadLetters,
        handle: Handler,
        clock: Clock,
        batch_records: int,
        transient: Callable[[BaseException], bool] = is_transient,
        pace_s: float = PACE_S,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.topic = topic
        self._engine = engine
        self._connection = HeldConnection(engine)
        self._consumer = consumer
        self._offsets = offsets
        self._dead_letters = dead_letters
        self._handle = handle
        self._clock = clock
        self._batch_records = batch_records
        self._pace_s = pace_s
        self._transient = transient
        self._watchdog = watchdog or Watchdog(topic)
        self._epochs: dict[Partition, int] = {}
        self._positions: dict[Partition, int] = {}
        self._not_before: dict[Partition, float] = {}
        self._not_sooner = 0.0
        self._alone_s = ATTEMPT_MAX_S
        self._stop = asyncio.Event()
        self.load = 0.0
        """The share of the last seconds spent on batches, 0 to 1: what is left may be used for less urgent work."""
        self.trouble: str | None = None
        """The transient fault that holds the worker up at the moment, for its health check."""

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; the batch under way is finished first."""
        self._stop = stop
        try:
            await self._patiently(self._consumer.start)
        except _StoppedError:
            await self._consumer.stop()
            return
        watching = self._watchdog.run(
            self._consumer, lambda: self._positions, lambda: self.trouble is not None
        )
        guard = asyncio.create_task(watching, name=f"watchdog-{self.topic}")
        try:
            while not stop.is_set():
                await self._step()
        except _StoppedError:
            pass
        finally:
            guard.cancel()
            with suppress(asyncio.CancelledError):
                await guard
            await self._consumer.stop()
            await self._connection.close()

    async def _step(self) -> None:
        """Claim what is new, and handle one batch."""
        began = time.monotonic()
        worked = await self._work()
        took = time.monotonic() - began
        weight = min(1.0, took / LOAD_S)
        self.load += weight * (worked / max(took, worked, 1e-6) - self.load)

    async def _work(self) -> float:
        """Handle one batch; answer for how many seconds."""
        await self._patiently(self._claim)
        await asyncio.sleep(max(0.0, self._not_sooner - time.monotonic()))
        records = await self._patiently(self._fetch)
        if not records:
            return 0.0
        began = time.monotonic()
        try:
            await self._handle_all(records)
        except FencedError as fenced:
            log.info("lost partitions of %s, dropping a batch: %s", self.topic, fenced)
            self._forget({(record.topic, record.partition) for record in records})
        await self._consumer.report(dict(self._positions))
        took = time.monotonic() - began
        full = is_full(records, self._batch_records)
        self._not_sooner = 0.0 if full else began + self._pace_s
        return took

    async def _fetch(self) -> list[Incoming]:
        records = await self._consumer.fetch(self._batch_records, FETCH_S)
        return [record for record in records if (record.topic, record.partition) in self._epochs]

    async def _claim(self) -> None:
        """Take over partitions that were assigned, and go on where whoever had them before has stopped."""
        for gone in self._epochs.keys() - self._consumer.assigned():
            self._drop(gone)
        now = time.monotonic()
        wanted = (self._consumer.waiting() | (self._consumer.assigned() - self._epochs.keys())) - {
            each for each, until in self._not_before.items() if until > now
        }
        if not wanted:
            return
        self._offsets = self._offsets.within(await self._consumer.origin())
        async with asyncio.timeout(ATTEMPT_MAX_S):
            claims = await take_over(self._engine, self._consumer, self._offsets, sorted(wanted))
        for partition, claim in claims.items():
            self._epochs[partition] = claim.epoch
            self._positions[partition] = claim.position
        positions = {partition: claim.position for partition, claim in claims.items()}
        await self._consumer.seek(positions)
        await self._consumer.report(positions)

    def _forget(self, partitions: set[Partition]) -> None:
        """Handle nothing more of these until they have been claimed again."""
        until = time.monotonic() + FENCED_PAUSE_S
        for partition in partitions:
            self._drop(partition)
            self._not_before[partition] = until

    def _drop(self, partition: Partition) -> None:
        self._epochs.pop(partition, None)
        self._positions.pop(partition, None)
        self._watchdog.forget(partition)

    async def _handle_all(self, records: Sequence[Incoming]) -> None:
        """Handle a batch; where it fails for good, halve it until the poison stands alone."""
        try:
            await self._patiently(lambda: self._attempt(records))
        except (FencedError, _StoppedError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a record can cause, it stops here
            if len(records) == 1:
                with bound_contextvars(event_ids=[event_in(records[0].value)]):
                    log.error(
                        "set aside record %d of %s/%d: %s",
                        records[0].offset,
                        self.topic,
                        records[0].partition,
                        type(error).__name__,
                    )
                poison = error
                await self._patiently(lambda: self._set_aside(records[0], poison))
                return
            log.info("a batch of %d of %s failed: %s", len(records), self.topic, type(error).__name__)
            if isinstance(error, _TooLongError):
                self.trouble = TimeoutError.__name__  # until something succeeds: slow is not stuck
            middle = len(records) // 2
            await self._handle_all(records[:middle])
            await self._handle_all(records[middle:])

    async def _attempt(self, records: Sequence[Incoming]) -> None:
        """One transaction: effects and offsets together."""
        began = time.perf_counter()
        alone = len(records) == 1
        bound = asyncio.timeout(self._alone_s if alone else ATTEMPT_MAX_S)
        try:
            async with bound, self._connection.begin() as connection:
                fresh, ends = await self._begin(connection, records)
                if fresh:
                    await self._handle(connection, fresh, self._clock())
        except TimeoutError:
            if bound.expired() and not alone:
                raise _TooLongError(f"{len(records)} records took more than {ATTEMPT_MAX_S} s") from None
            if bound.expired():
                self._alone_s = min(2 * self._alone_s, ALONE_MAX_S)
            raise
        self._alone_s = ATTEMPT_MAX_S
        self._positions |= ends
        metrics.BATCH_SECONDS.labels(self.topic).observe(time.perf_counter() - began)
        metrics.BATCH_RECORDS.labels(self.topic).observe(len(fresh))

    async def _set_aside(self, record: Incoming, error: Exception) -> None:
        async with asyncio.timeout(ATTEMPT_MAX_S), self._engine.begin() as connection:
            fresh, ends = await self._begin(connection, [record])
            if fresh:
                await self._dead_letters.add(connection, record, error, self._clock())
        self._positions |= ends
        metrics.DEAD_LETTERS.labels(self.topic).inc(len(fresh))

    async def _begin(
        self, connection: AsyncConnection, records: Sequence[Incoming]
    ) -> tuple[list[Incoming], dict[Partition, int]]:
        """Lock the offsets and move them on; answer the records not handled before, and where each partition stands
        after them."""
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        if not ends.keys() <= self._epochs.keys():
            raise FencedError(f"no longer claimed: {ends.keys() - self._epochs.keys()}")
        stood = await self._offsets.move(connection, ends, self._epochs)
        if back := sorted(each for each, position in stood.items() if position < self._positions[each]):
            # As a failover leaves them to a replica that was behind: what was handled since then is gone as well.
            log.warning("positions were put back, and records are read again from there: %s", back)
            raise FencedError(f"positions were put back: {back}")
        fresh = [record for record in records if record.offset >= stood[record.topic, record.partition]]
        return fresh, {each: max(end, stood[each]) for each, end in ends.items()}

    async def _patiently(self, action: Callable[[], Awaitable[Result]]) -> Result:
        """Do it, and do it again for as long as transient faults are in the way; never longer than until a stop."""
        backoff_s = BACKOFF_FIRST_S
        while True:
            try:
                result = await action()
            except Exception as error:
                if not self._transient(error):
                    self.trouble = None
                    raise
                if self.trouble is None:
                    log.warning("%s waits: %s: %s", self.topic, type(error).__name__, detail_of(error))
                self.trouble = type(error).__name__
                metrics.RETRIES.labels(self.topic).inc()
            else:
                if self.trouble is not None:
                    log.info("%s goes on", self.topic)
                self.trouble = None
                return result
            await rest(self._stop, backoff_s * random.uniform(0.5, 1))  # noqa: S311  # no secret
            if self._stop.is_set():
                raise _StoppedError
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
