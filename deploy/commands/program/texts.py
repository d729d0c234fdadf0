"""Programs as the command line names them: a file, or the number of a stored version."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.errors import LocalError
from shared.program.describing.difference import Change
from shared.program.model.program import Program
from shared.program.parse import ProgramError, load_program
from shared.program.versions.reading import NoProgramError, read_timeline, read_version
from shared.program.versions.timeline import Timeline

VERSION_MAX = 2**31 - 1


def version_in(name: str) -> int | None:
    """The number of a version, such as `3` or `v3`; None for the name of a file."""
    digits = name.removeprefix("v")
    return int(digits) if digits.isdecimal() and 0 < int(digits) <= VERSION_MAX else None


def read_file(name: str) -> str:
    """The text of a program file. Raises `LocalError`."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise LocalError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LocalError(f"{name} cannot be read: it is not UTF-8.") from error


def load_file(name: str) -> Program:
    """The program in a file; every fault is shown with its place, and the command ends."""
    text = read_file(name)
    try:
        return load_program(text)
    except ProgramError as error:
        raise show_faults(name, error) from error


def show_faults(name: str, error: ProgramError) -> typer.Exit:
    """Show every fault; answers how the command ends."""
    for fault in error.errors:
        typer.echo(f"{name}:{fault}", err=True)
    return typer.Exit(1)


async def load_version(connection: AsyncConnection, version: int) -> Program:
    """A stored version. Raises `LocalError`."""
    try:
        return load_program((await read_version(connection, version)).source, version=version)
    except NoProgramError as error:
        raise LocalError(f"{error} `regulars program list` shows all.") from error
    except ProgramError as error:
        raise LocalError(f"Version {version} is not fit for this release: {error}") from error


async def timeline_of(connection: AsyncConnection) -> Timeline:
    """What is in force when. Raises `LocalError` while nothing is."""
    timeline = await read_timeline(connection)
    if not timeline.activations:
        raise LocalError("No program is stored yet: the rewards worker stores the first one when it starts.")
    return timeline


def moment_in(text: str, zone: ZoneInfo) -> datetime:
    """The moment that `2026-12-01` or `2026-12-01T09:00` is in the program's zone, or one with an offset. Raises
    `LocalError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LocalError(f"{text!r} is no moment. Write such as 2026-12-01 or 2026-12-01T09:00.") from error
    local = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return local.astimezone(UTC)


def show_difference(changes: Sequence[Change]) -> None:
    """A sentence each."""
    for change in changes:
        typer.echo(f"  {change.sentence}")
    if not changes:
        typer.echo("  Nothing that counts changes: at most comments, or the order of rules.")
