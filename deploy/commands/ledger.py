"""`regulars ledger verify | rebuild | import`: prove the ledger, sum it up by day anew, bring opening balances."""

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from deploy.commands.installation import installation, run
from deploy.commands.openings import NO_PROGRAM, import_openings
from deploy.errors import LocalError
from services.rewards.adapters.points.books.by_day import PostgresBooks
from services.rewards.adapters.points.proving import Finding, prove
from services.rewards.adapters.programs import NoProgramError
from services.rewards.application.points.booking import KeepBooks
from services.rewards.wiring.parts import programs_of
from shared.clock import system_clock

HELP = "The ledger of points: verify it, import opening balances, sum it up by day."

app = typer.Typer(no_args_is_help=True, help=HELP)

PATIENCE = "1h"
"""A proof reads every entry; the usual limit of a statement is for small ones."""


@app.callback()
def ledger() -> None:
    """The ledger of points: verify it, import opening balances, sum it up by day."""


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that balances, lots, entries, redemptions and the books by day agree, and that the database's guards stand.
    Reads everything, changes nothing, and holds nobody up. Ends with 1 when something is wrong."""
    found = run(_verify())
    if as_json:
        typer.echo(
            json.dumps({what: [(f.who, f.detail) for f in findings] for what, findings in found.items()})
        )
    else:
        for what, findings in found.items():
            typer.echo(f"{'WRONG' if findings else 'ok   '}  {what}")
            for finding in findings:
                typer.echo(f"       {finding.who}: {finding.detail}")
    if any(found.values()):
        raise typer.Exit(1)


async def _verify() -> dict[str, list[Finding]]:
    async with installation() as (_, engine), engine.connect() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        await connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
        return {what: findings async for what, findings in prove(connection)}


@app.command()
def rebuild() -> None:
    """Make the books by day anew from the ledger, should `verify` find them wrong. Reads every entry, and holds nobody
    up."""
    run(_rebuild())
    typer.echo("The books by day are made anew.")


async def _rebuild() -> None:
    async with installation() as (settings, engine), engine.begin() as connection:
        programs = programs_of(settings)
        try:
            await KeepBooks(PostgresBooks(), programs).make_anew(connection, system_clock())
        except NoProgramError:
            raise LocalError(NO_PROGRAM) from None


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(help="CSV with the columns customer, points, and optionally expires_on, reference."),
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing: show the result.")] = False,
) -> None:
    """Open balances that customers bring from another system. The same file again changes nothing; nobody gets a
    message. Ends with 1 when lines were refused."""
    tally = run(import_openings(file, dry_run=dry_run))
    for line, why in tally.refused:
        typer.echo(f"line {line}: {why}", err=True)
    done = "would be opened" if dry_run else "opened"
    typer.echo(
        f"{tally.taken} balances {done} with {tally.points} points; {tally.before} were there before; "
        f"{len(tally.refused)} lines refused."
    )
    if tally.refused:
        raise typer.Exit(1)
