"""Two workers after a downtime: nobody is called silent while a sign of life waits for the other one, and each silence
is told once."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from shared.bus.records import Outgoing, partition_of
from shared.bus.wiring import make_consumer, make_producer
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.settings import Settings
from tests.integration.scoring.test_worker import until, working
from tests.integration.scoring.world import PARTITIONS, World
from tests.support.clock import ManualClock
from tests.support.life import moment, order

CUSTOMERS = 24


def placed(name: str, days: float, order_id: str) -> EventRecord:
    """The record of an order of that customer."""
    return order(moment(days), order_id, identifiers={"id": name}).record


async def publish(world: World, settings: Settings, keyed: list[tuple[str, EventRecord]]) -> None:
    """Put records on the stream of events, each under its key."""
    producer = make_producer(settings, world.engine)
    await producer.start()
    await producer.publish([Outgoing(EVENTS_TOPIC, key, encode(record)) for key, record in keyed])
    await producer.stop()


async def take_in(world: World, settings: Settings, clock: ManualClock, records: list[EventRecord]) -> None:
    """What a worker of yesterday has read."""
    await publish(world, settings, [(record.subject, record) for record in records])
    async with working(settings, clock):
        await until(lambda: counted(world, len(records)))


async def counted(world: World, orders: int) -> bool:
    """Whether so many orders were taken in."""
    return await world.rows("SELECT count(*) FROM scoring.orders") == [(orders,)]


async def lapses(world: World) -> list[str]:
    """Who was called lapsed, one entry for each time."""
    told = [one for one in await world.activity() if one.type == "stage.changed"]
    return [one.customer_id for one in told if one.data["to"] == "lapsed"]


async def test_nobody_lapses_while_an_order_waits_for_another_worker(
    world: World, settings: Settings, clock: ManualClock
):
    """Given a customer who ordered on day 0, and on day 95 by an address whose partition belongs to a worker that
    hangs; when the other worker sweeps on day 100; then it tells no lapse; once it has taken the partition over, it
    knows the order, and tells none either, but that of somebody who was silent indeed."""
    clock.set(moment(1))
    await take_in(world, settings, clock, [placed("ana", 0, "a1"), placed("ben", 0, "b1")])
    clock.set(moment(100))
    hung = make_consumer(
        settings.model_copy(update={"worker_port": 2}), world.engine, "scoring", EVENTS_TOPIC
    )
    await hung.start()
    try:
        async with working(settings.model_copy(update={"worker_port": 1}), clock):
            await until(lambda: has(bool(hung.assigned()) and len(hung.assigned()) < PARTITIONS))
            theirs = {number for _, number in hung.assigned()}
            key = next(f"k{n}" for n in range(99) if partition_of(f"k{n}", PARTITIONS) in theirs)
            other = next(f"k{n}" for n in range(99) if partition_of(f"k{n}", PARTITIONS) not in theirs)
            await publish(world, settings, [(key, placed("ana", 95, "a2")), (other, placed("cem", 99, "c1"))])
            await until(lambda: known(world, "c1"))
            for _ in range(30):
                clock.advance(timedelta(seconds=1))
                await asyncio.sleep(0.1)
            assert await lapses(world) == []
            await hung.stop()
            await until(lambda: known(world, "a2"))
            await until(lambda: lapsed(world, clock, 1))
    finally:
        await hung.stop()

    ((ben,),) = await world.rows("SELECT customer_id FROM scoring.orders WHERE order_id = 'b1'")
    assert await lapses(world) == [ben]


async def test_two_workers_tell_each_silence_once_after_a_downtime(
    world: World, settings: Settings, clock: ManualClock
):
    """Given customers of day 0, of whom every other one ordered on day 95 while nothing ran; when two workers start on
    day 100; then each of the silent ones is told as lapsed, once, and none of the others."""
    clock.set(moment(1))
    names = [f"c{number}" for number in range(CUSTOMERS)]
    await take_in(world, settings, clock, [placed(name, 0, f"{name}-1") for name in names])
    clock.set(moment(100))
    back = names[::2]
    await publish(world, settings, [(name, placed(name, 95, f"{name}-2")) for name in back])

    async with AsyncExitStack() as workers:
        for port in (1, 2):
            await workers.enter_async_context(
                working(settings.model_copy(update={"worker_port": port}), clock)
            )
        await until(lambda: lapsed(world, clock, CUSTOMERS // 2))
        for _ in range(10):
            clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.1)

    told = await lapses(world)
    silent = await world.rows("SELECT id FROM scoring.customers WHERE orders = 1")
    assert sorted(told) == sorted(one for (one,) in silent)
    assert len(told) == CUSTOMERS // 2


async def has(answer: bool) -> bool:
    """For `until`."""
    return answer


async def known(world: World, order_id: str) -> bool:
    """Whether an order was taken in."""
    return bool(await world.rows("SELECT 1 FROM scoring.orders WHERE order_id = :id", id=order_id))


async def lapsed(world: World, clock: ManualClock, count: int) -> bool:
    """Whether so many lapses were told; time goes on meanwhile."""
    clock.advance(timedelta(seconds=1))
    return len(await lapses(world)) >= count
