"""What there is, and how it differs: nothing is changed here."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.commands.installation import installation, run
from deploy.commands.program.texts import (
    VERSION_MAX,
    load_file,
    load_version,
    read_file,
    show_difference,
    show_faults,
    timeline_of,
    version_in,
)
from shared.clock import system_clock
from shared.program.describing.difference import difference
from shared.program.model.program import Program
from shared.program.parse import ProgramError, load_program
from shared.program.versions.reading import read_decisions, read_version, read_versions
from shared.program.versions.store import check_program

LISTED_MAX = 100

FileOrVersion = Annotated[str, typer.Argument(help="A program file, or the number of a version.")]


def check(
    file: Annotated[
        str | None,
        typer.Argument(help="The program file, such as program.yaml; left out: all that are stored."),
    ] = None,
) -> None:
    """Check a program file; every fault is shown with its line and column.

    Without a file, whether this release can read the versions that are stored: to be asked before it is put in place
    of an older one. Ends with 1 if it cannot read one that is in force or scheduled.
    """
    if file is None:
        raise typer.Exit(run(_check_stored()))
    program = load_file(file)
    typer.echo(f"{file}: {program.name!r} is fit to go live.")


async def _check_stored() -> int:
    """Say which stored versions cannot be read; how the command ends."""
    read = unreadable = missed = 0
    before, now = VERSION_MAX, system_clock()
    async with installation() as (_, engine), engine.connect() as connection:
        timeline = await timeline_of(connection)
        in_force = timeline.in_force(now)
        wanted = {one.version for one in timeline.scheduled(now)}
        wanted |= {in_force.version} if in_force is not None else set()
        while found := await read_versions(connection, before, LISTED_MAX):
            before = found[-1].version
            for one in found:
                read += 1
                try:
                    load_program(one.source, version=one.version)
                except ProgramError as error:
                    unreadable += 1
                    missed += one.version in wanted
                    use = "in force or scheduled" if one.version in wanted else "not in force"
                    typer.echo(f"Version {one.version}, {use}, cannot be read by this release:", err=True)
                    show_faults(str(one.version), error)
    typer.echo(f"{read - unreadable} of {read} stored versions can be read by this release.")
    return 1 if missed else 0


def diff(
    one: FileOrVersion,
    other: Annotated[
        str | None,
        typer.Argument(help="Another one; without it, the first is compared with the version in force."),
    ] = None,
) -> None:
    """Show in plain words what changes: from the version in force to ONE, or from ONE to OTHER."""
    if other is not None and version_in(one) is None and version_in(other) is None:
        before, after = load_file(one), load_file(other)
    else:
        before, after = run(_both(one, other))
    show_difference(difference(before, after))


async def _both(one: str, other: str | None) -> tuple[Program, Program]:
    async with installation() as (_, engine), engine.connect() as connection:
        if other is not None:
            return await _program(connection, one), await _program(connection, other)
        now = system_clock()
        in_force = (await timeline_of(connection)).in_force(now)
        assert in_force is not None
        before = await load_version(connection, in_force.version)
        if version_in(one) is not None:
            return before, await _program(connection, one)
        try:
            return before, (await check_program(connection, read_file(one), now))[1]
        except ProgramError as error:
            raise show_faults(one, error) from error


async def _program(connection: AsyncConnection, name: str) -> Program:
    version = version_in(name)
    return load_file(name) if version is None else await load_version(connection, version)


def list_command() -> None:
    """Show the versions, the newest first, and when each is or was in force from."""

    async def work() -> Table:
        now = system_clock()
        table = Table(Column("version", justify="right"), "stored", "by", "from", "", box=None)
        async with installation() as (_, engine), engine.connect() as connection:
            in_force = (await timeline_of(connection)).in_force(now)
            found = await read_versions(connection, VERSION_MAX, LISTED_MAX)
            decisions = await read_decisions(connection, [one.version for one in found])
        for one in found:
            by = one.origin if one.actor is None else f"{one.origin}: {one.actor}"
            table.add_row(str(one.version), f"{one.at:%Y-%m-%d %H:%M}", by)
            for decision in decisions[one.version]:
                if in_force is not None and decision.id == in_force.id:
                    state = "in force"
                elif decision.cancelled_at is not None:
                    state = f"activation {decision.id}, cancelled"
                    if decision.cancelled_by is not None:
                        state += f" by {decision.cancelled_by}"
                else:
                    state = f"activation {decision.id}, scheduled" if decision.starts_at > now else "over"
                table.add_row("", "", "", f"{decision.starts_at:%Y-%m-%d %H:%M} UTC", state)
        return table

    Console().print(run(work()))


def show(
    version: Annotated[
        int | None, typer.Argument(min=1, max=VERSION_MAX, help="Left out: the version in force.")
    ] = None,
) -> None:
    """Print the text of a version."""

    async def work() -> str:
        async with installation() as (_, engine), engine.connect() as connection:
            number = version
            if number is None:
                in_force = (await timeline_of(connection)).in_force(system_clock())
                assert in_force is not None
                number = in_force.version
            await load_version(connection, number)
            return (await read_version(connection, number)).source

    typer.echo(run(work()), nl=False)
