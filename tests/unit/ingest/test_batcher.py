"""Requests share publishes; order is kept; a full queue says so."""

import asyncio
from collections.abc import Sequence

import pytest

from services.ingest.application import batcher as module
from services.ingest.application.batcher import Batcher, QueueFullError
from shared.bus.interface import BusUnavailableError
from shared.bus.records import Outgoing


def record(number: int) -> Outgoing:
    """A record that can be told from others."""
    return Outgoing("topic", "key", str(number).encode())


class Bus:
    """Notes what is published; each publish waits until it is let go."""

    def __init__(self) -> None:
        self.published: list[list[bytes]] = []
        self.gate = asyncio.Event()
        self.fails: Exception | None = None
        self.poison: bytes | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """One publish."""
        await self.gate.wait()
        values = [each.value for each in records]
        if self.poison in values:
            raise ValueError("poison")
        if self.fails is not None:
            raise self.fails
        self.published.append(values)


async def until_idle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_arrives_during_a_publish_goes_together_next() -> None:
    """Given a publish under way; when five requests arrive; then they share the next one, in order."""
    bus = Bus()
    batcher = Batcher(bus.publish)
    batcher.start()
    first = asyncio.create_task(batcher.submit([record(0)]))
    await until_idle()

    others = [asyncio.create_task(batcher.submit([record(2 * n + 1), record(2 * n + 2)])) for n in range(5)]
    await until_idle()
    bus.gate.set()
    await asyncio.gather(first, *others)

    assert bus.published == [[b"0"], [str(n).encode() for n in range(1, 11)]]
    await batcher.stop()


async def test_no_request_returns_before_its_records_are_durable() -> None:
    """Given a publish that does not end; then its request does not return."""
    bus = Bus()
    batcher = Batcher(bus.publish)
    batcher.start()
    waiting = asyncio.create_task(batcher.submit([record(0)]))
    await until_idle()

    assert not waiting.done()
    bus.gate.set()
    await waiting
    await batcher.stop()


async def test_bus_away_is_told_to_all_and_the_next_has_its_own_chance() -> None:
    """Given a bus that is away; then every request of the batch hears of it; and once it is back others succeed."""
    bus = Bus()
    bus.fails = BusUnavailableError("away")
    bus.gate.set()
    batcher = Batcher(bus.publish)
    batcher.start()

    results = await asyncio.gather(*(batcher.submit([record(n)]) for n in range(3)), return_exceptions=True)
    bus.fails = None
    await batcher.submit([record(9)])

    assert [type(result) for result in results] == [BusUnavailableError] * 3
    assert bus.published == [[b"9"]]
    await batcher.stop()


async def test_records_of_one_request_cannot_spoil_those_of_others() -> None:
    """Given one request whose records cannot be published; then only that one fails."""
    bus = Bus()
    bus.poison = b"1"
    batcher = Batcher(bus.publish)
    requests = [asyncio.create_task(batcher.submit([record(n)])) for n in range(3)]
    await until_idle()
    batcher.start()
    bus.gate.set()

    results = await asyncio.gather(*requests, return_exceptions=True)

    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert bus.published == [[b"0"], [b"2"]]
    await batcher.stop()


async def test_full_queue_refuses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as much waiting as may; when one more request arrives; then it is refused and nothing of it taken."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 3)
    bus = Bus()
    batcher = Batcher(bus.publish)
    batcher.start()
    under_way = asyncio.create_task(batcher.submit([record(0)]))
    await until_idle()
    waiting = asyncio.create_task(batcher.submit([record(1), record(2)]))
    await until_idle()

    with pytest.raises(QueueFullError):
        await batcher.submit([record(3), record(4)])

    bus.gate.set()
    await asyncio.gather(under_way, waiting)
    assert bus.published == [[b"0"], [b"1", b"2"]]
    await batcher.submit([record(5)])
    await batcher.stop()


async def test_request_larger_than_the_queue_is_taken_when_it_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given an empty queue; when a request larger than the queue arrives; then it is taken, or it never could be."""
    monkeypatch.setattr(module, "QUEUE_RECORDS_MAX", 1)
    bus = Bus()
    bus.gate.set()
    batcher = Batcher(bus.publish)
    batcher.start()

    await batcher.submit([record(1), record(2)])

    assert bus.published == [[b"1", b"2"]]
    await batcher.stop()


async def test_request_that_was_given_up_is_not_published() -> None:
    """Given a request that waits; when its sender leaves; then its records are not published and others are."""
    bus = Bus()
    batcher = Batcher(bus.publish)
    batcher.start()
    first = asyncio.create_task(batcher.submit([record(0)]))
    await until_idle()
    gone = asyncio.create_task(batcher.submit([record(1)]))
    stays = asyncio.create_task(batcher.submit([record(2)]))
    await until_idle()

    gone.cancel()
    bus.gate.set()
    await asyncio.gather(first, stays)

    assert bus.published == [[b"0"], [b"2"]]
    await batcher.stop()


async def test_stopping_publishes_what_waits_and_refuses_what_comes() -> None:
    """Given requests that wait; when the batcher stops; then they are published and later ones refused."""
    bus = Bus()
    batcher = Batcher(bus.publish)
    requests = [asyncio.create_task(batcher.submit([record(n)])) for n in range(3)]
    await until_idle()
    batcher.start()
    stopping = asyncio.create_task(batcher.stop())
    bus.gate.set()
    await stopping
    await asyncio.gather(*requests)

    assert sum(len(batch) for batch in bus.published) == 3
    with pytest.raises(QueueFullError):
        await batcher.submit([record(9)])


async def test_publishes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given more waiting than one publish takes; then it takes several."""
    monkeypatch.setattr(module, "PUBLISH_RECORDS_MAX", 4)
    bus = Bus()
    batcher = Batcher(bus.publish)
    requests = [asyncio.create_task(batcher.submit([record(n), record(n)])) for n in range(5)]
    await until_idle()
    batcher.start()
    bus.gate.set()
    await asyncio.gather(*requests)

    assert [len(batch) for batch in bus.published] == [4, 4, 2]
    await batcher.stop()
