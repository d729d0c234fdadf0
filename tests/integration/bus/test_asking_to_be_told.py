"""Writers to the log on PostgreSQL tell of it where a reader has asked for that: each rest is asked for, and ended."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.postgres.bus import PostgresConsumer, PostgresProducer, platform_log
from shared.bus.records import Outgoing
from tests.integration.bus.probe import PARTITIONS, eventually, numbered

TOPIC = "probe.topic"


@pytest.fixture(autouse=True)
def nobody_looks_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not told of would be found after a minute."""
    monkeypatch.setattr("shared.bus.postgres.bus.POLL_S", 60)


@pytest.fixture
async def producer(probe: AsyncEngine) -> AsyncIterator[PostgresProducer]:
    producer = PostgresProducer(probe, PARTITIONS)
    yield producer
    await producer.stop()


@pytest.fixture
async def consumer(probe: AsyncEngine, producer: PostgresProducer) -> AsyncIterator[PostgresConsumer]:
    """The only member of its group, at the end of all four partitions."""
    await producer.publish(numbered(TOPIC, 40, keys=40))
    consumer = PostgresConsumer(probe, "probe", TOPIC, "m1", PARTITIONS)
    await consumer.start()
    async with asyncio.timeout(20):
        while not consumer.waiting():
            await consumer.fetch(10, 0.1)
    await consumer.seek(await consumer.heads())
    yield consumer
    await consumer.stop()


async def notified(probe: AsyncEngine, times: list[str]) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection that notes each topic that writers tell of."""
    url = probe.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    await connection.add_listener("platform.log", lambda *heard: times.append(str(heard[-1])))
    return connection


async def _more_than(before: int, times: list[str]) -> bool:
    return len(times) > before


async def test_each_rest_is_ended_by_what_is_written(
    producer: PostgresProducer, consumer: PostgresConsumer
) -> None:
    """Given a reader that rests, again and again; when something is written; then it has it at once."""
    for number in range(5):
        waiting = asyncio.create_task(consumer.fetch(10, 30))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await producer.publish(numbered(TOPIC, 1, first=number))
        async with asyncio.timeout(5):
            assert len(await waiting) == 1


async def test_writers_tell_nobody_who_does_not_rest(
    probe: AsyncEngine, producer: PostgresProducer, consumer: PostgresConsumer
) -> None:
    """Given a reader that comes back before it has found nothing; when more is written; then no notification is sent;
    and when it has rested, one."""
    record = [Outgoing(TOPIC, "one", b"1")]
    times: list[str] = []
    listening = await notified(probe, times)
    try:
        for _ in range(5):
            await producer.publish(record)
            assert await consumer.fetch(10, 5)
        await producer.publish(record)
        assert await consumer.fetch(10, 5)
        told_while_busy = len(times)
        assert await consumer.fetch(10, 0.2) == []
        await producer.publish(record)
        await eventually(lambda: _more_than(told_while_busy, times))
    finally:
        await listening.close()

    assert told_while_busy <= 1, "only the first writer after the reader's arrival may have found it resting"


async def test_a_writer_about_to_commit_holds_nobody_up_and_is_heard_of(
    probe: AsyncEngine, consumer: PostgresConsumer
) -> None:
    """Given a writer that has written and not committed; when a reader would rest; then it is not held up, and has the
    record as soon as the writer commits."""
    async with probe.begin() as writer:
        await platform_log(PARTITIONS).append(writer, [Outgoing(TOPIC, "one", b"1")])
        async with asyncio.timeout(2):
            assert await consumer.fetch(10, 0.3) == []
        waiting = asyncio.create_task(consumer.fetch(10, 30))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    async with asyncio.timeout(5):
        assert len(await waiting) == 1


async def test_whatever_the_moments_nothing_waits_to_be_found(
    probe: AsyncEngine, consumer: PostgresConsumer
) -> None:
    """Given three writers that write at any moment; when a reader rests between; then all of it comes soon."""
    moments = random.Random(7)
    each, writers = 60, 3

    async def write(name: str) -> None:
        producer = PostgresProducer(probe, PARTITIONS)
        for number in range(each):
            await producer.publish([Outgoing(TOPIC, f"{name}-{number}", b"1")])
            await asyncio.sleep(moments.choice((0, 0.002, 0.02)))
        await producer.stop()

    writing = [asyncio.create_task(write(f"w{number}")) for number in range(writers)]
    found = 0
    async with asyncio.timeout(30):
        while found < each * writers:
            found += len(await consumer.fetch(10, 30))
    await asyncio.gather(*writing)

    assert found == each * writers
