"""How far a group has read: a moment is reached when all that was there at it has been handled."""

import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from shared.bus.consuming.offsets import Stand
from shared.bus.consuming.progress import FRESH_S, Progress
from shared.bus.records import Partition

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
SLOW, NOBODYS = ("t", 0), ("t", 1)


def moment(seconds: int) -> datetime:
    """So long after the beginning."""
    return BEGIN + timedelta(seconds=seconds)


class Group:
    """A topic with its ends, and the positions of a group, which a test moves by hand."""

    def __init__(self) -> None:
        self.cluster = ""
        self.looks = 0
        self.written: dict[Partition, int] = {}
        self.handled: dict[Partition, int] = {}
        self.noted: dict[Partition, Stand] = {}
        self.progress = self.another()

    def another(self) -> Progress:
        """What a process that has just been started sees."""
        return Progress(self, self, self, "t")  # type: ignore[arg-type]

    async def origin(self) -> str:
        return self.cluster

    async def ends(self) -> dict[Partition, int]:
        return dict(self.written)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[None]:
        yield None

    def within(self, origin: str) -> "Group":
        return self

    async def positions(self, connection: Any, topic: str) -> Mapping[Partition, int]:
        self.looks += 1
        return dict(self.handled)

    async def unread(self, connection: Any, topic: str) -> Mapping[Partition, Stand]:
        return dict(self.noted)

    async def note_unread(self, connection: Any, stands: Mapping[Partition, Stand]) -> None:
        self.noted |= stands


async def test_a_topic_without_records_has_been_read() -> None:
    """Given nothing written; then all has been read until now."""
    assert await Group().progress.read_until(moment(5)) == moment(5)


async def test_a_partition_that_nobody_reads_is_waited_for() -> None:
    """Given a record in a partition that was never claimed; then no moment is reached until it has been handled."""
    group = Group()
    group.written = {("t", 0): 9, NOBODYS: 1}
    group.handled = {("t", 0): 9}

    assert [await group.progress.read_until(moment(second)) for second in range(3)] == [None, None, None]

    group.handled[NOBODYS] = 1
    assert await group.progress.read_until(moment(3)) == moment(3)


async def test_a_stream_that_never_rests_is_read_until_the_last_mark() -> None:
    """Given records that never cease; then what is reached is the moment of the mark that was passed."""
    group = Group()
    reached = []
    for second in range(6):
        group.written = {("t", 0): 10 * second + 10}
        group.handled = {("t", 0): 10 * second}  # what was written a second ago
        reached.append(await group.progress.read_until(moment(second)))

    assert reached == [None, *(moment(second) for second in range(5))]


async def test_another_cluster_begins_anew() -> None:
    """Given a moment reached; when the records come from another cluster; then it says nothing about that."""
    group = Group()
    assert await group.progress.read_until(moment(1)) == moment(1)
    group.cluster, group.written = "kafka:other", {("t", 0): 1}

    assert await group.progress.read_until(moment(2)) is None


async def test_what_a_clock_reached_that_was_ahead_says_nothing_once_it_is_put_back() -> None:
    """Given all read by a clock an hour ahead; when it is put back, and a record waits; then no moment is reached until
    that has been handled."""
    group = Group()
    assert await group.progress.read_until(moment(3600)) == moment(3600)
    group.written = {("t", 0): 1}

    assert [await group.progress.read_until(moment(second)) for second in (0, 1)] == [None, None]

    group.handled = {("t", 0): 1}
    assert await group.progress.read_until(moment(2)) == moment(2)


async def test_a_partition_that_nobody_reads_is_told_of_with_when_it_began() -> None:
    """Given records in a partition that nobody claimed, and in one that is read, slowly; when a minute has passed; then
    the one is told, in the log once, and shown with how long it waits, until somebody reads it; the other never is."""
    group, caught = Group(), logging.getLogger("shared.bus.consuming.progress")
    group.written = {("t", 0): 900, NOBODYS: 2}
    with patch.object(caught, "warning") as warned:
        for second in range(0, 130, 10):
            group.handled[SLOW] = second
            await group.progress.read_until(moment(second))
            if second < 60:
                assert group.progress.trouble is None
        assert warned.call_count == 1

    expected = "partition 1 of t has 2 records that nobody has read since 2026-11-22T00:00:00Z"
    assert group.progress.trouble == expected
    assert _shown(NOBODYS) == 120
    assert _shown(SLOW) == 0

    group.handled |= {NOBODYS: 1}
    await group.progress.read_until(moment(140))
    assert (group.progress.trouble, _shown(NOBODYS)) == (None, 0)

    group.handled = dict(group.written)
    await group.progress.read_until(moment(150))
    assert [_shown(NOBODYS), _shown(SLOW)] == [None, None]


