"""A summary of everything is counted by one at a time, and a dear one is given again for a while."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.rewards.entrypoints.summary import LastSummary, Summary


class Counting:
    """Counts what takes so many seconds, and the times it was asked."""

    def __init__(self, cost_s: float) -> None:
        self.cost_s = cost_s
        self.now = 100.0
        self.times = 0
        self.last = LastSummary(self.count, lambda: self.now)

    async def count(self) -> Summary:
        """Takes its time, in which others ask."""
        self.times += 1
        await asyncio.sleep(0)
        self.now += self.cost_s
        return Summary(
            as_of=datetime(2026, 6, 1, tzinfo=UTC),
            points_issued=self.times,
            points_available=0,
            members={},
            offers=0,
            milestone_offers=0,
            campaigns={},
        )


async def test_a_dear_summary_is_given_again_for_ten_times_as_long() -> None:
    """Given a count that takes a second; when many ask at once; then it is counted once for all of them, and again
    when ten seconds are over."""
    counting = Counting(1.0)
    found = await asyncio.gather(*(counting.last.get() for _ in range(20)))
    assert {one.points_issued for one in found} == {1}

    counting.now += 9.9
    assert (await counting.last.get()).points_issued == 1
    counting.now += 0.1
    assert (await counting.last.get()).points_issued == 2


async def test_a_cheap_summary_is_counted_each_time() -> None:
    """Given a count that takes no longer than one waits; when it is asked for again; then it is of that moment."""
    counting = Counting(0.5)
    assert [(await counting.last.get()).points_issued for _ in range(3)] == [1, 2, 3]


async def test_a_count_that_fails_keeps_nobody_from_the_next() -> None:
    """Given a database that is away for a moment; then whoever asks next is answered."""
    counting = Counting(1.0)
    counting.cost_s = 0.0

    async def fail() -> Summary:
        raise ConnectionError

    last = LastSummary(fail, lambda: counting.now)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await last.get()
