"""Reads program versions, and what is in force when. Readers take no lock."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, json
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.faults import ProgramError
from shared.program.versions.timeline import Activation, Timeline

Origin = Literal["file", "api", "command"]

FRESH_S = 1.0
"""How often a process looks for new activations: one that is decided takes effect everywhere within this time."""

# All that are still to start (SCHEDULED_MAX at most), and those that started last.
_TIMELINE = text("""
    SELECT id, version, starts_at FROM platform.program_activations
    WHERE cancelled_at IS NULL ORDER BY starts_at DESC, id DESC LIMIT 100
    """)
_AT = text("""
    SELECT coalesce((
        SELECT version FROM platform.program_activations
        WHERE cancelled_at IS NULL AND starts_at <= :moment ORDER BY starts_at DESC, id DESC LIMIT 1
    ), (
        SELECT version FROM platform.program_activations WHERE cancelled_at IS NULL ORDER BY starts_at, id LIMIT 1
    ))
    """)
_STORED = text("""
    SELECT version, source, origin, actor, at, retired FROM platform.programs WHERE version = :version
    """)
_LIST = text("""
    SELECT version, source, origin, actor, at, retired FROM platform.programs
    WHERE version < :before ORDER BY version DESC LIMIT :limit
    """)
_DECISIONS = text("""
    SELECT id, version, starts_at, decided_at, actor, cancelled_at, cancelled_by FROM platform.program_activations
    WHERE version = ANY(CAST(:versions AS integer[])) ORDER BY id
    """)


class NoProgramError(Exception):
    """There is no such version; or none at all yet: the rewards worker stores the first one when it starts."""


class UnreadableProgramError(ProgramError):
    """A stored version is not fit for this release, which is stricter than the one that stored it. Nothing is decided
    by another version instead."""

    def __init__(self, version: int, error: ProgramError) -> None:
        super().__init__(error.errors)
        self.version = version

    @property
    def reason(self) -> str:
        """Which version, and its first fault."""
        more = len(self.errors) - 1
        others = f" (and {more} more)" if more else ""
        return f"This release cannot read version {self.version} of the program: {self.errors[0]}{others}"


class StoredProgram(Struct, frozen=True):
    """A version as it was stored. `actor` is the key or the person; None for the file. `retired` are ids that no
    version after it may use."""

    version: int
    source: str
    origin: Origin
    actor: str | None
    at: datetime
    retired: frozenset[str]


class Decision(Struct, frozen=True):
    """An activation as it was decided: by whom and when, and when it was cancelled, and by whom."""

    id: int
    version: int
    starts_at: datetime
    decided_at: datetime
    actor: str | None
    cancelled_at: datetime | None
    cancelled_by: str | None


async def read_timeline(connection: AsyncConnection) -> Timeline:
    """What is in force when, as of now."""
    rows = await connection.execute(_TIMELINE, {})
    return Timeline(tuple(Activation(*row) for row in rows))


async def read_version_at(connection: AsyncConnection, moment: datetime) -> int:
    """The version in force at a moment, however long ago (as `Timeline.in_force` says). Raises `NoProgramError`."""
    version: int | None = await connection.scalar(_AT, {"moment": moment})
    if version is None:
        raise NoProgramError("There is no program yet.")
    return version


async def read_version(connection: AsyncConnection, version: int) -> StoredProgram:
    """A stored version. Raises `NoProgramError` if there is none of that number."""
    row = (await connection.execute(_STORED, {"version": version})).first()
    if row is None:
        raise NoProgramError(f"There is no version {version}.")
    return _stored(row)


async def read_versions(connection: AsyncConnection, before: int, limit: int) -> list[StoredProgram]:
    """Versions with smaller numbers than `before`, the newest first."""
    rows = await connection.execute(_LIST, {"before": before, "limit": limit})
    return [_stored(row) for row in rows]


async def read_decisions(connection: AsyncConnection, versions: Collection[int]) -> dict[int, list[Decision]]:
    """All activations of these versions, in the order in which they were decided."""
    found: dict[int, list[Decision]] = {version: [] for version in versions}
    for row in await connection.execute(_DECISIONS, {"versions": list(versions)}):
        found[row.version].append(Decision(*row))
    return found


def _stored(row: Row[Any]) -> StoredProgram:
    retired = frozenset(json.decode(row.retired, type=list[str]))
    return StoredProgram(row.version, row.source, row.origin, row.actor, row.at, retired)
