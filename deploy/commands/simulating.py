"""`regulars simulate`: what would a program have given over real history, against the one in force?"""

import csv
import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_json

from deploy.commands.installation import installation, run
from deploy.errors import LocalError
from services.rewards.adapters.programs import NoProgramError, PostgresPrograms
from services.rewards.domain.simulation.contrast import CustomerContrast
from services.rewards.domain.simulation.report import report
from services.rewards.domain.simulation.result import CustomerRow, Summary
from services.rewards.domain.simulation.summary import customer_row, summarize
from services.rewards.entrypoints.simulation.preparing import Wish, prepare
from services.rewards.entrypoints.simulation.simulator import SimulatorError, simulate_in_processes
from shared.clock import system_clock
from shared.program.model.program import Program
from shared.program.parse import ProgramError, load_program
from shared.program.values.calendar import midnight


def simulate(  # noqa: PLR0917  # one for each option
    file: Annotated[Path, typer.Argument(help="The program file, such as program.yaml.")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Figures count from this day on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="History is played until this day begins.")
    ] = None,
    sample: Annotated[float, typer.Option(min=0.1, max=100, help="Percent of all customers.")] = 100.0,
    customers: Annotated[
        Path | None, typer.Option(help="Write every customer who would notice a difference to this CSV file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many processes; one per core if not given.")
    ] = None,
) -> None:
    """Play a program over the kept history and compare it with the one in force; nothing is written."""
    try:
        source = file.read_text(encoding="utf-8")
        proposed = load_program(source)
        period = _moment(since, proposed.time_zone), _moment(until, proposed.time_zone)
        summary, rows = run(_simulate(source, proposed, period, sample, customers is not None, processes))
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{file} cannot be read: {error}") from error
    except ProgramError as error:
        for fault in error.errors:
            typer.echo(f"{file}:{fault}", err=True)
        raise typer.Exit(1) from error
    if customers is not None:
        _write(customers, rows)
    typer.echo(to_json(summary, indent=2).decode() if as_json else report(summary), nl=as_json)


async def _simulate(  # noqa: PLR0917
    source: str,
    proposed: Program,
    period: tuple[datetime | None, datetime | None],
    sample: float,
    each: bool,
    processes: int | None,
) -> tuple[Summary, list[CustomerContrast]]:
    now = system_clock()
    since, until = period[0], min(period[1] or now, now)
    if since is not None and since >= until:
        raise LocalError("--from must lie before --to, and before today.")
    wish = Wish(source, since, until, sample)
    async with installation() as (settings, engine):
        programs = PostgresPrograms(b"no codes are made")
        try:
            async with engine.begin() as connection:
                live = (await programs.latest(connection, now))[0].program
                task = await prepare(connection, programs, wish, (), live, each=each)
        except NoProgramError as error:
            raise LocalError("No program is in force yet. Run `regulars up` first.") from error
        assert settings.database_url is not None
        try:
            found = await simulate_in_processes(
                settings.database_url, "regulars_rewards", task, processes or os.cpu_count() or 1
            )
        except* SimulatorError as errors:
            raise LocalError(f"The simulation did not end well: {errors.exceptions[0]}") from errors
    return summarize(found.contrast, live, proposed, since, until), found.customers


def _moment(day: str | None, zone: ZoneInfo) -> datetime | None:
    """The beginning of a day."""
    if day is None:
        return None
    try:
        return midnight(date.fromisoformat(day), zone)
    except ValueError as error:
        raise LocalError(f"{day!r} is not a day such as 2026-05-01.") from error


def _write(path: Path, customers: list[CustomerContrast]) -> None:
    names = list(CustomerRow.__dataclass_fields__)
    rows = [customer_row(one) for one in sorted(customers, key=lambda one: one.customer)]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([getattr(row, name) for name in names] for row in rows)
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error}") from error
