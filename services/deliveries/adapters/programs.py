"""The program's versions as deliveries follows them: the one in force says how often, when and by which channels."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.versions.following import FollowedVersions
from shared.program.versions.reading import NoProgramError

log = structlog.get_logger()


class PostgresPrograms:
    """Reads program versions, and keeps what it read."""

    def __init__(self) -> None:
        self._versions = FollowedVersions[Program](lambda program: program)
        self._unreadable: set[int] = set()

    async def current(self, connection: AsyncConnection, now: datetime) -> Program:
        """The version in force at `now`, as was known a second ago at most.

        Raises `NoProgramError` while there is none, `ProgramError` when this release cannot read it.
        """
        return await self._versions.current(connection, now)

    async def version(self, connection: AsyncConnection, version: int) -> Program | None:
        """A stored version; None if there is none of that number, or this release cannot read it any more."""
        if version in self._unreadable:
            return None
        try:
            return await self._versions.version(connection, version)
        except (NoProgramError, ProgramError) as error:
            log.warning("program_cannot_be_read", version=version, reason=type(error).__name__)
            self._unreadable.add(version)
            return None
