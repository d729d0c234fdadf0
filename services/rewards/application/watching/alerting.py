"""The timed use case that tells of alerts: whoever raised or closed one, the outcomes say so once each."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import DUE_MAX
from services.rewards.application.ports import Members, Programs
from services.rewards.domain.changes import Changes
from shared.alerts.telling import Untold
from shared.contracts.outcomes import Outcome

ALERTS = Counter(
    "regulars_alerts_total",
    "Alerts that were told of, by kind, and whether raised or closed.",
    ["kind", "news"],
)

TakeUntold = Callable[[AsyncConnection, int], Awaitable[Sequence[Untold]]]
"""Alerts of which something is to be told; they count as told with the caller's transaction."""


@dataclass(frozen=True, slots=True)
class TellOfAlerts:
    """The job (see `jobs.Job`)."""

    take: TakeUntold
    members: Members
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Tell of alerts that were raised or closed; of how many. Nobody's work fails here: `skip` is not for it."""
        untold = await self.take(connection, limit)
        if not untold:
            return 0
        changes = Changes(now, await self.programs.number(connection, now))
        for alert in untold:
            changes.outcomes += _outcomes(alert, changes.version)
        await self.members.save(connection, changes)
        for alert in untold:
            for type_, _ in alert.news:
                ALERTS.labels(alert.kind, type_.removeprefix("alert.")).inc()
        return len(untold)


def _outcomes(alert: Untold, version: int) -> list[Outcome]:
    """What is told of an alert. The note of whoever closed it is not: it may speak of a person."""
    data = {
        "kind": alert.kind,
        "alert_id": alert.id,
        "subject": alert.subject,
        "campaign": alert.rule,
        "raised_at": alert.raised_at,
        "times": alert.times,
        "details": alert.details,
        "assigned_to": alert.assigned_to,
    }
    return [
        Outcome(
            id=f"{alert.id}/{type_}",
            customer_id=alert.customer_id,
            type=type_,
            time=at,
            cause=alert.cause,
            program_version=alert.program_version or version,
            data=data if type_ == "alert.raised" else {**data, "closed_at": at, "tell": alert.tell},
        )
        for type_, at in alert.news
    ]
