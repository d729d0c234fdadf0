"""The timed jobs beside the worker's loop, such as the sweep: they work while the stream has been read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.faults import is_transient
from shared.clock import Clock

SWEEP_EVERY_S = 1.0
STEP_MAX_S = 120.0
"""Of one step: beyond it the connection counts as dead. (A statement ends after 60 s by itself.)"""

SKIPPED_MAX = 64
"""So many turns are left out at most after a job has failed again and again by a fault of ours."""

BACKLOG_MAX = 1_000
"""Unread events up to which the sweep trusts what it sees. After a downtime the orders of customers who seem silent
may wait in the stream: nobody is called lapsed before they have been read."""

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
    every_s: float = SWEEP_EVERY_S,
) -> None:
    """Do the jobs every so often until `stop`. `lag` is the number of unread events, None if it is not known.

    A job that fails by a fault of ours is logged and tried again, less and less often: it must stop neither the other
    jobs nor the stream beside them.
    """
    turns = [_Turns(job) for job in jobs]
    while not stop.is_set():
        behind = lag()
        if behind is not None and behind <= BACKLOG_MAX:
            for one in turns:
                await one.take(stop, engine, clock)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


class _Turns:
    """A job, and how many of its turns are left out because it fails."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._failures = 0
        self._skip = 0

    async def take(self, stop: asyncio.Event, engine: AsyncEngine, clock: Clock) -> None:
        """Run through it, unless this turn is left out."""
        if self._skip:
            self._skip -= 1
            return
        try:
            await _run_through(stop, engine, self._job, clock)
        except Exception as error:
            SWEEP_FAILURES.inc()
            if is_transient(error):
                log.warning("sweep_interrupted", reason=type(error).__name__)
                return
            log.exception("sweep_failed", job=type(self._job).__name__)
            self._skip = min(2**self._failures, SKIPPED_MAX)
            self._failures += 1
        else:
            self._failures = 0


async def _run_through(stop: asyncio.Event, engine: AsyncEngine, job: Job, clock: Clock) -> None:
    more = True
    while more and not stop.is_set():
        async with asyncio.timeout(STEP_MAX_S), engine.begin() as connection:
            more = await job(connection, clock())
