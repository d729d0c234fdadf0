"""`regulars ledger verify | import`: prove the ledger, and bring opening balances into it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from deploy.commands.installation import installation, run
from deploy.commands.openings import import_openings
from services.rewards.adapters.proving import Finding, prove

app = typer.Typer(no_args_is_help=True, help="The ledger of points: verify it, import opening balances.")

PATIENCE = "1h"
"""A proof reads every entry; the usual limit of a statement is for small ones."""


@app.callback()
def ledger() -> None:
    """The ledger of points: verify it, import opening balances."""


@app.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Prove that balances, lots, entries and redemptions agree, and that the database's guards stand. Reads everything,
    changes nothing, and holds nobody up. Ends with 1 when something is wrong."""
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


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(help="CSV with the columns customer, points, and if need be expires_on, reference."),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: say what would come of it.")
    ] = False,
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
