"""Watches the share of the shop's e-mails that is opened: once a day, when it has begun in the program's zone."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.metrics.opens import DAYS, Mails, fallen, weeks_before
from shared.alerts.alert import NewAlert
from shared.alerts.raising import raise_alerts
from shared.program.model.program import Program

KIND = "falling-opens"
COUNTED_AGAIN = timedelta(days=8)
"""Days so recent are counted once more each day: events may come late."""
QUIET = timedelta(days=7)
"""So long after somebody closed such an alert the same week is in it: it is not raised again."""


class Counts(Protocol):
    """E-mails by the day. All methods take the caller's transaction."""

    async def begin(self, connection: AsyncConnection, today: date) -> bool:
        """Whether this day has not been looked at, and nobody else is looking."""

    async def stale(self, connection: AsyncConnection, first: date, recent: date, today: date) -> date | None:
        """The first day from `first` on and before `today` that was never counted, or is not before `recent` and was
        not counted today; None when all are."""

    async def count(self, connection: AsyncConnection, day: date, today: date, zone: ZoneInfo) -> None:
        """Count a day, which begins and ends in this zone."""

    async def days(self, connection: AsyncConnection, first: date) -> Mapping[date, Mails]:
        """The days from then on, as they were counted."""

    async def done(self, connection: AsyncConnection, today: date, first: date) -> None:
        """This day was looked at; days before `first` are not needed any more."""

    async def closed_since(self, connection: AsyncConnection, kind: str, since: datetime) -> bool:
        """Whether an alert of this kind about the shop was closed since."""


class Programs(Protocol):
    """The program's versions."""

    async def counts(self, connection: AsyncConnection) -> int:
        """The version that counts here."""

    async def program(self, connection: AsyncConnection, version: int) -> Program:
        """A version of the program."""


class WatchOpens:
    """The use case: a job of the worker, each step a transaction. After a downtime only the day of now is looked at."""

    def __init__(self, counts: Counts, programs: Programs) -> None:
        self._counts = counts
        self._programs = programs

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Count one more day, or, when all are counted, look at them; whether there is more to do at once."""
        version = await self._programs.counts(connection)
        program = await self._programs.program(connection, version)
        today = now.astimezone(program.time_zone).date()
        if not await self._counts.begin(connection, today):
            return False
        first = today - timedelta(days=DAYS)
        stale = await self._counts.stale(connection, first, today - COUNTED_AGAIN, today)
        if stale is not None:
            await self._counts.count(connection, stale, today, program.time_zone)
            return True
        await self._look(connection, program, version, today, now)
        await self._counts.done(connection, today, first)
        return False

    async def _look(
        self, connection: AsyncConnection, program: Program, version: int, today: date, now: datetime
    ) -> None:
        by_percent = program.alerts.falling_opens
        if by_percent is None or await self._counts.closed_since(connection, KIND, now - QUIET):
            return
        days = await self._counts.days(connection, today - timedelta(days=DAYS))
        fall = fallen(weeks_before(today, days), by_percent)
        if fall is None:
            return
        details = {
            "share": round(fall.week.share, 4),
            "usual": round(fall.usual, 4),
            "sent": fall.week.sent,
            "opened": fall.week.opened,
            "from": today - timedelta(days=7),
            "until": today - timedelta(days=1),
        }
        alert = NewAlert(
            kind=KIND, cause=f"opens/{today}", at=now, program_version=version or None, details=details
        )
        await raise_alerts(connection, [alert])
