"""The timed jobs of the worker: whatever befalls one of them, they go on, and the stream beside them too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from services.scoring.entrypoints import sweeping
from services.scoring.entrypoints.sweeping import sweep_until
from shared.clock import system_clock

Step = Callable[[], Awaitable[bool]]


class Engine:
    """Hands out nothing, in good order."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        yield None


class Job:
    """Does what it is told for each turn, the last for ever; notes how often it was called."""

    def __init__(self, *turns: Step) -> None:
        self.calls = 0
        self._turns = turns

    async def __call__(self, connection: Any, now: datetime) -> bool:
        turn = self._turns[min(self.calls, len(self._turns) - 1)]
        self.calls += 1
        return await turn()


async def nothing() -> bool:
    """There was nothing to do."""
    return False


async def hang() -> bool:
    """The connection is dead, and nobody says so."""
    await asyncio.sleep(3600)
    return False


async def fail() -> bool:
    """A fault of ours."""
    raise AssertionError("a customer that cannot be assessed")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "STEP_MAX_S", 0.05)


async def swept(*jobs: Job, until: Job, calls: int) -> None:
    """Let the jobs run until one of them was called so often."""
    stop, engine = asyncio.Event(), Engine()
    task = asyncio.create_task(
        sweep_until(stop, engine, jobs, system_clock, lambda: 0, load=lambda: 0.0, every_s=0.01)  # type: ignore[arg-type]
    )
    try:
        async with asyncio.timeout(5):
            while until.calls < calls and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    finally:
        stop.set()
        await task


async def test_a_step_that_hangs_is_given_up_and_the_next_one_works() -> None:
    """Given a job whose connection is dead; then its step is given up, and later ones work."""
    job = Job(hang, nothing)
    await swept(job, until=job, calls=3)


async def test_a_job_that_fails_stops_neither_the_others_nor_the_worker() -> None:
    """Given a job that always fails by a fault of ours; then the one after it still works, again and again, and nothing
    is raised that would end the stream beside them."""
    broken, other = Job(fail), Job(nothing)
    await swept(broken, other, until=other, calls=8)

    assert broken.calls >= 3


async def test_a_failing_job_is_tried_less_and_less_often() -> None:
    """Given a job that always fails; then the pauses before it grow."""
    broken, other = Job(fail), Job(nothing)
    await swept(broken, other, until=other, calls=20)

    assert 3 <= broken.calls <= 6


async def test_a_job_with_more_to_do_goes_on_at_once() -> None:
    """Given a job with three steps; then all are taken without a pause."""

    async def more() -> bool:
        return True

    job = Job(more, more, nothing)
    stop = asyncio.Event()
    task = asyncio.create_task(
        sweep_until(stop, Engine(), (job,), system_clock, lambda: 0, load=lambda: 0.0, every_s=60)  # type: ignore[arg-type]
    )
    await asyncio.sleep(0.05)
    stop.set()
    await task

    assert job.calls == 3
