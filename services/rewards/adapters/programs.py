"""Program versions in PostgreSQL: written once, never changed; the newest one is kept in memory for a second."""

import asyncio
from datetime import datetime
from typing import Literal

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.rulebook import Rulebook
from shared.program.ids import retired_after
from shared.program.model import Program
from shared.program.parse import load_program

FRESH_S = 1.0
"""A new version takes effect everywhere within this time."""
KEPT_VERSIONS = 32
PROGRAM_LOCK = 0x70726F67  # "prog": one new version at a time

_NEWEST = text("SELECT max(version) FROM rewards.programs")
_SOURCE = text("SELECT source, retired, origin, actor, at FROM rewards.programs WHERE version = :version")
_NEWEST_FILE = text("SELECT source FROM rewards.programs WHERE origin = 'file' ORDER BY version DESC LIMIT 1")
_ADD = text("""
    INSERT INTO rewards.programs (version, source, retired, origin, actor, at)
    VALUES (:version, :source, :retired, :origin, :actor, :at)
    """)


class NoProgramError(Exception):
    """No program version has been stored yet: the worker stores the first one when it starts."""


class PostgresPrograms:
    """Implements `Programs`, and stores new versions. `code_key` is the secret of offer codes."""

    def __init__(self, code_key: bytes) -> None:
        self._code_key = code_key
        self._versions: dict[int, Rulebook] = {}
        self._sources: dict[int, str] = {}
        self._newest = 0
        self._looked_at = float("-inf")

    async def current(self, connection: AsyncConnection) -> Rulebook:
        """The newest version, at most `FRESH_S` old. Raises `NoProgramError`."""
        moment = asyncio.get_running_loop().time()
        if moment - self._looked_at >= FRESH_S or not self._newest:
            newest = await connection.scalar(_NEWEST)
            if newest is None:
                raise NoProgramError
            self._newest, self._looked_at = int(newest), moment
        return await self.version(connection, self._newest)

    async def newest(self, connection: AsyncConnection) -> Rulebook:
        """The newest version as of now. Raises `NoProgramError`."""
        self._looked_at = float("-inf")
        return await self.current(connection)

    async def version(self, connection: AsyncConnection, version: int) -> Rulebook:
        """A stored version. Raises `NoProgramError` if there is none of that number."""
        if version not in self._versions:
            row = (await connection.execute(_SOURCE, {"version": version})).first()
            if row is None:
                raise NoProgramError
            if len(self._versions) >= KEPT_VERSIONS:
                self._versions.clear()
                self._sources.clear()
            self._versions[version] = Rulebook.of(load_program(row.source, version=version), self._code_key)
            self._sources[version] = row.source
        return self._versions[version]

    async def source(self, connection: AsyncConnection, version: int) -> str:
        """The text of a stored version."""
        await self.version(connection, version)
        return self._sources[version]

    async def add(
        self,
        connection: AsyncConnection,
        source: str,
        *,
        origin: Literal["file", "api"],
        actor: str | None,
        now: datetime,
    ) -> Program:
        """Check a program and store it as the next version.

        Raises `ProgramError` with all that is wrong, also when it uses an id that an earlier version gave up.
        """
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PROGRAM_LOCK})
        newest = await connection.scalar(_NEWEST) or 0
        retired: frozenset[str] = frozenset()
        if newest:
            row = (await connection.execute(_SOURCE, {"version": newest})).one()
            retired = frozenset(json.decode(row.retired, type=list[str]))
        program = load_program(source, version=newest + 1, retired_ids=retired)
        if newest:
            previous = await self.version(connection, newest)
            retired |= retired_after(previous.program, program)
        await connection.execute(
            _ADD,
            {
                "version": program.version,
                "source": source,
                "retired": json.encode(sorted(retired)).decode(),
                "origin": origin,
                "actor": actor,
                "at": now,
            },
        )
        self._looked_at = float("-inf")
        return program

    async def put(self, connection: AsyncConnection, source: str, *, actor: str, now: datetime) -> int:
        """Store a text from the API as the next version, unless it is the newest one's; the version that counts then.

        Raises `ProgramError`.
        """
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PROGRAM_LOCK})
        newest = await connection.scalar(_NEWEST)
        if newest is not None and await self.source(connection, newest) == source:
            return int(newest)
        return (await self.add(connection, source, origin="api", actor=actor, now=now)).version

    async def add_file(self, connection: AsyncConnection, source: str, now: datetime) -> None:
        """Store the program file as a new version if it differs from the one that was last read from a file."""
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PROGRAM_LOCK})
        if await connection.scalar(_NEWEST_FILE) != source:
            await self.add(connection, source, origin="file", actor=None, now=now)
