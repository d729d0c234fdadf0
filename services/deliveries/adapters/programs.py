"""The program's versions as deliveries follows them: the one in force says how often, when and by which channels."""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.faults import ProgramError
from shared.program.model import Program
from shared.program.parse import load_program
from shared.program.versions.reading import FRESH_S, NoProgramError, read_timeline, read_version
from shared.program.versions.timeline import Timeline

KEPT_VERSIONS = 32

log = structlog.get_logger()


class PostgresPrograms:
    """Reads program versions, and keeps what it read."""

    def __init__(self) -> None:
        self._versions: dict[int, Program | None] = {}
        self._timeline = Timeline(())
        self._looked_at = float("-inf")

    async def current(self, connection: AsyncConnection, now: datetime) -> Program:
        """The version in force at `now`, as was known `FRESH_S` ago at most.

        Raises `NoProgramError` while there is none, `ProgramError` when this release cannot read it.
        """
        moment = asyncio.get_running_loop().time()
        if moment - self._looked_at >= FRESH_S or not self._timeline.activations:
            self._timeline = await read_timeline(connection)
            self._looked_at = moment
        activation = self._timeline.in_force(now)
        if activation is None:
            raise NoProgramError("No program is in force yet.")
        return await self._load(connection, activation.version)

    async def version(self, connection: AsyncConnection, version: int) -> Program | None:
        """A stored version; None if there is none of that number, or this release cannot read it any more."""
        if version not in self._versions:
            try:
                await self._load(connection, version)
            except (NoProgramError, ProgramError) as error:
                log.warning("program_cannot_be_read", version=version, reason=type(error).__name__)
                self._versions[version] = None
        return self._versions[version]

    async def _load(self, connection: AsyncConnection, version: int) -> Program:
        known = self._versions.get(version)
        if known is not None:
            return known
        source = (await read_version(connection, version)).source
        program = await asyncio.to_thread(load_program, source, version=version)
        if len(self._versions) >= KEPT_VERSIONS:
            self._versions.clear()
        self._versions[version] = program
        return program
