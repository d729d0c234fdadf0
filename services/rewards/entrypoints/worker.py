"""The worker of rewards: takes activities, does what time makes due, relays outcomes."""

import asyncio
import random
from collections.abc import Mapping
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.timed import Job, TimedJobs
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.http.health import Check, Degraded
from shared.http.idempotency import PRUNE_BATCH, IdempotencyKeys

JOBS_EVERY_S = 1.0
PRUNE_EVERY_S = 600.0
BACKOFF_MAX_S = 30.0

log = structlog.get_logger()


class Running(Protocol):
    """The stream consumer, or the relay."""

    trouble: str | None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""


class RewardsWorker:
    """Runs the stream consumer, the timed jobs, and on Kafka the relay, until told to stop."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        stream: Running,
        jobs: TimedJobs,
        keys: IdempotencyKeys,
        relay: Running | None,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._jobs = jobs
        self._keys = keys
        self._relay = relay
        self._clock = clock
        self._failing: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What ends early ends the others too, and its error is raised."""
        running = [self._stream.run(stop), self._run_jobs(stop), self._prune(stop)]
        if self._relay is not None:
            running.append(self._relay.run(stop))
        try:
            async with asyncio.TaskGroup() as group:
                for work in running:
                    group.create_task(work)
        finally:
            await self._engine.dispose()

    def checks(self) -> Mapping[str, Check]:
        """For `/readyz`: the database answers, the stream is not held up."""

        async def database() -> str | None:
            async with self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
            return None

        async def stream() -> str | None:
            return f"held up: {self._stream.trouble}" if self._stream.trouble else None

        async def relay() -> str | None:
            trouble = None if self._relay is None else self._relay.trouble
            return Degraded(f"outcomes wait: {trouble}") if trouble else None

        async def jobs() -> str | None:
            failing = ", ".join(f"{name}: {reason}" for name, reason in self._failing.items())
            return Degraded(f"due work fails: {failing}") if failing else None

        return {"database": database, "stream": stream, "relay": relay, "jobs": jobs}

    async def _run_jobs(self, stop: asyncio.Event) -> None:
        """Every job, one after the other; then a short rest.

        A job that fails is tried again, later and later; it holds up neither the other jobs nor the stream, and the
        readiness warns of it.
        """
        pause_s = JOBS_EVERY_S
        while not stop.is_set():
            for name, job in self._jobs.all().items():
                try:
                    await self._do_all(name, job, stop)
                    self._failing.pop(name, None)
                except Exception as error:  # one member's fault must not stop everybody's points
                    self._failing[name] = type(error).__name__
                    if is_transient(error):
                        log.warning("due_work_waits", job=name, reason=type(error).__name__)
                    else:
                        log.error("due_work_failed", job=name, exc_info=error)
            pause_s = min(pause_s * 2, BACKOFF_MAX_S) if self._failing else JOBS_EVERY_S
            await _rest(stop, pause_s * random.uniform(0.8, 1.2))  # noqa: S311  # no secret

    async def _do_all(self, name: str, job: Job, stop: asyncio.Event) -> None:
        """One job until nothing of it is due."""
        done = 1
        while done and not stop.is_set():
            async with self._engine.begin() as connection:
                done = await job(connection, self._clock())
            if done:
                log.info("due_work_done", job=name, members=done)

    async def _prune(self, stop: asyncio.Event) -> None:
        """Forget old idempotency keys."""
        while not stop.is_set():
            try:
                gone = PRUNE_BATCH
                while gone == PRUNE_BATCH and not stop.is_set():
                    async with self._engine.begin() as connection:
                        gone = await self._keys.prune(connection, self._clock())
            except Exception as error:
                if not is_transient(error):
                    raise
            await _rest(stop, PRUNE_EVERY_S)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
