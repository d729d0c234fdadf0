"""The timed use case that watches redemptions: every quarter of an hour is looked at once, after it has ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import DUE_MAX
from services.rewards.application.ports import Members, Programs
from services.rewards.domain.changes import Changes
from services.rewards.domain.watching.unusual import (
    DAYS,
    QUARTER,
    SETTLED_AFTER,
    WINDOW,
    Day,
    Norm,
    customer_stands_out,
    quarter_of,
    shop_stands_out,
)
from shared.alerts.alert import NewAlert
from shared.alerts.telling import Untold

KIND = "unusual-redemptions"
QUARTERS_MAX = 96
"""Quarters with redemptions that one transaction looks at: those of a busy day."""
RECOUNTED = 8
"""Quarters before them that are counted again: a clock may have run ahead."""


class Customer(NamedTuple):
    """What a customer redeemed within 24 hours."""

    customer_id: str
    points: int
    times: int


class Watch(Protocol):
    """Redemptions and uses of codes as they are counted, and alerts. Every method works in the caller's transaction."""

    async def untold(self, connection: AsyncConnection, limit: int) -> Sequence[Untold]:
        """Alerts of which something is to be told; they count as told with the transaction."""

    async def next(self, connection: AsyncConnection, ended: datetime) -> tuple[datetime, datetime] | None:
        """The next quarter to look at, if it has begun before `ended`, and from which one on anybody is told; locked.
        None when there is none, or somebody else looks. When nobody has ever looked, the days before count too, and
        nobody is told of them."""

    async def count(self, connection: AsyncConnection, since: datetime, until: datetime) -> None:
        """Count the quarters from `since` on that begin before `until`."""

    async def busy(
        self, connection: AsyncConnection, since: datetime, until: datetime, limit: int
    ) -> Sequence[datetime]:
        """The first quarters from `since` on, before `until`, in which anything was counted."""

    async def seen(self, connection: AsyncConnection, quarter: datetime) -> None:
        """Look next at this quarter."""

    async def days(self, connection: AsyncConnection, quarter: datetime) -> Mapping[str, Sequence[Day]]:
        """For all that happened in a quarter (points redeemed, codes of an offer used): the 24 hours that end with it,
        and each of the days before."""

    async def customers(self, connection: AsyncConnection, quarter: datetime) -> Sequence[Customer]:
        """Who redeemed points in a quarter, with the 24 hours that end with it."""

    async def norm(self, connection: AsyncConnection, day: date) -> Norm:
        """The points that customers redeemed a day, on the days before this one."""

    async def own_days(
        self, connection: AsyncConnection, customers: Collection[str], before: datetime
    ) -> Mapping[str, Sequence[int]]:
        """The points of the days on which these customers redeemed, in the year before a moment."""

    async def dealt_with(
        self, connection: AsyncConnection, kind: str, since: datetime
    ) -> Collection[tuple[str, str]]:
        """Customers and subjects of alerts of a kind that were closed since."""


@dataclass(frozen=True, slots=True)
class WatchRedemptions:
    """The job (see `jobs.Job`). An alert that somebody closed is not raised again while its 24 hours last."""

    watch: Watch
    members: Members
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Look at quarters that have ended; 1 if there were any. Members in `skip` are looked at all the same: to raise
        an alert changes nothing of theirs."""
        ended = quarter_of(now - SETTLED_AFTER)
        found = await self.watch.next(connection, ended)
        if found is None:
            return 0
        first, told_from = found
        await self.watch.count(connection, first - RECOUNTED * QUARTER, ended)
        busy = await self.watch.busy(connection, max(first, told_from), ended, QUARTERS_MAX)
        await self.watch.seen(connection, ended if len(busy) < QUARTERS_MAX else busy[-1] + QUARTER)
        program = (await self.programs.current(connection, now)).program
        times = program.alerts.unusual_redemptions
        changes = Changes(now, program.version)
        for quarter in busy if times is not None else ():
            await self._look(connection, quarter, float(times or 0), changes)
        if changes.alerts:
            await self.members.save(connection, changes)
        return 1

    async def _look(
        self, connection: AsyncConnection, quarter: datetime, times: float, changes: Changes
    ) -> None:
        days = await self.watch.days(connection, quarter)
        if not days:
            return
        cause = f"redemptions/{quarter.isoformat()}"
        ended = quarter + QUARTER
        found = [
            NewAlert(
                kind=KIND,
                cause=cause,
                at=changes.now,
                subject=item,
                program_version=changes.version,
                details=_details(of_item[0].points, of_item[0].times, norm, ended),
            )
            for item, of_item in days.items()
            if (norm := shop_stands_out(of_item, times)) is not None
        ]
        people = await self._people(connection, quarter, times)
        if not found and not people:
            return
        closed = await self.watch.dealt_with(connection, KIND, ended - WINDOW)
        changes.alerts += [alert for alert in found if ("", alert.subject) not in closed]
        members = await self.members.lock(connection, [one.customer_id for one, _ in people], create=False)
        for one, norm in people:
            member = members.get(one.customer_id)
            if member is None or (member.customer_id, "") in closed:
                continue
            details = _details(one.points, one.times, norm, ended)
            changes.alert(member, KIND, rule=None, cause=cause, details=details)

    async def _people(
        self, connection: AsyncConnection, quarter: datetime, times: float
    ) -> list[tuple[Customer, Norm]]:
        people = await self.watch.customers(connection, quarter)
        if not people:
            return []
        norm = await self.watch.norm(connection, quarter.date())
        far = [one for one in people if customer_stands_out(one.points, norm, (), times)]
        if not far:
            return []
        begin = quarter + QUARTER - WINDOW
        own = await self.watch.own_days(connection, [one.customer_id for one in far], begin)
        judged = [
            (one, customer_stands_out(one.points, norm, own.get(one.customer_id, ()), times)) for one in far
        ]
        return [(one, found) for one, found in judged if found is not None]


def _details(points: int, times: int, norm: Norm, ended: datetime) -> dict[str, object]:
    return {
        "hours": WINDOW.total_seconds() // 3600,
        "until": ended,
        **({"points": points} if points else {}),
        "times": times,
        "usual": norm.usual,
        "compared_with": norm.values,
        "days": DAYS,
    }
