"""Program versions in PostgreSQL: texts that were checked and never change, and the moments they are in force from.

Every writer takes one lock, so that there is one order of decisions. Readers take none.
"""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct, json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.ids import retired_after
from shared.program.parse import load_program
from shared.program.versions.timeline import Activation, Timeline

Origin = Literal["file", "api", "command"]

FRESH_S = 1.0
"""How often a process looks for new activations: one that is decided takes effect everywhere within this time."""
NOTICE = timedelta(seconds=5)
"""So long beforehand an activation is scheduled or cancelled at the latest: every process has heard of it when its
moment comes, and none of one that was cancelled."""
SCHEDULED_MAX = 20
PROGRAM_LOCK = 0x70726F67  # "prog": one decision at a time

_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
# All that are still to start (SCHEDULED_MAX at most), and those that started last.
_TIMELINE = text("""
    SELECT id, version, starts_at FROM platform.program_activations
    WHERE cancelled_at IS NULL ORDER BY starts_at DESC, id DESC LIMIT 100
    """)
_AT = text("""
    SELECT version FROM platform.program_activations
    WHERE cancelled_at IS NULL AND starts_at <= greatest(CAST(:moment AS timestamptz), (
        SELECT min(starts_at) FROM platform.program_activations WHERE cancelled_at IS NULL))
    ORDER BY starts_at DESC, id DESC LIMIT 1
    """)
_NEWEST = text("SELECT max(version) FROM platform.programs")
_STORED = text("""
    SELECT version, source, origin, actor, at, retired FROM platform.programs WHERE version = :version
    """)
_NEWEST_FILE = text("""
    SELECT source FROM platform.programs WHERE origin = 'file' ORDER BY version DESC LIMIT 1
    """)
_ADD = text("""
    INSERT INTO platform.programs (version, source, retired, origin, actor, at)
    VALUES (:version, :source, :retired, :origin, :actor, :at)
    """)
# Clocks of several machines differ: what is decided later starts no earlier than what was decided to start at once.
_ACTIVATE = text("""
    INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)
    SELECT CAST(:version AS integer), greatest(CAST(:starts_at AS timestamptz), max(a.starts_at)),
        CAST(:now AS timestamptz), CAST(:actor AS text)
    FROM platform.program_activations a WHERE a.starts_at <= a.decided_at
    RETURNING id, version, starts_at
    """)
_SCHEDULE = text("""
    INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)
    VALUES (:version, :starts_at, :now, :actor) RETURNING id, version, starts_at
    """)
_ACTIVATION = text("""
    SELECT id, version, starts_at, cancelled_at FROM platform.program_activations WHERE id = :id
    """)
_CANCEL = text("""
    UPDATE platform.program_activations SET cancelled_at = :now, cancelled_by = :actor WHERE id = :id
    """)


class NoProgramError(Exception):
    """There is no such version; or none at all yet: the rewards worker stores the first one when it starts."""


