"""Stores program versions: texts that were checked and never change, and the moments they are in force from.

Every writer takes one lock, so that there is one order of decisions. Readers take none.
"""

import asyncio
from collections.abc import Set
from datetime import datetime, timedelta

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.model.ids import retired_after
from shared.program.model.program import Program
from shared.program.parse import ProgramError, load_program
from shared.program.versions.deciding import CLOCKS_DIFFER
from shared.program.versions.reading import Origin, StoredProgram, read_timeline, read_version
from shared.program.versions.timeline import Activation, Timeline
from shared.program.versions.zones import check_zone

NOTICE = timedelta(seconds=5)
"""So long beforehand an activation is scheduled or cancelled at the latest: every process has heard of it when its
moment comes, and none of one that was cancelled."""
CLOCK_PUT_RIGHT = "clock put right"
"""Who has cancelled an activation that a clock that was ahead had made, in favour of one that begins sooner."""
SCHEDULED_MAX = 20
PROGRAM_LOCK = 0x70726F67  # "prog": one decision at a time

_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_NEWEST = text("SELECT max(version) FROM platform.programs")
_NEWEST_FILE = text("""
    SELECT source FROM platform.programs WHERE origin = 'file' ORDER BY version DESC LIMIT 1
    """)
_ADD = text("""
    INSERT INTO platform.programs (version, source, retired, origin, actor, at)
    VALUES (:version, :source, :retired, :origin, :actor, :at)
    """)
# What a clock that was ahead put in force at once would begin long after now: it begins now. Two clocks that are right
# are twice as far apart at most as each is from the database's (`DecisionClock`, which says when now is).
_PUT_RIGHT = text("""
    WITH ahead AS (
        UPDATE platform.program_activations SET cancelled_at = :now, cancelled_by = :by
        WHERE starts_at <= decided_at AND starts_at > :latest AND cancelled_at IS NULL
        RETURNING id, version, starts_at, actor
    )
    INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)
    SELECT version, CAST(:now AS timestamptz), CAST(:now AS timestamptz), actor FROM ahead ORDER BY starts_at, id
    """)
# Clocks of several machines differ: what is decided later starts no earlier than what was decided to start at once.
_ACTIVATE = text("""
    INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)
    SELECT CAST(:version AS integer), greatest(CAST(:starts_at AS timestamptz), max(a.starts_at)),
        CAST(:now AS timestamptz), CAST(:actor AS text)
    FROM platform.program_activations a WHERE a.starts_at <= a.decided_at AND a.cancelled_at IS NULL
    RETURNING id, version, starts_at
    """)
_SCHEDULE = text("""
    INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)
    VALUES (:version, :starts_at, :now, :actor) RETURNING id, version, starts_at
    """)
_ACTIVATION = text("""
    SELECT id, version, starts_at, cancelled_at FROM platform.program_activations WHERE id = :id
    """)
_ACTOR = text("SELECT actor FROM platform.program_activations WHERE id = :id")
_CANCEL = text("""
    UPDATE platform.program_activations SET cancelled_at = :now, cancelled_by = :actor WHERE id = :id
    """)


class ActivationError(Exception):
    """An activation that cannot be: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
    await _lock(connection, now)
    timeline = await read_timeline(connection)
    _check_start(timeline, now, starts_at)
    before = timeline.in_force(now if starts_at is None else starts_at)
    if before is not None and (await read_version(connection, before.version)).source == source:
        return before
    version = await _store(connection, source, before, origin=origin, actor=actor, now=now)
    return await _activate(connection, version, actor=actor, now=now, starts_at=starts_at)


async def keep_file(
    connection: AsyncConnection, source: str, now: datetime, *, shipped: bool = False
) -> None:
    """Put the program file in force if it differs from the one that was last read from a file.

    The one that is `shipped` with a release gives way to what somebody activated: a new release is no decision of the
    shop's.

    Raises `ProgramError`.
    """
    await _lock(connection, now)
    if await connection.scalar(_NEWEST_FILE) == source:
        return
    before = (await read_timeline(connection)).in_force(now)
    if shipped and before is not None and await connection.scalar(_ACTOR, {"id": before.id}) is not None:
        return
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
        ProgramError: It is not fit to go live any more: this release is stricter.
        ActivationError: The moment is none that can be.
    """
    await _lock(connection, now)
    await _load_fit(connection, (await read_version(connection, version)).source)  # for this release too
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


async def _lock(connection: AsyncConnection, now: datetime) -> None:
    """Let nobody else decide until the transaction ends; and put right what a clock that was ahead has decided."""
    await connection.execute(_LOCK, {"lock": PROGRAM_LOCK})
    bound = {"now": now, "latest": now + 2 * CLOCKS_DIFFER, "by": CLOCK_PUT_RIGHT}
    await connection.execute(_PUT_RIGHT, bound)


def _check_start(timeline: Timeline, now: datetime, starts_at: datetime | None) -> None:
    if starts_at is None:
        return
    if starts_at < now + NOTICE:
        raise ActivationError(
            "activation_too_soon", "The moment must lie ahead by some seconds; leave it out for at once."
        )
    if len(timeline.scheduled(now)) >= SCHEDULED_MAX:
        raise ActivationError("too_many_activations", f"{SCHEDULED_MAX} are scheduled already; cancel one.")


async def check_program(
    connection: AsyncConnection, source: str, now: datetime, starts_at: datetime | None = None
) -> tuple[Program | None, Program]:
    """The program that would be replaced (None: there is none yet), and the text as the program that would follow it.
    Stores nothing. Raises `ProgramError`."""
    before = (await read_timeline(connection)).in_force(now if starts_at is None else starts_at)
    if before is None:
        return None, await _load_fit(connection, source)
    stored = await read_version(connection, before.version)
    if stored.source == source:
        return (same := await _load_fit(connection, source, version=stored.version)), same
    return await _if_fit(stored), await _load_fit(connection, source, retired=stored.retired)


async def _load(source: str, *, version: int = 0, retired: Set[str] = frozenset()) -> Program:
    """`load_program` beside the event loop: a long text takes seconds, in which checkouts want their answers."""
    return await asyncio.to_thread(load_program, source, version=version, retired_ids=retired)


async def _load_fit(
    connection: AsyncConnection, source: str, *, version: int = 0, retired: Set[str] = frozenset()
) -> Program:
    """The program of a text that this database can go by too."""
    program = await _load(source, version=version, retired=retired)
    await check_zone(connection, program, source)
    return program


async def _if_fit(stored: StoredProgram) -> Program | None:
    """A stored version, unless a release that allowed more has stored it: even then another can follow."""
    try:
        return await _load(stored.source, version=stored.version, retired=stored.retired)
    except ProgramError:
        return None


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
    program = await _load_fit(connection, source, version=newest + 1, retired=refused)
    retired: Set[str] = program.removed_ids
    if newest:
        last = await read_version(connection, newest)
        previous = await _if_fit(last)
        retired = retired_after(previous, program) if previous is not None else retired | last.retired
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
