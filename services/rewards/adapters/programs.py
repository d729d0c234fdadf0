"""The program's versions as rewards decides with them: rule books, kept in memory, and which of them is in force."""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.rulebook import Rulebook
from shared.program.parse import load_program
from shared.program.versions.reading import FRESH_S, NoProgramError, read_timeline, read_version
from shared.program.versions.store import keep_file, put_program
from shared.program.versions.timeline import Activation, Timeline

__all__ = ["NoProgramError", "PostgresPrograms"]

KEPT_VERSIONS = 32


class PostgresPrograms:
    """Implements `Programs`. `code_key` is the secret of offer codes."""

    def __init__(self, code_key: bytes) -> None:
        self._code_key = code_key
        self._versions: dict[int, Rulebook] = {}
        self._sources: dict[int, str] = {}
        self._timeline = Timeline(())
        self._looked_at = float("-inf")

    async def current(self, connection: AsyncConnection, now: datetime) -> Rulebook:
        """The version in force at `now`, as was known `FRESH_S` ago at most. Raises `NoProgramError`."""
        moment = asyncio.get_running_loop().time()
        if moment - self._looked_at >= FRESH_S or not self._timeline.activations:
            self._timeline = await read_timeline(connection)
            self._looked_at = moment
        return await self.version(connection, _in_force(self._timeline, now).version)

    async def latest(self, connection: AsyncConnection, now: datetime) -> tuple[Rulebook, Timeline]:
        """The version in force at `now`, and all activations, as of this moment. Raises `NoProgramError`."""
        self._looked_at = float("-inf")
        return await self.current(connection, now), self._timeline

    async def version(self, connection: AsyncConnection, version: int) -> Rulebook:
        """A stored version. Raises `NoProgramError` if there is none of that number."""
        if version not in self._versions:
            source = (await read_version(connection, version)).source
            if len(self._versions) >= KEPT_VERSIONS:
                self._versions.clear()
                self._sources.clear()
            # A long program takes a second and more to read, in which others must be answered.
            rulebook = await asyncio.to_thread(self._read, source, version)
            self._versions[version] = rulebook
            self._sources[version] = source
        return self._versions[version]

    def _read(self, source: str, version: int) -> Rulebook:
        return Rulebook.of(load_program(source, version=version), self._code_key)

    async def source(self, connection: AsyncConnection, version: int) -> str:
        """The text of a stored version."""
        await self.version(connection, version)
        return self._sources[version]

    async def put(
        self,
        connection: AsyncConnection,
        source: str,
        *,
        actor: str,
        now: datetime,
        starts_at: datetime | None = None,
    ) -> Activation:
        """Put a text from the API in force (`shared.program.versions.store.put_program`)."""
        put = await put_program(connection, source, origin="api", actor=actor, now=now, starts_at=starts_at)
        self.look_again()
        return put

    async def add_file(self, connection: AsyncConnection, source: str, now: datetime) -> None:
        """Put the program file in force if it differs from the one that was last read from a file."""
        await keep_file(connection, source, now)
        self.look_again()

    def look_again(self) -> None:
        """Something was decided: look before the next decision, however short ago that was done."""
        self._looked_at = float("-inf")


def _in_force(timeline: Timeline, now: datetime) -> Activation:
    activation = timeline.in_force(now)
    if activation is None:
        raise NoProgramError
    return activation
