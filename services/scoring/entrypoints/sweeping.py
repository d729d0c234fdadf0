"""The timed jobs beside the worker's loop, such as the sweep: they work while the stream has been read."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.consuming.progress import ReadUntil, whenever
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.waiting import rest

SWEEP_EVERY_S = 1.0
STEP_MAX_S = 120.0
"""Of one step: beyond it the connection counts as dead. (A statement ends after 60 s by itself.)"""

SKIPPED_MAX = 64
"""So many turns are left out at most after a job has failed again and again by a fault of ours."""

BACKLOG_MAX = 1_000
"""Unread events up to which the stream spares the jobs some time."""

SHARE_MIN = 0.05
SHARE_MAX = 0.8
"""Of the time, for the steps of these jobs beside a stream that takes all of it, and beside one that takes none. In
between it falls steeply: the process shares the machine with others, who need theirs when the stream does."""

SWEEP_FAILURES = Counter(
    "regulars_sweep_failures_total", "Timed jobs that the database or a fault interrupted."
)

Job = Callable[[AsyncConnection, datetime], Awaitable[bool]]
"""One step within a transaction, which answers whether there may be more to do at once."""

log = structlog.get_logger()


async def sweep_until(
    stop: asyncio.Event,
    engine: AsyncEngine,
    jobs: Sequence[Job],
    clock: Clock,
    lag: Callable[[], int | None],
    *,
    load: Callable[[], float],
    read_until: ReadUntil = whenever,
    every_s: float = SWEEP_EVERY_S,
) -> None:
    """Do the jobs every so often until `stop`.

    Their time is what `read_until` answers: after a downtime the orders of customers who seem silent may wait in the
    stream, also in a partition of another worker, and nobody is called lapsed before they have been read.

    `lag` is the number of unread events, None if it is not known; `load` the share of its time that the stream takes:
    the more, the longer a job that has much to do rests between its steps. A job that fails by a fault of ours is
    logged and tried again, less and less often: it must stop neither the other jobs nor the stream beside them.
    """
    turns = [_Turns(job, load, read_until) for job in jobs]
    while not stop.is_set():
        behind = lag()
        if behind is not None and behind <= BACKLOG_MAX:
            for one in turns:
                await one.take(stop, engine, clock)
        await rest(stop, every_s)


class _Turns:
    """A job, and how many of its turns are left out because it fails."""

    def __init__(self, job: Job, load: Callable[[], float], read_until: ReadUntil) -> None:
        self._job = job
        self._read_until = read_until
        self._load = load
        self._skip = self._skip_before = 0

    async def take(self, stop: asyncio.Event, engine: AsyncEngine, clock: Clock) -> None:
        """Run through it, unless this turn is left out."""
        if self._skip:
            self._skip -= 1
            return
        try:
            await self._run_through(stop, engine, clock)
        except Exception as error:
            SWEEP_FAILURES.inc()
            if is_transient(error):
                log.warning("sweep_interrupted", reason=type(error).__name__)
                return
            log.exception("sweep_failed", job=type(self._job).__name__)
            self._skip = min(2 * self._skip_before + 1, SKIPPED_MAX)
            self._skip_before = self._skip
        else:
            self._skip_before = 0

    async def _run_through(self, stop: asyncio.Event, engine: AsyncEngine, clock: Clock) -> None:
        while not stop.is_set():
            began = time.monotonic()
            async with asyncio.timeout(STEP_MAX_S):
                now = await self._read_until(clock())
                if now is None:
                    return
                async with engine.begin() as connection:
                    if not await self._job(connection, now):
                        return
            share = max(SHARE_MIN, SHARE_MAX * (1 - self._load()) ** 3)
            await rest(stop, (time.monotonic() - began) * (1 - share) / share)
