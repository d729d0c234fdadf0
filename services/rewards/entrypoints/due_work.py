"""Runs the timed jobs, so that nobody's fault holds up anybody else's points."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.jobs import DUE_MAX, DueWorkError, Job
from shared.bus.consuming.progress import ReadUntil, whenever
from shared.bus.faults import is_transient
from shared.bus.interface import BusUnavailableError
from shared.clock import Clock
from shared.postgres.held import HeldConnection
from shared.program.faults import ProgramError
from shared.program.versions.reading import NoProgramError
from shared.waiting import rest

JOBS_EVERY_S = 1.0
BACKOFF_MAX_S = 30.0
SET_ASIDE_FOR = timedelta(minutes=10)
"""After that a member whose due work failed is tried again."""
SET_ASIDE_MAX = 1_000
"""Members set aside at a time; beyond it the fault is not one of members, and the job waits."""
AFTER_READING = frozenset({"run_campaigns"})
"""Jobs that wait until the stream has been read, as after a downtime: nobody is missed whose return waits unread."""
READ_WITHIN = timedelta(minutes=1)
"""What came in the last minute may be unread: a stream that never rests is never read to its end."""

SET_ASIDE = Counter(
    "regulars_due_work_set_aside_total",
    "Members passed over by a timed job, because their work failed.",
    ["job"],
)

log = structlog.get_logger()


def passes(error: BaseException) -> bool:
    """Whether work waits until this is over: a program that this release cannot read is no record's fault, and no
    member's."""
    return isinstance(error, ProgramError | NoProgramError) or is_transient(error)


class Jobs(Protocol):
    """Timed jobs."""

    def all(self) -> Mapping[str, Job]:
        """Every job by its name."""


class DueWork:
    """Does what time makes due, again and again. `jobs` are done one after the other, each a batch a transaction.

    A batch that fails for good is halved until the member whose fault it is stands alone; that one is set aside for
    `SET_ASIDE_FOR`, and the others go on.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        jobs: Jobs,
        clock: Clock,
        read_until: ReadUntil = whenever,
        *,
        every_s: float = JOBS_EVERY_S,
    ) -> None:
        self._engine = engine
        self._jobs = jobs
        self._clock = clock
        self._read_until = read_until
        self._every_s = every_s
        self._failing: dict[str, str] = {}
        self._aside: dict[str, dict[str, datetime]] = {}

    @property
    def trouble(self) -> str | None:
        """What fails at the moment, for the health check."""
        aside = {
            name: f"{len(members)} members set aside" for name, members in self._aside.items() if members
        }
        troubles = [f"{name}: {reason}" for name, reason in (aside | self._failing).items()]
        return ", ".join(troubles) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Every job, one after the other, then a rest of some `every_s` seconds; until `stop`.

        A job that fails as a whole is tried again, later and later; it holds up neither the other jobs nor the stream,
        and the readiness warns of it.
        """
        pause_s = self._every_s
        while not stop.is_set():
            await self.once(stop)
            pause_s = min(pause_s * 2, BACKOFF_MAX_S) if self._failing else self._every_s
            await rest(stop, pause_s * random.uniform(0.8, 1.2))  # noqa: S311  # no secret

    async def once(self, stop: asyncio.Event) -> None:
        """Every job until nothing of it is due, on one connection as long as it works."""
        connection = HeldConnection(self._engine)
        try:
            for name, job in self._jobs.all().items():
                await self._try(name, job, connection, stop)
        finally:
            await connection.close()

    async def _try(self, name: str, job: Job, connection: HeldConnection, stop: asyncio.Event) -> None:
        """One job's fault must not stop the others."""
        try:
            await self._do_all(name, job, connection, stop)
            self._failing.pop(name, None)
        except Exception as error:
            self._failing[name] = type(error).__name__
            if passes(error):
                log.warning("due_work_waits", job=name, reason=type(error).__name__)
            else:
                log.error("due_work_failed", job=name, exc_info=error)

    async def _do_all(self, name: str, job: Job, held: HeldConnection, stop: asyncio.Event) -> None:
        aside = self._aside.setdefault(name, {})
        done, limit = 1, DUE_MAX
        while done and not stop.is_set():
            now = self._clock()
            for customer in [customer for customer, until in aside.items() if until <= now]:
                del aside[customer]
            if name in AFTER_READING and not await self._has_read(now):
                return
            try:
                async with held.begin() as connection:
                    done = await job(connection, now, aside.keys(), limit)
            except DueWorkError as failed:
                limit = self._narrow(name, failed, now)
                continue
            limit = min(limit * 2, DUE_MAX)
            if done:
                log.info("due_work_done", job=name, members=done)

    async def _has_read(self, now: datetime) -> bool:
        """Whether the stream has been read, by all workers; not, where it cannot be."""
        try:
            moment = await self._read_until(now)
        except BusUnavailableError:
            return False
        return moment is not None and now - moment <= READ_WITHIN

    def _narrow(self, name: str, failed: DueWorkError, now: datetime) -> int:
        """How many members to take next after a failure; sets the one aside whose fault it is. Raises what is nobody's
        fault."""
        error = failed.__cause__
        assert error is not None
        aside = self._aside[name]
        if passes(error) or len(aside) >= SET_ASIDE_MAX:
            raise error
        if len(failed.customers) > 1:
            return len(failed.customers) // 2
        (customer,) = failed.customers
        aside[customer] = now + SET_ASIDE_FOR
        SET_ASIDE.labels(name).inc()
        log.error("due_work_set_aside", job=name, customer=customer, exc_info=error)
        return DUE_MAX
