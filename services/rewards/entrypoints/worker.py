"""The worker of rewards: takes activities, does what time makes due, relays outcomes."""

import asyncio
from collections.abc import Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.adapters.activities import PostgresActivities
from services.rewards.application.timed import TimedJobs
from services.rewards.entrypoints.due_work import DueWork
from shared.bus.faults import is_transient
from shared.bus.progress import Progress
from shared.clock import Clock
from shared.http.health import Check, Degraded, database_answers
from shared.http.idempotency import IdempotencyKeys
from shared.program.period import Period
from shared.waiting import rest

FORGET_EVERY_S = 600.0
UTC_ZONE = ZoneInfo("UTC")

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
        progress: Progress,
        activities: PostgresActivities,
        program: Check,
        history_months: int,
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._due = DueWork(engine, jobs, clock, progress.read_until)
        self._progress = progress
        self._keys = keys
        self._relay = relay
        self._clock = clock
        self._activities = activities
        self._program = program
        self._history = Period(months=history_months)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What ends early ends the others too, and its error is raised."""
        running = [
            self._stream.run(stop),
            self._due.run(stop),
            self._keys.prune_until(stop, self._engine, self._clock),
            self._forget(stop),
        ]
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

        async def stream() -> str | None:
            return f"held up: {self._stream.trouble}" if self._stream.trouble else None

        async def relay() -> str | None:
            trouble = None if self._relay is None else self._relay.trouble
            return Degraded(f"outcomes wait: {trouble}") if trouble else None

        async def jobs() -> str | None:
            trouble = self._due.trouble
            return Degraded(f"due work fails: {trouble}") if trouble else None

        async def sweeps() -> str | None:
            trouble = self._progress.trouble
            return Degraded(f"campaigns wait until all has been read: {trouble}") if trouble else None

        return {
            "database": database_answers(self._engine),
            "program": self._program,
            "stream": stream,
            "relay": relay,
            "jobs": jobs,
            "sweeps": sweeps,
        }

    async def _forget(self, stop: asyncio.Event) -> None:
        """Forget the months of history that are kept no longer."""
        while not stop.is_set():
            try:
                async with self._engine.begin() as connection:
                    before = self._history.before(self._clock(), UTC_ZONE)
                    if dropped := await self._activities.drop_months(connection, before):
                        log.info("history_forgotten", months=dropped)
            except Exception as error:
                if not is_transient(error):
                    raise
            await rest(stop, FORGET_EVERY_S)
