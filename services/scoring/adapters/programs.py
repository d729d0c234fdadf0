"""The program's versions, as scoring follows them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.identity.identities import IDENTITY_LOCK
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.switching import Anew
from shared.program.model.program import Program
from shared.program.parse import ProgramError, load_program
from shared.program.versions.reading import read_timeline, read_version

KEPT_VERSIONS = 8

_FOLLOWED = text("""
    SELECT r.program, s.at, s.anew, b.begun_at, b.finished_at, b.customers, b.changed
    FROM scoring.segment_revision r
    LEFT JOIN LATERAL (SELECT at, anew FROM scoring.program_switches ORDER BY id DESC LIMIT 1) s ON true
    LEFT JOIN LATERAL (
        SELECT begun_at, finished_at, customers, changed FROM scoring.rebuilds ORDER BY id DESC LIMIT 1
    ) b ON true
    WHERE r.id = 1
    """)

_COUNTS = text("SELECT program FROM scoring.segment_revision WHERE id = 1")
_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
_SWITCH = text("UPDATE scoring.segment_revision SET program = :version, revision = revision + 1 WHERE id = 1")
_LOOK_AT_ALL = text("UPDATE scoring.segment_pass SET cause = ''")
_NOTE = text("""
    INSERT INTO scoring.program_switches (version, at, anew) VALUES (:version, :now, :anew)
    """)

log = structlog.get_logger()


class Followed(Struct, frozen=True):
    """Which version counts (0: the file's), since when, and what that set going; then how far the latest rebuild has
    come, None where there never was one."""

    version: int
    since: datetime | None
    anew: str | None
    begun_at: datetime | None
    finished_at: datetime | None
    customers: int | None
    changed: int | None


async def read_followed(connection: AsyncConnection) -> Followed:
    """As of now."""
    return Followed(*(await connection.execute(_FOLLOWED, {})).one())


class PostgresPrograms:
    """`ProgramVersions` on PostgreSQL. `file` is the program that the process was started with; it counts until a
    version is stored."""

    def __init__(self, file: Program) -> None:
        self._kept: dict[int, tuple[Program, ScoreSettings]] = {0: (file, ScoreSettings.of(file))}

    async def in_force(self, connection: AsyncConnection, now: datetime) -> int | None:
        """The version in force at `now`; None while none is stored."""
        activation = (await read_timeline(connection)).in_force(now)
        return None if activation is None else activation.version

    async def counts(self, connection: AsyncConnection) -> int:
        """The version that counts here; 0 when it is the file's."""
        return int(await connection.scalar(_COUNTS) or 0)

    async def program(self, connection: AsyncConnection, version: int) -> Program:
        """A version; 0 is the file's. Raises `ProgramError` when it is not fit any more."""
        return (await self._version(connection, version))[0]

    async def settings(self, connection: AsyncConnection, version: int) -> ScoreSettings:
        """What scoring takes from a version; the file's when it is not fit any more."""
        try:
            return (await self._version(connection, version))[1]
        except ProgramError as error:  # stored and taken up by a release that allowed more
            log.error("program_is_not_valid_any_more", version=version, faults=str(error))
            return self._kept[0][1]

    async def hold_alone(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, nobody works by what counts."""
        await connection.execute(_ALONE, {"lock": IDENTITY_LOCK})

    async def switch(
        self, connection: AsyncConnection, version: int, anew: Sequence[Anew], now: datetime
    ) -> None:
        """This version counts from now on. What must be folded or counted anew, the jobs beside the stream find by the
        settings; what must be looked at is said to the pass over all customers."""
        await connection.execute(_SWITCH, {"version": version})
        if Anew.LOOK in anew:
            await connection.execute(_LOOK_AT_ALL, {})
        await connection.execute(_NOTE, {"version": version, "now": now, "anew": " ".join(anew)})

    async def _version(self, connection: AsyncConnection, version: int) -> tuple[Program, ScoreSettings]:
        if version not in self._kept:
            source = (await read_version(connection, version)).source
            # A long program takes a second and more to read, in which others must be answered.
            program = await asyncio.to_thread(load_program, source, version=version)
            if len(self._kept) > KEPT_VERSIONS:
                self._kept = {0: self._kept[0]}
            self._kept[version] = program, ScoreSettings.of(program)
        return self._kept[version]
