"""A Kafka that lost what it held, and whoever was reading it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.kafka.server import KafkaServer, free_port
from tests.integration.bus.probe import (
    Member,
    effects,
    eventually,
    numbered,
    running,
    started,
    until_effects,
    values,
)
from tests.integration.bus.test_kafka_bus import KafkaBus

pytestmark = [pytest.mark.kafka, pytest.mark.xdist_group("kafka")]


async def test_an_empty_kafka_in_the_place_of_a_lost_one_is_read_from_its_beginning(
    probe: AsyncEngine, kafka: KafkaServer, tmp_path: Path
) -> None:
    """Given a worker that has read a Kafka; when an empty one takes its place; then none of its records is passed
    over as handled, although their offsets were reached before."""
    port = free_port()
    lost, empty = (KafkaServer(tmp_path / name, port, memory_mb=256) for name in ("lost", "empty"))
    bus = KafkaBus(lost)
    try:
        await asyncio.to_thread(lost.start)
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 40))
        async with running(Member(probe, bus, "a")):
            await until_effects(probe, 40)
        await asyncio.to_thread(lost.kill)
        await asyncio.to_thread(empty.start)
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 40, first=40))
        async with running(Member(probe, bus, "a")):
            written = await until_effects(probe, 80, 30)
    finally:
        for server in (lost, empty):
            await asyncio.to_thread(server.kill)
    assert values(written) == list(range(80))


async def test_a_topic_that_ends_before_what_was_handled_is_not_read(
    probe: AsyncEngine, kafka: KafkaServer
) -> None:
    """Given a position beyond the end of its partition; when a worker claims it; then it says so and handles nothing,
    until somebody has put the position right."""
    bus = KafkaBus(kafka)
    async with started(bus.producer()) as producer:
        await producer.publish(numbered(bus.topic, 20))
        async with running(Member(probe, bus, "a")):
            await until_effects(probe, 20)
        async with probe.begin() as connection:
            await connection.execute(text("UPDATE probe.offsets SET position = position + 100"))
        await producer.publish(numbered(bus.topic, 20, first=20))

        member = Member(probe, bus, "a")
        async with running(member):
            await eventually(lambda: _troubled(member))
            assert len(await effects(probe)) == 20
            async with probe.begin() as connection:
                await connection.execute(text("UPDATE probe.offsets SET position = position - 100"))
            written = await until_effects(probe, 40)
    assert values(written) == list(range(40))


async def _troubled(member: Member) -> bool:
    return member.worker.trouble == "LostRecordsError"
