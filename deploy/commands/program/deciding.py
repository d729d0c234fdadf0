"""Puts versions in force, and takes scheduled ones back."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.commands.installation import installation, run
from deploy.commands.program.texts import (
    load_file,
    load_version,
    moment_in,
    read_file,
    show_difference,
    show_faults,
    timeline_of,
    version_in,
)
from deploy.errors import LocalError
from shared.clock import system_clock
from shared.program.describing.difference import difference
from shared.program.model.program import Program
from shared.program.parse import ProgramError
from shared.program.versions.deciding import DecisionClock, server_time
from shared.program.versions.reading import read_timeline
from shared.program.versions.store import ActivationError, cancel, check_program, put_program
from shared.program.versions.store import activate as activate_version
from shared.program.versions.timeline import Activation

_CLOCK = DecisionClock(system_clock, server_time)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def activate(
    program: Annotated[str, typer.Argument(help="A program file, or the number of a version.")],
    at: Annotated[
        str | None,
        typer.Option(help="From when on, such as 2026-12-01 or 2026-12-01T09:00 in the program's time zone."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Put a program in force, at once or at a moment: a file as a new version, or a stored version again."""
    version = version_in(program)
    source = None if version is not None else read_file(program)
    if source is not None:
        load_file(program)

    async def work() -> None:
        async with _deciding() as connection:
            if version is not None:
                after = await load_version(connection, version)
            else:
                after = load_file(program)
            now = await _CLOCK.now(connection)
            starts_at = None if at is None else moment_in(at, after.time_zone)
            try:
                await _show_and_ask(connection, source, after, now, starts_at, yes=yes)
                now = await _CLOCK.now(connection)
                if source is not None:
                    put = await put_program(
                        connection, source, origin="command", actor=_who(), now=now, starts_at=starts_at
                    )
                else:
                    put = await activate_version(
                        connection, after.version, actor=_who(), now=now, starts_at=starts_at
                    )
            except ProgramError as error:
                raise show_faults(program, error) from error
            typer.echo(_said(put, now, after))

    run(work())


def rollback(
    version: Annotated[
        int | None, typer.Argument(min=1, help="Left out: the one that was in force before.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Put an earlier version in force again, at once."""

    async def work() -> None:
        async with _deciding() as connection:
            now = await _CLOCK.now(connection)
            number = version if version is not None else await _before(connection, now)
            after = await load_version(connection, number)
            await _show_and_ask(connection, None, after, now, None, yes=yes)
            now = await _CLOCK.now(connection)
            put = await activate_version(connection, number, actor=_who(), now=now)
            typer.echo(_said(put, now, after))

    run(work())


def cancel_command(
    activation: Annotated[int, typer.Argument(min=1, help="Its number in `regulars program list`.")],
) -> None:
    """Cancel a scheduled activation."""

    async def work() -> None:
        async with _deciding() as connection:
            await cancel(connection, activation, actor=_who(), now=await _CLOCK.now(connection))

    run(work())
    typer.echo(f"Activation {activation} is cancelled.")


@asynccontextmanager
async def _deciding() -> AsyncIterator[AsyncConnection]:
    """A transaction; what cannot be is said in one line."""
    async with installation() as (_, engine), engine.begin() as connection:
        try:
            yield connection
        except ActivationError as error:
            raise LocalError(str(error)) from error


async def _show_and_ask(
    connection: AsyncConnection,
    source: str | None,
    after: Program,
    now: datetime,
    starts_at: datetime | None,
    *,
    yes: bool,
) -> None:
    """Show what would be another than in the version that is in force then."""
    if source is not None:
        before, after = await check_program(connection, source, now, starts_at)
    else:
        in_force = (await timeline_of(connection)).in_force(starts_at or now)
        assert in_force is not None
        before = await load_version(connection, in_force.version)
    if before is not None:
        typer.echo(f"Against version {before.version}:")
        show_difference(difference(before, after))
    if not yes:
        typer.confirm("Put it in force?", abort=True)


async def _before(connection: AsyncConnection, now: datetime) -> int:
    """The version that was in force before the present one."""
    timeline = await read_timeline(connection)
    in_force = timeline.in_force(now)
    over = [one.version for one in timeline.activations if one.starts_at <= now]
    for version in over:
        if in_force is not None and version != in_force.version:
            return version
    raise LocalError("There is no version before the one in force.")


def _said(put: Activation, now: datetime, after: Program) -> str:
    if put.starts_at > now:
        local = put.starts_at.astimezone(after.time_zone)
        return f"Version {put.version} comes in force on {local:%Y-%m-%d at %H:%M} ({after.time_zone.key})."
    if put.starts_at < now:
        return f"Version {put.version} is in force already: nothing has changed."
    return f"Version {put.version} is in force."


def _who() -> str:
    """The person at the command line, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
