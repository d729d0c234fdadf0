"""Jobs beside the stream: the more of its time the stream takes, the longer they rest between their steps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from services.scoring.entrypoints import sweeping
from shared.clock import system_clock

STEP_S = 0.02


class Engine:
    """Hands out nothing, in good order."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        yield None


async def rests(monkeypatch: pytest.MonkeyPatch, load: float) -> list[float]:
    """How long a job of four steps rested after each of the first three, in seconds, and then for its turn."""
    stop, rested = asyncio.Event(), []

    async def rest(_: asyncio.Event, seconds: float) -> None:
        rested.append(seconds)
        if len(rested) == 4:
            stop.set()

    steps = iter([True, True, True, False])

    async def job(connection: Any, now: datetime) -> bool:
        await asyncio.sleep(STEP_S)
        return next(steps)

    monkeypatch.setattr(sweeping, "rest", rest)
    engine: Any = Engine()
    await sweeping.sweep_until(stop, engine, (job,), system_clock, lambda: 0, load=lambda: load, every_s=7)
    return rested


async def test_beside_a_busy_stream_a_job_takes_a_twentieth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a stream that takes all its time; when a job has much to do; then it rests nineteen times as long."""
    *between, turn = await rests(monkeypatch, load=1.0)

    assert all(rest >= 19 * STEP_S * 0.9 for rest in between)
    assert turn == 7


async def test_beside_a_quiet_stream_a_job_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a stream that takes nothing; when a job has much to do; then it rests a quarter of what it works."""
    *between, turn = await rests(monkeypatch, load=0.0)

    assert all(0 < rest < STEP_S for rest in between)
    assert turn == 7
