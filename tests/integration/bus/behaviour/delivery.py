"""Every record takes effect once, in the order of its key, also after a restart."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.records import Incoming, Outgoing, partition_of
from tests.integration.bus.probe import (
    PARTITIONS,
    Bus,
    Member,
    effects,
    numbered,
    orders_by_key,
    running,
    started,
    until_effects,
    values,
    writes_effects,
)


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