async def test_a_process_that_is_started_again_goes_on_counting() -> None:
    """Given records that nobody has read for a minute; when the process that saw it is started again; then it tells at
    once since when, in the log too; but of a partition where something has been handled meanwhile it knows nothing."""
    group, caught = Group(), logging.getLogger("shared.bus.consuming.progress")
    group.written = {SLOW: 900, NOBODYS: 2}
    for second in range(0, 70, 10):
        await group.progress.read_until(moment(second))
    group.handled = {SLOW: 1}

    again = group.another()
    with patch.object(caught, "warning") as warned:
        await again.read_until(moment(75))
        await again.read_until(moment(85))

    assert warned.call_count == 1
    assert again.trouble == "partition 1 of t has 2 records that nobody has read since 2026-11-22T00:00:00Z"
    assert (_shown(NOBODYS), _shown(SLOW)) == (85, 10)


async def test_what_is_read_in_time_is_noted_nowhere() -> None:
    """Given partitions of which something is handled every few seconds, though more waits; then nothing is written."""
    group = Group()
    group.written = {SLOW: 900}
    for second in range(0, 60, 5):
        group.handled = {SLOW: second}
        await group.progress.read_until(moment(second))
    assert group.noted == {}


async def test_what_waits_is_not_blamed_for_a_clock_that_jumped() -> None:
    """Given a partition with a record that waits; when the clock is put back; then it waits since then, as far as is
    known, and not since a moment that is still to come."""
    group = Group()
    group.written = {NOBODYS: 1}
    for second in (3600, 10, 69):
        await group.progress.read_until(moment(second))
    assert group.progress.trouble is None
    await group.progress.read_until(moment(70))
    assert (
        group.progress.trouble
        == "partition 1 of t has 1 records that nobody has read since 2026-11-22T00:00:10Z"
    )


async def test_many_who_ask_at_once_cost_one_look() -> None:
    """Given all read; when ten jobs ask within half a second; then positions are asked once, and again afterwards; what
    is answered meanwhile is not later than what was reached."""
    group = Group()
    for tenth in range(4):
        assert await group.progress.read_until(BEGIN + timedelta(milliseconds=100 * tenth)) == BEGIN
    assert group.looks == 1
    assert await group.progress.read_until(moment(1)) == moment(1)
    assert group.looks == 2
    group.written = {NOBODYS: 1}
    for tenth in range(20, 24):
        assert await group.progress.read_until(BEGIN + timedelta(milliseconds=100 * tenth)) == moment(1)
    assert group.looks == 3


async def test_a_clock_that_stands_still_is_no_reason_not_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a moment reached; when that much time has passed, though not by the clock that is asked; then it is looked
    again."""
    group = Group()
    await group.progress.read_until(moment(0))
    passed = time.monotonic() + FRESH_S + 1
    monkeypatch.setattr("shared.bus.consuming.progress.time.monotonic", lambda: passed)
    await group.progress.read_until(moment(0))
    assert group.looks == 2


def _shown(partition: Partition) -> float | None:
    labels = {"topic": partition[0], "partition": str(partition[1])}
    return REGISTRY.get_sample_value("regulars_partition_unread_seconds", labels)


STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)), max_size=30
)


@given(STEPS)
async def test_whatever_was_written_by_a_moment_that_is_reached_has_been_handled(
    steps: list[tuple[int, int, int, int]],
) -> None:
    """Given records written to two partitions and handled in any rhythm; then no moment is called reached while a
    record that was there at it waits, and moments never go back."""
    group = Group()
    written_at: dict[datetime, dict[Partition, int]] = {}
    last = datetime.min.replace(tzinfo=UTC)
    for second, (one, other, took_one, took_other) in enumerate(steps):
        for number, (more, took) in enumerate(((one, took_one), (other, took_other))):
            place = ("t", number)
            group.written[place] = group.written.get(place, 0) + more
            group.handled[place] = min(group.handled.get(place, 0) + took, group.written[place])
        written_at[moment(second)] = dict(group.written)

        reached = await group.progress.read_until(moment(second))

        if reached is None:
            continue
        assert reached >= last
        last = reached
        assert all(group.handled[place] >= end for place, end in written_at[reached].items())
