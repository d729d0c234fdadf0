"""The worker of scoring: reads events, does what is due beside the stream, and on Kafka publishes the outbox."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.language.reader import TextReader
from services.scoring.entrypoints.readiness import worker_checks
from services.scoring.entrypoints.sweeping import SWEEP_EVERY_S, Job, sweep_until
from shared.bus.consuming.progress import Progress
from shared.bus.consuming.watchdog import Watchdog
from shared.bus.consuming.worker import StreamWorker
from shared.bus.faults import is_transient
from shared.bus.relay import Relay
from shared.clock import Clock
from shared.http.health import Degraded, Health
from shared.http.idempotency import IdempotencyKeys
from shared.postgres.faults import is_database_away
from shared.version import VERSION
from shared.waiting import rest

ROLL_UP_EVERY_S = 10.0
"""How old the metrics may be; a customer who changes often is counted anew no more often than that."""

START_PATIENCE_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ScoringWorker:
    """The worker process, wired.

    `sweeps` and `roll_up` wait until the stream has been read, by all workers; `switch_program` and `refold` do not: a
    version of the program counts from its own moment on.
    """

    engine: AsyncEngine
    personal: PersonalData
    reader: TextReader
    stream: StreamWorker
    watchdog: Watchdog
    progress: Progress
    relay: Relay | None
    sweeps: Sequence[Job]
    roll_up: Job
    switch_program: Job
    refold: Job
    keys: IdempotencyKeys
    clock: Clock

    def health(self) -> Health:
        """What the process answers about itself."""
        troubles: dict[str, Callable[[], str | None]] = {"events": lambda: self.stream.trouble}
        troubles["sweeps"] = self._sweeps_wait
        relay = self.relay
        if relay is not None:
            troubles["outbox"] = lambda: relay.trouble
        return Health("scoring-worker", VERSION, worker_checks(self.engine, troubles))

    def _sweeps_wait(self) -> str | None:
        """For what nobody reads: that is no reason to send this worker home."""
        trouble = self.progress.trouble
        return Degraded(f"wait until all has been read: {trouble}") if trouble else None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; the batch under way is finished first. Raises `SecretError` with a wrong secret."""
        await _verify_if_possible(self.personal)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.stream.run(stop), name="events")
                group.create_task(self._beside_what_is_read(stop, self.sweeps), name="sweep")
                rolling_up = self._beside_what_is_read(stop, (self.roll_up,), ROLL_UP_EVERY_S)
                group.create_task(rolling_up, name="rollups")
                group.create_task(self._beside(stop, (self.switch_program,)), name="program")
                group.create_task(self._beside(stop, (self.refold,)), name="rebuild")
                group.create_task(self.keys.prune_until(stop, self.engine, self.clock), name="keys")
                group.create_task(self._note_engine(stop), name="engine")
                if self.relay is not None:
                    group.create_task(self.relay.run(stop), name="relay")
        finally:
            await self.engine.dispose()

    async def _beside_what_is_read(
        self, stop: asyncio.Event, jobs: Sequence[Job], every_s: float = SWEEP_EVERY_S
    ) -> None:
        """Do jobs that go by what has not happened, as of the moment up to which everything has been read."""
        await sweep_until(
            stop,
            self.engine,
            jobs,
            self.clock,
            lambda: self.watchdog.lag,
            load=lambda: self.stream.load,
            read_until=self.progress.read_until,
            every_s=every_s,
        )

    async def _note_engine(self, stop: asyncio.Event) -> None:
        """Say by which engine texts are read, as soon as the database takes it."""
        while not stop.is_set():
            try:
                async with self.engine.begin() as connection:
                    await self.reader.note_engine(connection, self.clock())
                break
            except Exception as error:
                if not is_transient(error):
                    raise
            await rest(stop, START_PATIENCE_S)

    async def _beside(self, stop: asyncio.Event, jobs: Sequence[Job]) -> None:
        """Do jobs that leave the stream its time."""
        await sweep_until(stop, self.engine, jobs, self.clock, lambda: 0, load=lambda: self.stream.load)


async def _verify_if_possible(personal: PersonalData) -> None:
    """A wrong secret ends the start: texts would be taken in unread. A database that is away does not."""
    try:
        async with asyncio.timeout(START_PATIENCE_S):
            await personal.need()
    except Exception as error:
        if not is_database_away(error):
            raise
        log.warning("database_away_at_start", reason=type(error).__name__)
