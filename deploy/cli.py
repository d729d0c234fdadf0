"""The command line, `regulars`: what one does with an installation, each command in `deploy.commands`."""

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.commands import (
    dead_letters,
    importing,
    keys,
    ledger,
    listening,
    metrics,
    program,
    rebuilding,
    simulating,
    triggering,
)
from deploy.commands.installation import run
from deploy.errors import LocalError
from deploy.local.prepare import prepare
from deploy.local.up import Running, up
from deploy.screen import Screen
from shared.clock import system_clock
from shared.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Regulars: an event-driven loyalty engine.",
)
app.add_typer(keys.app, name="keys")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(ledger.app, name="ledger")
app.add_typer(metrics.app, name="metrics")
app.add_typer(program.app, name="program")
app.command("import")(importing.import_command)
app.command("rebuild")(rebuilding.rebuild)
app.command("simulate")(simulating.simulate)
app.command("listen")(listening.listen)
app.command("trigger")(triggering.trigger)


WithKafka = Annotated[
    bool,
    typer.Option(
        "--kafka", help="Also start a Kafka for the streams (needs Java, and Maven the first time)."
    ),
]


@app.command("up")
def up_command(kafka: WithKafka = False) -> None:
    """Start everything on this machine, until Ctrl-C."""
    screen = Screen(Console(), system_clock)

    async def show(running: Running) -> None:
        print_board(screen, running)

    run(up(Settings(), screen, system_clock, show, kafka=kafka))


@app.command()
def demo(
    orders: Annotated[
        int, typer.Option(min=0, help="How many orders to replay; 0 replays the whole year (155,848).")
    ] = 0,
    kafka: WithKafka = False,
) -> None:
    """Start everything, replay a year of real orders through the API, and stay up until Ctrl-C."""
    from deploy.demo.play import play  # noqa: PLC0415  # needs the demo's extra packages

    screen = Screen(Console(), system_clock)

    async def body(running: Running) -> None:
        await play(running, screen, system_clock, orders or None)

    run(up(Settings(), screen, system_clock, body, kafka=kafka))


@app.command("migrate")
def migrate_command() -> None:
    """Migrate the database at DATABASE_URL, and make the first API key if there is none."""
    screen = Screen(Console(), system_clock)
    made = run(prepare(Settings(), system_clock, screen.line))
    screen.line("The tables are up to date")
    if made.new_key is not None:
        print_new_key(screen, made.new_key)


@app.command("version")
def version_command() -> None:
    """Print the version."""
    try:
        typer.echo(version("regulars"))
    except PackageNotFoundError:  # run from the source folder without being installed
        typer.echo("unknown (not installed)")


def print_board(screen: Screen, running: Running) -> None:
    """Where everything answers, and the key if it is new."""
    console = screen.console
    console.print()
    for service in ("ingest", "scoring", "rewards"):
        console.print(f"  {service:<8} {running.address(f'{service}-api')}/docs", highlight=False)
    console.print(f"  logs     {running.settings.home.resolve() / 'logs'}", highlight=False, soft_wrap=True)
    if running.new_key is not None:
        print_new_key(screen, running.new_key)
    console.print()
    screen.line("Regulars is ready. Ctrl-C ends it.")


def print_new_key(screen: Screen, token: str) -> None:
    """The token of a new key, for the only time."""
    screen.console.print(f"  API key  {token}", highlight=False, soft_wrap=True)
    screen.console.print(
        "           (all scopes; shown this once and kept only as a hash: store it now)", style="dim"
    )


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except LocalError as error:
        Console(stderr=True).print(
            f"regulars: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            print(f"regulars: {_variable(str(problem['loc'][0]))}: {problem['msg']}.", file=sys.stderr)
        sys.exit(2)


def _variable(name: str) -> str:
    """The environment variable behind a setting."""
    return f"REGULARS_{name.upper()}" if name in Settings.model_fields else name


if __name__ == "__main__":
    main()
