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
BACKLOG_MAX = 1_000
"""Unread events up to which the sweep trusts what it sees. After a downtime the orders of customers who seem silent
may wait in the stream: nobody is called lapsed before they have been read."""

SWEEP_FAILURES = Counter("regulars_sweep_failures_total", "Sweeps that the database interrupted.")

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
    """Do the jobs every so often until `stop`. `lag` is the number of unread events, None if it is not known."""
    while not stop.is_set():
        behind = lag()
        if behind is not None and behind <= BACKLOG_MAX:
            try:
                for job in jobs:
                    await _run_through(stop, engine, job, clock)
            except Exception as error:
                if not is_transient(error):
                    raise
                SWEEP_FAILURES.inc()
                log.warning("sweep_interrupted", reason=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def _run_through(stop: asyncio.Event, engine: AsyncEngine, job: Job, clock: Clock) -> None:
    more = True
    while more and not stop.is_set():
        async with engine.begin() as connection:
            more = await job(connection, clock())
