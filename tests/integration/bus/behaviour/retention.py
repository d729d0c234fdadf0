"""Records that were deleted before a group has read them: nobody waits for what nobody can read."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.consuming.offsets import Offsets
from shared.bus.consuming.progress import Progress
from shared.bus.interface import BusUnavailableError
from tests.integration.bus.probe import (
    Bus,
    Member,
    effects,
    eventually,
    numbered,
    running,
    started,
    until_effects,
    values,
)


class RetentionBehaviour:
    """A group goes on where the log begins."""

    async def test_what_retention_has_deleted_is_not_waited_for(self, bus: Bus, probe: AsyncEngine) -> None:
        """Given records that were deleted before a group came to read them; when it comes; then it stands where the log
        begins: nothing waits, all counts as read, and what is written next takes effect."""
        now = datetime(2026, 11, 22, tzinfo=UTC)
        member = Member(probe, bus, "a")
        progress = Progress(probe, member.consumer, Offsets("probe"), bus.topic)
        async with started(bus.producer()) as producer:
            await producer.publish(numbered(bus.topic, 40, keys=20))
            await bus.forget()
            async with running(member):

                async def all_read() -> bool:
                    with suppress(BusUnavailableError):  # not connected yet
                        return await progress.read_until(now) == now
                    return False

                await eventually(all_read, 30)
                assert await effects(probe) == []
                member.worker._watchdog.look(
                    await member.consumer.heads(), member.worker._positions, False, 0
                )
                assert member.worker._watchdog.lag == 0
                await producer.publish(numbered(bus.topic, 8, keys=8, first=40))
                assert values(await until_effects(probe, 8)) == list(range(40, 48))

    async def test_a_group_that_came_too_late_goes_on_behind_what_was_deleted(
        self, bus: Bus, probe: AsyncEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Given a group that was away until retention deleted what it had not read; when it is back; then the loss is
        told, and it goes on with what is there."""
        async with started(bus.producer()) as producer:
            async with running(Member(probe, bus, "a")):
                await producer.publish(numbered(bus.topic, 8, keys=1))
                await until_effects(probe, 8)
            await producer.publish(numbered(bus.topic, 5, keys=1, first=8))
            await bus.forget()
            await producer.publish(numbered(bus.topic, 2, keys=1, first=13))
            async with running(Member(probe, bus, "a")):
                written = await until_effects(probe, 10, 30)
        assert values(written) == [*range(8), 13, 14]
        assert [
            each.levelname for each in caplog.records if "records 8 to 12 were deleted unread" in each.message
        ] == ["ERROR"]
