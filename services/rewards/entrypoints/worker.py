"""The worker of rewards: takes activities, does what time makes due, relays outcomes."""

import asyncio
import random
from collections.abc import Mapping
from typing import Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.timed import TimedJobs
from shared.clock import Clock
from shared.http.health import Check, Degraded
from shared.http.idempotency import PRUNE_BATCH, IdempotencyKeys
from shared.postgres.faults import is_database_away

JOBS_EVERY_S = 1.0
PRUNE_EVERY_S = 600.0
BACKOFF_MAX_S = 5.0

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

        return {"database": database, "stream": stream, "relay": relay}

    async def _run_jobs(self, stop: asyncio.Event) -> None:
        """Each job until nothing is due; then a short rest."""
        failures = 0
        while not stop.is_set():
            try:
                for name, job in self._jobs.all().items():
                    while not stop.is_set():
                        async with self._engine.begin() as connection:
                            done = await job(connection, self._clock())
                        if not done:
                            break
                        log.info("due_work_done", job=name, members=done)
                failures = 0
            except Exception as error:
                if not is_database_away(error):
                    raise
                failures += 1
                log.warning("due_work_waits", reason=type(error).__name__)
            await _rest(stop, min(JOBS_EVERY_S * 2**failures, BACKOFF_MAX_S) * random.uniform(0.8, 1.2))  # noqa: S311

    async def _prune(self, stop: asyncio.Event) -> None:
        """Forget old idempotency keys."""
        while not stop.is_set():
            try:
                gone = PRUNE_BATCH
                while gone == PRUNE_BATCH and not stop.is_set():
                    async with self._engine.begin() as connection:
                        gone = await self._keys.prune(connection, self._clock())
            except Exception as error:
                if not is_database_away(error):
                    raise
            await _rest(stop, PRUNE_EVERY_S)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
