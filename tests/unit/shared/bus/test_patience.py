"""Batches that take longer than a transaction may: smaller ones are tried, and a record alone is given more time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from shared.bus.consuming import worker as worker_module
from shared.bus.consuming.worker import StreamWorker
from shared.bus.records import Incoming
from shared.clock import system_clock
from tests.unit.shared.bus.test_pace import Engine, Offsets, Stream

LIMIT_S = 0.05


class Slow:
    """A handler that takes so many seconds, by the records; notes those that it came to an end with."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self.handled: list[int] = []
        self.attempts: list[int] = []
        self.troubles: list[str | None] = []
        self.worker: StreamWorker | None = None
        self._seconds = seconds

    async def __call__(self, connection: Any, records: Sequence[Incoming], now: datetime) -> None:
        assert self.worker is not None
        self.attempts.append(len(records))
        self.troubles.append(self.worker.trouble)
        await asyncio.sleep(self._seconds(len(records)))
        self.handled += [record.offset for record in records]


@asynccontextmanager
async def working(handle: Slow, records: int) -> AsyncIterator[StreamWorker]:
    """A worker with so many records before it."""
    stream, stop = Stream(), asyncio.Event()
    stream.arrive(records)
    parts: dict[str, Any] = {
        "engine": Engine(),
        "consumer": stream,
        "offsets": Offsets(),
        "dead_letters": None,
    }
    handle.worker = StreamWorker(topic="t", handle=handle, clock=system_clock, batch_records=100, **parts)
    task = asyncio.create_task(handle.worker.run(stop))
    try:
        yield handle.worker
    finally:
        stop.set()
        await task


async def until_handled(handle: Slow, records: int) -> None:
    """Wait until so many records were handled."""
    async with asyncio.timeout(10):
        while len(handle.handled) < records:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "ATTEMPT_MAX_S", LIMIT_S)


async def test_a_batch_that_takes_too_long_is_halved_until_it_does_not() -> None:
    """Given records of which eight at once take longer than a transaction may; then they are handled two by two, in
    order, each once, and meanwhile the worker says that it is held up, so that nobody takes it for stuck."""
    handle = Slow(lambda records: 60 if records > 2 else 0)
    async with working(handle, 8) as worker:
        await until_handled(handle, 8)
        await asyncio.sleep(0)
        assert worker.trouble is None

    assert handle.handled == list(range(8))
    assert handle.attempts == [8, 4, 2, 2, 4, 2, 2]
    assert (handle.troubles[0], handle.troubles[1]) == (None, "TimeoutError")


async def test_a_record_that_takes_long_by_itself_is_given_more_and_more_time() -> None:
    """Given one record that takes three times as long as a transaction may; then it is handled all the same, and is no
    dead letter."""
    handle = Slow(lambda records: 3 * LIMIT_S)
    async with working(handle, 1):
        await until_handled(handle, 1)

    assert handle.handled == [0]
    assert len(handle.attempts) == 3
