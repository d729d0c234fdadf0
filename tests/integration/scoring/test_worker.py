"""The worker as a whole: from the stream to profiles and activity, poison set aside, stopped and started."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.scoring.wiring.worker import create_worker
from shared.bus.consuming.progress import Progress
from shared.bus.records import Outgoing
from shared.bus.wiring import make_producer
from shared.clock import Clock
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.http.app import create_app
from shared.settings import Settings
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import moment, order

PATIENCE_S = 20


@asynccontextmanager
async def working(settings: Settings, clock: Clock) -> AsyncIterator[None]:
    """A worker that runs meanwhile, and is stopped gracefully after it."""
    stop = asyncio.Event()
    task = asyncio.create_task(create_worker(settings, clock).run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await task


async def publish(world: World, settings: Settings, *values: bytes, key: str = "p-ana") -> None:
    """Put records on the stream of events."""
    producer = make_producer(settings, world.engine)
    await producer.start()
    await producer.publish([Outgoing(EVENTS_TOPIC, key, value) for value in values])
    await producer.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that is about to be true."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110  # the database has no event for it
            await asyncio.sleep(0.05)


def placed(days: float, order_id: str) -> EventRecord:
    """The record of an order."""
    return order(moment(days), order_id).record


async def test_events_become_profiles_and_activity_across_a_restart(
    world: World, settings: Settings, clock: ManualClock
):
    """Given a worker; when it is stopped, orders come, and another one starts; then each order is counted once."""

    async def told(count: int) -> bool:
        return len([one for one in await world.activity() if one.type == "order.completed"]) >= count

    await publish(world, settings, encode(placed(0, "1")))
    async with working(settings, clock):
        await until(lambda: told(1))
    await publish(world, settings, encode(placed(1, "2")), encode(placed(1, "2")), encode(placed(0, "1")))
    async with working(settings, clock):
        await publish(world, settings, encode(placed(2, "3")))
        await until(lambda: told(3))

    assert await world.rows("SELECT orders FROM scoring.customers") == [(3,)]


async def test_poison_is_set_aside_alone(world: World, settings: Settings, clock: ManualClock):
    """Given a batch with records that are no events; when it is handled; then they are dead letters, and the others
    count."""
    values = [encode(placed(day, str(day))) for day in range(6)]
    await publish(world, settings, *values[:3], b"{not json", *values[3:5], b"{}", values[5])

    async def all_there() -> bool:
        return await world.rows("SELECT orders FROM scoring.customers") == [(6,)]

    async with working(settings, clock):
        await until(all_there)

    letters = await world.rows("SELECT reason, value FROM scoring.dead_letters ORDER BY id")
    assert letters == [("MalformedRecordError", b"{not json"), ("MalformedRecordError", b"{}")]


async def test_the_sweep_runs_beside_once_the_stream_is_read(
    world: World, settings: Settings, clock: ManualClock
):
    """Given an order of long ago; when a worker has read the stream; then it tells that the customer has lapsed."""
    clock.set(moment(100))
    await publish(world, settings, encode(placed(0, "1")))

    async def lapsed() -> bool:
        clock.advance(timedelta(seconds=1))
        return any(one.type == "stage.changed" for one in await world.activity())

    async with working(settings, clock):
        await until(lapsed)


async def test_the_worker_answers_for_its_health(world: World, settings: Settings, clock: ManualClock):
    """Given a worker process's application; when asked; then it is ready, with each part named."""
    worker = create_worker(settings, clock)
    app = create_app(service="scoring-worker", title="t", description="d", health=worker.health())
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://w") as client:
        ready = await client.get("/readyz")
        health = await client.get("/health")
    stop.set()
    await running

    assert ready.status_code == 200
    assert health.json()["checks"].keys() == {"database", "events", "sweeps"}


async def test_a_partition_that_nobody_reads_is_a_warning(
    world: World, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given sweeps that wait for what nobody reads; then health says which partition, and the worker stays ready."""
    nobodys = "partition 3 of regulars.events has 12 records that nobody has read since 2026-11-22T00:00:00Z"
    monkeypatch.setattr(Progress, "trouble", nobodys)
    report = await create_worker(settings, clock).health().report()

    assert report.results["sweeps"] == ("warn", f"wait until all has been read: {nobodys}")
    assert "sweeps" not in report.reasons


async def test_old_idempotency_keys_are_forgotten(world: World, settings: Settings, clock: ManualClock):
    """Given keys of merges and alerts, one of three days ago; when a worker runs; then only the newer one stays."""
    insert = "INSERT INTO scoring.idempotency_keys VALUES ('s', :key, '', 200, '', :at)"
    async with world.engine.begin() as connection:
        for key, age in (("old", timedelta(days=3)), ("new", timedelta(0))):
            await connection.execute(text(insert), {"key": key, "at": clock() - age})

    async def forgotten() -> bool:
        return await world.rows("SELECT key FROM scoring.idempotency_keys") == [("new",)]

    async with working(settings, clock):
        await until(forgotten)
