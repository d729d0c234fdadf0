"""The worker of rewards: takes activities, does what time makes due, relays outcomes."""

import asyncio
from collections.abc import Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.application.campaigns.forgetting import ForgetRuns
from services.rewards.application.points.booking import KeepBooks
from services.rewards.application.timed import TimedJobs
from services.rewards.entrypoints.due_work import DueWork, passes
from shared.bus.consuming.progress import Progress
from shared.clock import Clock
from shared.http.health import Check, Degraded, database_answers
from shared.http.idempotency import IdempotencyKeys
from shared.program.values.period import Period
from shared.waiting import rest

FORGET_EVERY_S = 600.0
FORGET_PAUSE_S = 0.1
"""Between two batches: after a long downtime, too, others come first."""
BOOKS_EVERY_S = 10.0
"""Reports add what is not booked yet themselves: some thousand rows under load."""
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
        books: KeepBooks,
        keys: IdempotencyKeys,
        relay: Running | None,
        clock: Clock,
        progress: Progress,
        activities: PostgresActivities,
        forget_runs: ForgetRuns,
        program: Check,
        history_months: int,
    ) -> None:
        self._engine = engine
        self._stream = stream
        self._due = DueWork(engine, jobs, clock, progress.read_until)
        self._books = DueWork(engine, books, clock, every_s=BOOKS_EVERY_S)
        self._progress = progress
        self._keys = keys
        self._relay = relay
        self._clock = clock
        self._activities = activities
        self._forget_runs = forget_runs
        self._program = program
        self._history = Period(months=history_months)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`. What ends early ends the others too, and its error is raised."""
        running = [
            self._stream.run(stop),
            self._due.run(stop),
            self._books.run(stop),
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
            trouble = ", ".join(each.trouble for each in (self._due, self._books) if each.trouble)
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
        """Forget the months of history that are kept no longer, and runs of campaigns that began before."""
        while not stop.is_set():
            try:
                async with self._engine.begin() as connection:
                    before = self._history.before(self._clock(), UTC_ZONE)
                    if dropped := await self._activities.drop_months(connection, before):
                        log.info("history_forgotten", months=dropped)
                await self._forget_old_runs(stop)
            except Exception as error:
                if not passes(error):  # such as a program that cannot be read: who knows what campaigns count
                    raise
                self._forget_runs.look_again()
            await rest(stop, FORGET_EVERY_S)

    async def _forget_old_runs(self, stop: asyncio.Event) -> None:
        gone: int | None = 0
        while gone is not None and not stop.is_set():
            now = self._clock()
            async with self._engine.begin() as connection:
                gone = await self._forget_runs(connection, self._history.before(now, UTC_ZONE), now)
            if gone:
                log.info("runs_forgotten", runs=gone)
            if gone is not None:
                await rest(stop, FORGET_PAUSE_S)
