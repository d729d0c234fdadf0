"""Poison, transient faults, and a bus that is away."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.consuming.dead_letters import DeadLetters
from shared.bus.interface import BusUnavailableError
from shared.bus.records import Incoming, Outgoing
from tests.integration.bus.probe import (
    POISON,
    Bus,
    Member,
    eventually,
    numbered,
    running,
    started,
    until_effects,
    values,
    writes_effects,
)


class PoisonBehaviour:
    """Poison is set aside alone; what passes by itself never is."""

    async def test_poison_is_set_aside_alone_and_the_rest_goes_on(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given two poison records in the midst of others; then they alone are dead letters, in their own places."""
        records = numbered(bus.topic, 100)
        poison = {13, 64}
        records = [
            Outgoing(each.topic, each.key, POISON) if n in poison else each for n, each in enumerate(records)
        ]
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish(records)
            written = await until_effects(probe, 98)
            await eventually(lambda: _dead(probe, 2))
            async with probe.connect() as connection:
                letters = await DeadLetters("probe").list(connection)
        assert values(written) == [n for n in range(100) if n not in poison]
        assert {each.key for each in letters} == {f"key-{n % 7}" for n in poison}
        assert {(each.reason, each.detail, each.value) for each in letters} == {
            ("PoisonError", "this record is poison", POISON)
        }

    async def test_transient_faults_are_waited_out(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a handler that meets a deadlock, a lost connection and an absent bus; then no dead letter arises."""
        write = writes_effects("a")
        faults = [
            "DO $$ BEGIN RAISE deadlock_detected; END $$",
            "DO $$ BEGIN RAISE serialization_failure; END $$",
            "SELECT pg_terminate_backend(pg_backend_pid())",
            "SELECT no_such_column FROM probe.effects",
        ]
        met: list[str] = []

        async def struggles(connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
            await write(connection, records, now)
            if faults:
                met.append(faults.pop(0))
                await connection.execute(text(met[-1]))
            if len(met) == 4:
                met.append("away")
                raise BusUnavailableError("the next stream is away")

        async with (
            started(bus.producer()) as producer,
            running(Member(probe, bus, "a", handle=struggles)),
        ):
            await producer.publish(numbered(bus.topic, 20))
            written = await until_effects(probe, 20)
        assert len(met) == 5
        assert values(written) == list(range(20))
        assert await _dead(probe, 0)

    async def test_a_replayed_dead_letter_is_handled(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a dead letter whose cause was repaired; when it is replayed; then it takes effect, once."""
        letters = DeadLetters("probe")
        broken = True
        write = writes_effects("a")

        async def repaired_later(
            connection: AsyncConnection, records: Sequence[Incoming], now: datetime
        ) -> None:
            if broken and any(each.value == b"7" for each in records):
                raise ValueError("not understood yet")
            await write(connection, records, now)

        async with (
            started(bus.producer()) as producer,
            running(Member(probe, bus, "a", handle=repaired_later)),
        ):
            await producer.publish(numbered(bus.topic, 10))
            await until_effects(probe, 9)
            await eventually(lambda: _dead(probe, 1))
            broken = False
            assert await letters.replay(probe, producer, datetime.now(UTC)) == 1
            assert await letters.replay(probe, producer, datetime.now(UTC)) == 0
            written = await until_effects(probe, 10)
        assert values(written) == list(range(10))
        assert await _dead(probe, 0)


async def _dead(engine: AsyncEngine, count: int) -> bool:
    async with engine.connect() as connection:
        return await DeadLetters("probe").count(connection) == count


class OutageBehaviour:
    """While the bus is away nothing hangs, and when it is back nothing was lost."""

    async def test_publish_is_bounded_in_time_while_the_bus_is_away(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given a producer at work; when the bus goes away; then publish fails within 5 s, and works again later."""
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 5))
            await bus.go_away()
            try:
                for _ in range(3):
                    began = time.monotonic()
                    with pytest.raises(BusUnavailableError):
                        await producer.publish(numbered(bus.topic, 5, first=5))
                    assert time.monotonic() - began < 5
                assert not await producer.ready()
            finally:
                await bus.come_back()
            await eventually(producer.ready, 30)
            await producer.publish(numbered(bus.topic, 5, first=10))

    async def test_a_consumer_goes_on_after_an_outage(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a worker at work; when the bus was away; then it goes on by itself, and nothing was handled twice."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish(numbered(bus.topic, 20))
            await until_effects(probe, 20)
            await bus.go_away()
            await asyncio.sleep(1)
            await bus.come_back()
            await eventually(producer.ready, 30)
            await producer.publish(numbered(bus.topic, 20, first=20))
            written = await until_effects(probe, 40, 60)
        assert values(written) == list(range(40))