class ActivationError(Exception):
    """An activation that cannot be: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StoredProgram(Struct, frozen=True):
    """A version as it was stored. `actor` is the key or the person; None for the file. `retired` are ids that no
    version after it may use."""

    version: int
    source: str
    origin: Origin
    actor: str | None
    at: datetime
    retired: frozenset[str]


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
    retired = frozenset(json.decode(row.retired, type=list[str]))
    return StoredProgram(row.version, row.source, row.origin, row.actor, row.at, retired)


async def put_program(
    connection: AsyncConnection,
    source: str,
    *,
    origin: Origin,
    actor: str | None,
    now: datetime,
    starts_at: datetime | None = None,
) -> Activation:
    """Check a text and put it in force, at once or at a moment to come, as the next version.

    The text that is in force then anyway changes nothing. Answers what is in force then.

    Raises:
        ProgramError: The text is not fit to go live; also when it uses an id that the version before it has given up.
        ActivationError: The moment is none that can be.
    """
    await connection.execute(_LOCK, {"lock": PROGRAM_LOCK})
    timeline = await read_timeline(connection)
    _check_start(timeline, now, starts_at)
    before = timeline.in_force(now if starts_at is None else starts_at)
    if before is not None and (await read_version(connection, before.version)).source == source:
        return before
    version = await _store(connection, source, before, origin=origin, actor=actor, now=now)
    return await _activate(connection, version, actor=actor, now=now, starts_at=starts_at)


async def keep_file(connection: AsyncConnection, source: str, now: datetime) -> None:
    """Put the program file in force if it differs from the one that was last read from a file.

    Raises `ProgramError`.
    """
    await connection.execute(_LOCK, {"lock": PROGRAM_LOCK})
    if await connection.scalar(_NEWEST_FILE) == source:
        return
    before = (await read_timeline(connection)).in_force(now)
    version = await _store(connection, source, before, origin="file", actor=None, now=now)
    await _activate(connection, version, actor=None, now=now, starts_at=None)


async def activate(
    connection: AsyncConnection,
    version: int,
    *,
    actor: str | None,
    now: datetime,
    starts_at: datetime | None = None,
) -> Activation:
    """Put a stored version in force, at once or at a moment to come; an earlier one is a rollback.

    The version that is in force then anyway changes nothing.

    Raises:
        NoProgramError: There is no such version.
        ActivationError: The moment is none that can be.
    """
    await connection.execute(_LOCK, {"lock": PROGRAM_LOCK})
    await read_version(connection, version)
    timeline = await read_timeline(connection)
    _check_start(timeline, now, starts_at)
    before = timeline.in_force(now if starts_at is None else starts_at)
    if before is not None and before.version == version:
        return before
    return await _activate(connection, version, actor=actor, now=now, starts_at=starts_at)


async def cancel(
    connection: AsyncConnection, activation_id: int, *, actor: str | None, now: datetime
) -> None:
    """Let an activation that was scheduled not happen; once more changes nothing.

    Raises `ActivationError` when there is none of that number, or it has begun or is about to.
    """
    await connection.execute(_LOCK, {"lock": PROGRAM_LOCK})
    row = (await connection.execute(_ACTIVATION, {"id": activation_id})).first()
    if row is None:
        raise ActivationError("unknown_activation", f"There is no activation {activation_id}.")
    if row.cancelled_at is not None:
        return
    if row.starts_at < now + NOTICE:
        raise ActivationError(
            "activation_has_begun", "It has begun, or is about to: activate another version instead."
        )
    await connection.execute(_CANCEL, {"id": activation_id, "actor": actor, "now": now})


def _check_start(timeline: Timeline, now: datetime, starts_at: datetime | None) -> None:
    if starts_at is None:
        return
    if starts_at < now + NOTICE:
        raise ActivationError(
            "activation_too_soon", "The moment must lie ahead by some seconds; leave it out for at once."
        )
    if len(timeline.scheduled(now)) >= SCHEDULED_MAX:
        raise ActivationError("too_many_activations", f"{SCHEDULED_MAX} are scheduled already; cancel one.")


async def _store(
    connection: AsyncConnection,
    source: str,
    before: Activation | None,
    *,
    origin: Origin,
    actor: str | None,
    now: datetime,
) -> int:
    """Check a text against the version that it follows, and store it under the next number."""
    newest = await connection.scalar(_NEWEST) or 0
    refused: Set[str] = frozenset()
    if before is not None:
        refused = (await read_version(connection, before.version)).retired
    program = load_program(source, version=newest + 1, retired_ids=refused)
    retired: Set[str] = program.removed_ids
    if newest:
        last = await read_version(connection, newest)
        retired = retired_after(load_program(last.source, retired_ids=last.retired), program)
    stored = {
        "version": program.version,
        "source": source,
        "retired": json.encode(sorted(retired)).decode(),
        "origin": origin,
        "actor": actor,
        "at": now,
    }
    await connection.execute(_ADD, stored)
    return program.version


async def _activate(
    connection: AsyncConnection,
    version: int,
    *,
    actor: str | None,
    now: datetime,
    starts_at: datetime | None,
) -> Activation:
    statement = _ACTIVATE if starts_at is None else _SCHEDULE
    bound = {"version": version, "starts_at": starts_at or now, "now": now, "actor": actor}
    return Activation(*(await connection.execute(statement, bound)).one())
