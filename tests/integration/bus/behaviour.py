"""What a bus must do, whatever it is made of. Each implementation inherits these classes."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.dead_letters import DeadLetters
from shared.bus.interface import BusUnavailableError, FencedError
from shared.bus.offsets import Offsets
from shared.bus.records import Incoming, Outgoing, partition_of
from tests.integration.bus.probe import (
    PARTITIONS,
    POISON,
    Bus,
    Effect,
    Member,
    effects,
    eventually,
    numbered,
    running,
    started,
    until_effects,
    writes_effects,
)


def values(written: Sequence[Effect]) -> list[int]:
    """The numbers of the records that took effect, sorted."""
    return sorted(int(each.value) for each in written)


def orders_by_key(written: Sequence[Effect]) -> dict[str, list[int]]:
    """The numbers in the order in which they took effect, for each key."""
    orders: dict[str, list[int]] = {}
    for each in written:
        orders.setdefault(each.key, []).append(int(each.value))
    return orders


async def both_own(first: Member, second: Member) -> None:
    """Return when the two share all partitions between them."""

    async def shared() -> bool:
        one, other = first.consumer.assigned(), second.consumer.assigned()
        settled = not (first.consumer.waiting() or second.consumer.waiting())
        return bool(one and other) and settled and not one & other and len(one | other) == PARTITIONS

    await eventually(shared, 30)


class DeliveryBehaviour:
    """Every record takes effect once, in the order of its key."""

    async def test_records_of_a_key_keep_their_order(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given many publishes; when they are consumed; then each key's records took effect in order, all of them."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            for first in range(0, 300, 30):
                await producer.publish(numbered(bus.topic, 30, first=first))
            written = await until_effects(probe, 300)
        assert values(written) == list(range(300))
        assert all(order == sorted(order) for order in orders_by_key(written).values())

    async def test_records_go_to_the_partition_of_their_key(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given the public rule for keys; when records arrive; then they come from the partitions it names."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish(numbered(bus.topic, 20, keys=20))
            written = await until_effects(probe, 20)
        assert all(each.partition == partition_of(each.key, PARTITIONS) for each in written)
        assert len({each.partition for each in written}) == PARTITIONS

    async def test_concurrent_publishers_lose_nothing(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given fifty publishers at once; when all have returned; then all their records take effect once."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await asyncio.gather(
                *(producer.publish(numbered(bus.topic, 4, first=4 * n)) for n in range(50)),
            )
            written = await until_effects(probe, 200)
        assert values(written) == list(range(200))

    async def test_any_bytes_and_any_key_arrive_as_they_were(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given an empty, a binary and a large value; when they are consumed; then not a byte has changed."""
        sent = {"leer": b"", "ключ 🔑": bytes(range(256)), "large": b"\x00\xff" * 1_500_000}
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish([Outgoing(bus.topic, key, value) for key, value in sent.items()])
            written = await until_effects(probe, 3)
        assert {each.key: each.value for each in written} == sent

    async def test_a_record_is_handled_soon_after_it_was_published(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given an idle consumer; when a record is published; then it does not wait for a poll."""
        async with started(bus.producer()) as producer, running(Member(probe, bus, "a")):
            await producer.publish(numbered(bus.topic, 8))
            await until_effects(probe, 8)
            began = time.monotonic()
            for n in range(10):
                await producer.publish(numbered(bus.topic, 1, first=8 + n))
                await until_effects(probe, 9 + n)
            took_s = time.monotonic() - began
        assert took_s < 10 * 0.4, "each waits for the half second of a poll"


class RestartBehaviour:
    """The position in the service's database is where it goes on."""

    async def test_a_restarted_consumer_goes_on_at_the_stored_offset(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given a consumer that stopped; when another starts; then it handles what is new and nothing twice."""
        async with started(bus.producer()) as producer:
            async with running(Member(probe, bus, "a")):
                await producer.publish(numbered(bus.topic, 50))
                await until_effects(probe, 50)
            await producer.publish(numbered(bus.topic, 50, first=50))
            async with running(Member(probe, bus, "a")):
                written = await until_effects(probe, 100)
                await asyncio.sleep(0.3)
                assert len(await effects(probe)) == 100
        assert values(written) == list(range(100))

    async def test_what_was_not_committed_is_delivered_again(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given a consumer that dies after its effects and before the commit; then a next one repeats the batch."""
        reached = asyncio.Event()
        write = writes_effects("dies")

        async def never_commits(
            connection: AsyncConnection, records: Sequence[Incoming], now: datetime
        ) -> None:
            await write(connection, records, now)
            reached.set()
            await asyncio.sleep(60)

        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 20))
            victim = Member(probe, bus, "a", handle=never_commits).start()
            async with asyncio.timeout(20):
                await reached.wait()
            await victim.die()
            assert await effects(probe) == []
            async with running(Member(probe, bus, "a")):
                written = await until_effects(probe, 20)
        assert values(written) == list(range(20))
        assert all(order == sorted(order) for order in orders_by_key(written).values())

    async def test_the_stored_offset_wins_over_what_the_bus_remembers(
        self, bus: Bus, probe: AsyncEngine
    ) -> None:
        """Given a database put back to an earlier state; when a consumer starts; then it repeats from there."""
        async with started(bus.producer()) as producer:
            async with running(Member(probe, bus, "a")):
                await producer.publish(numbered(bus.topic, 30))
                await until_effects(probe, 30)
            async with probe.begin() as connection:
                await connection.execute(text("DELETE FROM probe.effects"))
                await connection.execute(text("UPDATE probe.offsets SET position = 0"))
            async with running(Member(probe, bus, "a")):
                assert values(await until_effects(probe, 30)) == list(range(30))


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
                        await offsets.lock(connection, epochs)
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


async def _has(things: frozenset[object] | frozenset[tuple[str, int]]) -> bool:
    return bool(things)


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
