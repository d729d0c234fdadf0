"""The pace of a worker: steady load is handled in batches, not in crumbs; a backlog and a rest wait for nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shared.bus.batches import READ_BYTES_MAX
from shared.bus.consuming import worker as worker_module
from shared.bus.consuming.worker import StreamWorker
from shared.bus.records import Incoming, Partition
from shared.clock import system_clock

HERE: Partition = ("t", 0)
PACE_S = 0.2
BATCH = 10


class Stream:
    """A consumer of one partition: gives what `arrive` has put there, and waits for more."""

    def __init__(self) -> None:
        self._waiting: list[Incoming] = []
        self._written = 0
        self._something = asyncio.Event()

    def arrive(self, count: int, value: bytes = b"") -> None:
        for _ in range(count):
            self._waiting.append(Incoming("t", 0, self._written, "k", value))
            self._written += 1
        self._something.set()

    async def fetch(self, limit: int, timeout_s: float) -> list[Incoming]:
        try:
            async with asyncio.timeout(timeout_s):
                await self._something.wait()
        except TimeoutError:
            return []
        if self._waiting[0].value:
            limit = 1  # a large one fills a read by itself
        given, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if not self._waiting:
            self._something.clear()
        return given

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def origin(self) -> str:
        return "here"

    def assigned(self) -> frozenset[Partition]:
        return frozenset({HERE})

    def waiting(self) -> frozenset[Partition]:
        return frozenset()

    async def seek(self, positions: Mapping[Partition, int]) -> None: ...

    async def heads(self) -> dict[Partition, int]:
        return {HERE: self._written}

    async def beginnings(self) -> dict[Partition, int]:
        return {HERE: 0}

    async def report(self, positions: Mapping[Partition, int]) -> None: ...


class Offsets:
    """Offsets in memory."""

    def __init__(self) -> None:
        self._at: dict[Partition, int] = {HERE: 0}

    def within(self, origin: str) -> "Offsets":
        return self

    async def claim(self, connection: Any, wanted: Any) -> dict[Partition, Any]:
        return {HERE: SimpleNamespace(epoch=1, position=self._at[HERE])}

    async def move(self, connection: Any, ends: dict[Partition, int], epochs: Any) -> dict[Partition, int]:
        connection.meant.append(lambda: self._at.update(ends))
        return dict(self._at)


class Connection:
    """To nothing; what is `meant` happens with the commit."""

    sync_connection = None

    def __init__(self) -> None:
        self.meant: list[Callable[[], None]] = []

    async def __aexit__(self, *_: object) -> None: ...

    async def close(self) -> None: ...

    def in_transaction(self) -> bool:
        return False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["Connection"]:
        self.meant.clear()
        yield self
        for each in self.meant:
            each()


class Engine:
    """Hands out connections to nothing."""

    pool = None

    async def connect(self) -> Connection:
        return Connection()

    def begin(self) -> Any:
        return Connection().begin()


class Batches:
    """Notes when each batch was handled, and how large it was."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.at: list[float] = []
        self.takes_s = 0.0

    async def __call__(self, connection: Any, records: Sequence[Incoming], now: datetime) -> None:
        self.sizes.append(len(records))
        self.at.append(time.monotonic())
        await asyncio.sleep(self.takes_s)


@pytest.fixture
def batches() -> Batches:
    return Batches()


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture(autouse=True)
async def worker(stream: Stream, batches: Batches) -> AsyncIterator[StreamWorker]:
    """A worker on the stream."""
    stop = asyncio.Event()
    parts: dict[str, Any] = {
        "engine": Engine(),
        "consumer": stream,
        "offsets": Offsets(),
        "dead_letters": None,
        "pace_s": PACE_S,
    }
    worker = StreamWorker(topic="t", handle=batches, clock=system_clock, batch_records=BATCH, **parts)
    task = asyncio.create_task(worker.run(stop))
    await asyncio.sleep(0.05)
    yield worker
    stop.set()
    await task


async def until(batches: Batches, records: int) -> None:
    """Wait until so many records were handled."""
    async with asyncio.timeout(10):
        while sum(batches.sizes) < records:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_steady_load_is_handled_in_batches_that_keep_a_pace(stream: Stream, batches: Batches) -> None:
    """Given records that drip in; then batches begin no sooner than the pace allows, and hold what came meanwhile."""
    for _ in range(8):
        stream.arrive(1)
        await asyncio.sleep(PACE_S / 5)
    await until(batches, 8)

    gaps = [later - earlier for earlier, later in zip(batches.at, batches.at[1:], strict=False)]
    assert min(gaps) >= PACE_S * 0.9
    assert max(batches.sizes[1:]) > 1


async def test_a_batch_that_took_longer_than_the_pace_is_followed_at_once(
    stream: Stream, batches: Batches
) -> None:
    """Given batches that take longer than the pace, and records that come meanwhile; then the next one waits for
    nothing more."""
    batches.takes_s = 1.5 * PACE_S
    for _ in range(12):
        stream.arrive(1)
        await asyncio.sleep(PACE_S / 2)
    await until(batches, 12)

    gaps = [later - earlier for earlier, later in zip(batches.at, batches.at[1:], strict=False)]
    assert min(gaps) < batches.takes_s + PACE_S / 4


async def test_a_backlog_waits_for_no_pace(stream: Stream, batches: Batches) -> None:
    """Given more than many batches hold; then they follow each other at once."""
    began = time.monotonic()
    stream.arrive(12 * BATCH)
    await until(batches, 12 * BATCH)

    assert batches.sizes == [BATCH] * 12
    assert time.monotonic() - began < 6 * PACE_S


async def test_a_backlog_of_large_records_waits_for_no_pace_either(stream: Stream, batches: Batches) -> None:
    """Given more than many reads hold, each of which ends at its bytes with one record; then they follow at once."""
    began = time.monotonic()
    stream.arrive(8, value=bytes(READ_BYTES_MAX))
    await until(batches, 8)

    assert batches.sizes == [1] * 8
    assert time.monotonic() - began < 6 * PACE_S


async def test_what_comes_after_a_rest_is_handled_at_once(stream: Stream, batches: Batches) -> None:
    """Given a worker that has had nothing to do for a while; when a record comes; then it waits for nothing."""
    stream.arrive(1)
    await until(batches, 1)
    await asyncio.sleep(2 * PACE_S)

    began = time.monotonic()
    stream.arrive(1)
    await until(batches, 2)

    assert batches.at[-1] - began < PACE_S / 2


async def test_the_load_follows_what_the_worker_does(
    stream: Stream, batches: Batches, worker: StreamWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given batches that take their time; then the load rises; and it falls again when nothing comes."""
    monkeypatch.setattr(worker_module, "LOAD_S", 0.3)
    monkeypatch.setattr(worker_module, "FETCH_S", 0.05)
    batches.takes_s = 0.1
    assert worker.load == 0

    stream.arrive(10 * BATCH)
    await until(batches, 10 * BATCH)
    busy = worker.load
    async with asyncio.timeout(10):
        while worker.load > 0.1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    assert busy > 0.7
