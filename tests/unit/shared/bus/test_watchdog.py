"""The watchdog over a consumer's progress."""

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from shared.bus.consuming.watchdog import Watchdog
from shared.bus.interface import BusUnavailableError, Consumer
from shared.bus.records import Partition

HERE = ("t", 0)


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


def watchdog(bell: Bell) -> Watchdog:
    watching = Watchdog("t", stall_s=60, stalled=bell)
    watching.look({HERE: 10}, {HERE: 5}, failing=False, now_s=1000)
    return watching


class TestLook:
    def test_a_stuck_consumer_is_noticed(self, bell: Bell) -> None:
        """Given records that wait; when nothing moves for over a minute; then the bell rings."""
        watching = watchdog(bell)
        watching.look({HERE: 10}, {HERE: 5}, failing=False, now_s=1060)
        assert bell.rung == 0
        watching.look({HERE: 10}, {HERE: 5}, failing=False, now_s=1061)
        assert bell.rung == 1
        assert watching.lag == 5

    def test_a_slow_consumer_is_left_alone(self, bell: Bell) -> None:
        """Given one record handled each minute; then it moves, and that is enough."""
        watching = watchdog(bell)
        for minute in range(1, 5):
            watching.look({HERE: 10}, {HERE: 5 + minute}, failing=False, now_s=1000 + 59 * minute)
        assert bell.rung == 0

    def test_an_idle_consumer_is_left_alone(self, bell: Bell) -> None:
        """Given nothing to do; then hours may pass."""
        watching = watchdog(bell)
        for hour in range(1, 5):
            watching.look({HERE: 10}, {HERE: 10}, failing=False, now_s=1000 + 3600 * hour)
        assert bell.rung == 0

    def test_a_consumer_that_waits_for_a_fault_to_pass_is_left_alone(self, bell: Bell) -> None:
        """Given a database that is away for an hour; then a new process would not help."""
        watching = watchdog(bell)
        for minute in range(1, 60):
            watching.look({HERE: 10}, {HERE: 5}, failing=True, now_s=1000 + 60 * minute)
        watching.look({HERE: 10}, {HERE: 5}, failing=False, now_s=1000 + 3600)
        assert bell.rung == 0

    def test_a_partition_that_is_never_claimed_is_noticed(self, bell: Bell) -> None:
        """Given an assigned partition that no position is known of; when that lasts; then the bell rings."""
        watching = Watchdog("t", stall_s=60, stalled=bell)
        watching.look({HERE: 0}, {}, failing=False, now_s=1000)
        watching.look({HERE: 0}, {}, failing=False, now_s=1001)
        watching.look({HERE: 0}, {}, failing=False, now_s=1100)
        assert bell.rung == 1


class Failing:
    """A consumer of which it cannot be told where its partitions end."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def heads(self) -> Mapping[Partition, int]:
        if self.errors:
            raise self.errors.pop(0)
        return {}


class TestRun:
    async def test_a_client_beside_itself_is_not_left_unwatched(self, bell: Bell) -> None:
        """Given a bus that is away, then a client that fails as none should; then the bell rings, for the latter."""
        consumer = Failing(BusUnavailableError("away"), BusUnavailableError("away"), KeyError("node"))
        watching = Watchdog("t", look_s=0, stalled=bell)
        async with asyncio.timeout(5):
            await watching.run(cast("Consumer", consumer), dict, lambda: False)
        assert (bell.rung, consumer.errors) == (1, [])
