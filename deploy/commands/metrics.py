"""`regulars metrics rebuild`: have the metrics counted anew."""

from typing import Annotated

import typer

from deploy.commands.installation import installation, run
from services.scoring.adapters.metrics.rollups import PostgresRollups
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.application.metrics.roll_up import count_anew
from shared.clock import system_clock

app = typer.Typer(no_args_is_help=True, help="Metrics: recount them.")


@app.callback()
def metrics() -> None:
    """Metrics: count anew."""


@app.command()
def rebuild(
    from_nothing: Annotated[
        bool,
        typer.Option(
            "--from-nothing", help="Remove all sums first; answers are incomplete until all are counted."
        ),
    ] = False,
) -> None:
    """Count every customer anew, in the background, by the worker that runs (or by the next one to start)."""

    async def work() -> None:
        async with installation() as (_, engine), engine.begin() as connection:
            now = system_clock()
            await count_anew(connection, PostgresStale(), PostgresRollups(), now, from_nothing=from_nothing)

    run(work())
    typer.echo("All customers will be counted anew. `as_of` in GET /v1/metrics says how far it has come.")
