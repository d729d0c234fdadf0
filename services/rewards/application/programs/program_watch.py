"""Raises an alert when a program is in force that this release cannot read: then all that it would decide waits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import DUE_MAX
from services.rewards.application.ports import Members, Programs
from services.rewards.domain.changes import Changes
from shared.alerts.alert import NewAlert
from shared.program.versions.reading import UnreadableProgramError

KIND = "program-unreadable"
REASON_MAX = 1_000


@dataclass(frozen=True, slots=True)
class WatchProgram:
    """The job (see `jobs.Job`)."""

    programs: Programs
    members: Members

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Look at the version in force. Nobody's work fails here: `skip` and `limit` are not for it."""
        try:
            await self.programs.current(connection, now)
        except UnreadableProgramError as error:
            changes = Changes(now, error.version)
            changes.alerts.append(unreadable(error, now))
            await self.members.save(connection, changes)
        return 0


def unreadable(error: UnreadableProgramError, now: datetime) -> NewAlert:
    """The alert: one for each version, ever."""
    cause = f"program:{error.version}"
    return NewAlert(
        kind=KIND,
        cause=cause,
        at=now,
        subject=cause,
        program_version=error.version,
        details={"version": error.version, "reason": error.reason[:REASON_MAX]},
    )
