"""Members of a group share the partitions, and none can write for one that it has lost."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.progress import Progress
from shared.bus.interface import FencedError
from shared.bus.records import Incoming
from shared.postgres.direct import autocommit
from tests.integration.bus.probe import (
    PARTITIONS,
    Bus,
    Member,
    eventually,
    numbered,
    orders_by_key,
    running,
    started,
    until_effects,
    values,
    writes_effects,
)


async def both_own(first: Member, second: Member) -> None:
    """Return when the two share all partitions between them."""

    async def shared() -> bool:
        one, other = first.consumer.assigned(), second.consumer.assigned()
        settled = not (first.consumer.waiting() or second.consumer.waiting())
        return bool(one and other) and settled and not one & other and len(one | other) == PARTITIONS

    await eventually(shared, 30)


class GroupBehaviour:
    """Members of a group share the partitions, and none can write for a partition that it has lost."""

    async def test_two_members_share_the_partitions(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given two members; when records flow; then each handles its own partitions and nothing is handled twice."""
        first, second = Member(probe, bus, "a"), Member(probe, bus, "b")
        async with started(bus.producer()) as producer, running(first, second):
            await both_own(first, second)
            await producer.publish(numbered(bus.topic, 200, keys=40))
            written = await until_effects(probe, 200)
        assert values(written) == list(range(200))
        assert {each.member for each in written} == {"a", "b"}

    async def test_a_rebalance_under_load_loses_and_doubles_nothing(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given load; when members come, go and die; then every record took effect once, in order per key."""
        first, second, third = (Member(probe, bus, name, batch_records=7) for name in "abc")
        async with started(bus.producer()) as producer:

            async def load() -> None:
                for n in range(80):
                    await producer.publish(numbered(bus.topic, 10, keys=25, first=10 * n))
                    await asyncio.sleep(0.02)

            loading = asyncio.create_task(load())
            async with running(first):
                await until_effects(probe, 30)
                async with running(second):
                    await both_own(first, second)
                    third.start()
                    await until_effects(probe, 200)
                    await third.die()
                await loading
                written = await until_effects(probe, 800, 40)
        assert values(written) == list(range(800))
        assert all(order == sorted(order) for order in orders_by_key(written).values())

    async def test_the_partitions_of_a_member_that_left_are_taken_over(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given two members; when one leaves; then the other handles everything."""
        first, second = Member(probe, bus, "a"), Member(probe, bus, "b")
        async with started(bus.producer()) as producer, running(first):
            async with running(second):
                await both_own(first, second)
            await producer.publish(numbered(bus.topic, 40, keys=20))
            written = await until_effects(probe, 40, 30)
        assert {each.member for each in written} == {"a"}

    async def test_each_member_knows_how_far_all_have_read(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a member that reads, and one that hangs; then to the first nothing is read as long as records wait for
        the second; once that one is gone and its partitions are taken over, all is read."""
        first, now = Member(probe, bus, "a"), datetime(2026, 11, 22, tzinfo=UTC)
        progress = Progress(probe, first.consumer, Offsets("probe"), bus.topic)
        async with started(bus.producer()) as producer, running(first):
            hung = bus.consumer("b")
            await hung.start()
            try:
                await eventually(
                    lambda: _has(hung.assigned() and len(first.consumer.assigned()) < PARTITIONS), 30
                )
                await producer.publish(numbered(bus.topic, 40, keys=20))
                assert {each.partition for each in await until_effects(probe, 1)} < set(range(PARTITIONS))
                for _ in range(5):
                    assert await progress.read_until(now) is None
                    await asyncio.sleep(0.1)
            finally:
                await hung.stop()
            await until_effects(probe, 40, 40)
            assert await progress.read_until(now) == now

    async def test_since_when_nobody_reads_outlives_the_process(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given records that nobody reads, as a member has seen for a minute; when its process is started again; then
        it says at once since when, and which; once they are handled, it says nothing more."""
        idle, now = bus.consumer("a"), datetime(2026, 11, 22, tzinfo=UTC)
        told = []
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 3, keys=1))
            await idle.start()
            try:
                for seconds in (0, 20, 70, 71):
                    if seconds in {0, 71}:  # a process is started
                        progress = Progress(autocommit(probe), idle, Offsets("probe"), bus.topic)
                    await progress.read_until(now + timedelta(seconds=seconds))
                    told.append(progress.trouble)
            finally:
                await idle.stop()
        assert told[:2] == [None, None]
        assert told[2] == told[3]
        assert "has 3 records that nobody has read since 2026-11-22T00:00:00Z" in str(told[2])
        async with running(other := Member(probe, bus, "b")):
            await until_effects(probe, 3, 30)
            progress = Progress(autocommit(probe), other.consumer, Offsets("probe"), bus.topic)
            await progress.read_until(now + timedelta(seconds=80))
            assert progress.trouble is None

    async def test_a_member_that_lost_its_partition_cannot_write(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a batch in the hands of a member; when another claims its partitions; then it cannot begin."""
        offsets = Offsets("probe")
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 10, keys=1))
            late = bus.consumer("late")
            await late.start()
            try:
                await eventually(lambda: _has(late.assigned()), 30)
                async with probe.begin() as connection:
                    claims = await offsets.claim(connection, sorted(late.assigned()))
                await late.seek({each: claim.position for each, claim in claims.items()})
                records: list[Incoming] = []
                while not records:
                    records = await late.fetch(100, 1)
                async with probe.begin() as connection:  # another member takes over meanwhile
                    await offsets.claim(connection, sorted(claims))
                epochs = {each: claim.epoch for each, claim in claims.items()}
                async with probe.begin() as connection:
                    with pytest.raises(FencedError):
                        await offsets.move(connection, dict.fromkeys(epochs, 10), epochs)
            finally:
                await late.stop()

    async def test_a_fenced_worker_drops_its_batch_and_goes_on(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a worker whose partitions are claimed away in the midst of a batch; then nothing is handled twice."""
        offsets = Offsets("probe")
        write = writes_effects("a")
        steal = True

        async def robbed_once(
            connection: AsyncConnection, records: Sequence[Incoming], now: datetime
        ) -> None:
            nonlocal steal
            await write(connection, records, now)
            if steal:
                steal = False
                await connection.rollback()
                async with probe.begin() as thief:
                    await offsets.claim(thief, sorted({(each.topic, each.partition) for each in records}))
                raise FencedError("claimed by another")

        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 20))
            async with running(Member(probe, bus, "a", handle=robbed_once)):
                written = await until_effects(probe, 20)
        assert values(written) == list(range(20))

    async def test_what_was_handled_after_a_backup_is_handled_again(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given a database whose positions and effects are put back while its worker runs, as by a failover to a
        replica that was behind; when the next records come; then those that had been handled meanwhile are handled
        again, before them."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish(numbered(bus.topic, 40, keys=8))
            await until_effects(probe, 40)
            async with probe.begin() as connection:
                await connection.execute(text("UPDATE probe.offsets SET position = position / 2"))
                await connection.execute(
                    text(
                        "DELETE FROM probe.effects e USING probe.offsets o"
                        ' WHERE o.partition = e.partition AND e."offset" >= o.position'
                    )
                )
            await producer.publish(numbered(bus.topic, 40, keys=8, first=40))
            written = await until_effects(probe, 80)
        assert sorted(values(written)) == list(range(80))
        assert orders_by_key(written) == orders_by_key(sorted(written, key=lambda one: int(one.value)))


async def _has(things: frozenset[object] | frozenset[tuple[str, int]]) -> bool:
    return bool(things)
