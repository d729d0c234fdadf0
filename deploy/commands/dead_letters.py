"""`regulars dead-letters list | replay`: records that a service could not handle."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from deploy.commands.installation import installation, run
from deploy.errors import LocalError
from shared.bus.consuming.dead_letters import DeadLetter, DeadLetters, event_in
from shared.bus.interface import BusUnavailableError
from shared.bus.wiring import make_producer
from shared.clock import system_clock

app = typer.Typer(no_args_is_help=True, help="Records that a service could not handle: list, replay.")


class Consumer(StrEnum):
    """A service that reads a stream, and so has dead letters."""

    SCORING = "scoring"
    REWARDS = "rewards"
    DELIVERIES = "deliveries"


ServiceOption = Annotated[Consumer, typer.Option("--service", help="Whose dead letters.")]


@app.command("list")
def list_command(
    service: ServiceOption,
    everything: Annotated[bool, typer.Option("--all", help="Include those already replayed.")] = False,
    after: Annotated[int, typer.Option(help="Only those with a greater id, for paging.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """Show what was set aside and why, oldest first."""

    async def work() -> tuple[list[DeadLetter], int]:
        letters = DeadLetters(service.value)
        async with installation() as (_, engine), engine.connect() as connection:
            found = await letters.list(connection, after=after, limit=limit, replayed=everything)
            return found, await letters.count(connection)

    found, waiting = run(work())
    for letter in found:
        replayed = f", replayed {letter.replayed_at:%Y-%m-%d %H:%M:%S}" if letter.replayed_at else ""
        typer.echo(
            f"{letter.id}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.topic}/{letter.partition}@{letter.offset}{replayed}"
        )
        typer.echo(f"    {letter.reason}: {letter.detail} (event {event_in(letter.value) or 'unknown'})")
    typer.echo(f"{waiting} wait in {service.value}.")


@app.command()
def replay(
    service: ServiceOption,
    ids: Annotated[
        list[int] | None, typer.Argument(help="Only these; all waiting ones if none is given.")
    ] = None,
) -> None:
    """Publish them once more; one that fails again is set aside again."""
    typer.echo(f"{run(_replay(service, ids or None))} published again.")


async def _replay(service: Consumer, ids: Sequence[int] | None) -> int:
    async with installation() as (settings, engine):
        producer = make_producer(settings, engine)
        try:
            await producer.start()
            return await DeadLetters(service.value).replay(engine, producer, system_clock(), ids)
        except BusUnavailableError as error:
            raise LocalError(
                f"The stream cannot be written to now: {error}. Nothing is lost; try again."
            ) from error
        finally:
            await producer.stop()
