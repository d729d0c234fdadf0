"""Brings requests that arrive at the same time to the bus together.

One publish is under way at a time; whatever arrives meanwhile goes with the next one. So the order in which requests
were taken is the order on the stream, and the busier it is the fewer round trips an event costs.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from shared.bus.interface import BusUnavailableError
from shared.bus.records import Outgoing

QUEUE_RECORDS_MAX = 20_000
QUEUE_BYTES_MAX = 64 * 1024 * 1024
"""More than this is not kept waiting: the sender is asked to come again."""

PUBLISH_RECORDS_MAX = 5_000
PUBLISH_BYTES_MAX = 8 * 1024 * 1024
"""Of one publish, give or take the last request."""

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]
"""Returns when the records are durable; raises `BusUnavailableError`."""


class QueueFullError(Exception):
    """More waits to be published than may."""


class _Waiting:
    """The records of one request, and where to tell it the outcome."""

    __slots__ = ("bytes", "done", "records")

    def __init__(self, records: Sequence[Outgoing], done: "asyncio.Future[None]") -> None:
        self.records = records
        self.bytes = sum(len(record.value) for record in records)
        self.done = done


class Batcher:
    """A bounded queue in front of the bus, and the task that empties it."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._queue: deque[_Waiting] = deque()
        self._records = 0
        self._bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._run(), name="ingest-batcher")

    async def stop(self) -> None:
        """Publish what waits, then end. Requests that come now are refused."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def submit(self, records: Sequence[Outgoing]) -> None:
        """Return when the records are durable.

        Raises `QueueFullError` without taking them, and what `publish` raises when their fate is unknown.
        """
        waiting = _Waiting(records, asyncio.get_running_loop().create_future())
        full = (
            self._records + len(records) > QUEUE_RECORDS_MAX or self._bytes + waiting.bytes > QUEUE_BYTES_MAX
        )
        if self._stopping or (full and self._queue):
            raise QueueFullError
        self._queue.append(waiting)
        self._records += len(records)
        self._bytes += waiting.bytes
        self._wake.set()
        await waiting.done

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._take()
            if batch:
                await self._publish_batch(batch)

    def _take(self) -> list[_Waiting]:
        """The requests that go together now. Those whose sender has left meanwhile are dropped."""
        batch: list[_Waiting] = []
        records = size = 0
        while self._queue and records < PUBLISH_RECORDS_MAX and size < PUBLISH_BYTES_MAX:
            waiting = self._queue.popleft()
            self._records -= len(waiting.records)
            self._bytes -= waiting.bytes
            if not waiting.done.done():
                batch.append(waiting)
                records += len(waiting.records)
                size += waiting.bytes
        return batch

    async def _publish_batch(self, batch: list[_Waiting]) -> None:
        records = batch[0].records
        if len(batch) > 1:
            records = [record for waiting in batch for record in waiting.records]
        try:
            await self._publish(records)
        except BusUnavailableError as error:
            _tell(batch, error)
        except Exception as error:  # noqa: BLE001  # whatever it is: the sender hears of it, the task goes on
            if len(batch) == 1:
                _tell(batch, error)
                return
            # One request's records may be at fault: the others must not suffer for it.
            for waiting in batch:
                await self._publish_batch([waiting])
        else:
            _tell(batch, None)


def _tell(batch: list[_Waiting], error: Exception | None) -> None:
    for waiting in batch:
        if waiting.done.done():
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)
