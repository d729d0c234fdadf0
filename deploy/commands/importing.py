"""`regulars import`: the options, and the way to ingest."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from deploy.commands.calling import calling
from deploy.commands.installation import run
from deploy.errors import LocalError
from deploy.importing.open import Opened, opened
from deploy.importing.reading.choices import Choices
from deploy.importing.reading.values import Status, status_word
from deploy.importing.show import Progress, print_trial, tell_end
from deploy.importing.trial import rehearse
from deploy.screen import Screen
from shared.auth.scopes import Scope
from shared.clock import system_clock

KEY_NAME = "import"
RIGHTS = frozenset({Scope.EVENTS_WRITE})
REFUSED = 1
"""The exit code when the import went through but refused some lines."""


def import_command(
    file: Annotated[Path, typer.Argument(help="Orders in CSV or events in NDJSON; gzip is allowed.")],
    *,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column holds; repeat for several."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: show the first events, and count the mistakes.")
    ] = False,
    time_zone: Annotated[
        str | None, typer.Option(help="Time zone of times without an offset, such as Europe/Berlin.")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Format of times, such as '%d/%m/%Y %H:%M'.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of orders without one, such as USD.")] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Amounts are written 1.234,50.")
    ] = False,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter of the CSV, if not detected.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the text, if not detected.")] = None,
    paid: Annotated[
        list[str] | None, typer.Option(help="A status that means paid; repeat for several.")
    ] = None,
    unpaid: Annotated[
        list[str] | None, typer.Option(help="A status of orders to skip; repeat for several.")
    ] = None,
    source: Annotated[str, typer.Option(help="The source of the events, part of their identity.")] = "import",
    without_points: Annotated[
        bool, typer.Option("--without-points", help="The history earns no points and no offers.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Where ingest answers, if not on this machine.")] = None,
    work_folder: Annotated[
        Path | None, typer.Option(help="Folder for progress and reports; beside the file if not given.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin from the first line again; what was taken counts once.")
    ] = False,
) -> None:
    """Import years of orders or events as history; no customer gets a message. Run it again to resume."""
    choices = Choices(
        source=source,
        columns=_pairs(columns or []),
        currency=currency.upper() if currency else None,
        zone=_zone(time_zone),
        time_format=time_format,
        decimal_comma=decimal_comma,
        delimiter=_delimiter(delimiter),
        encoding=encoding,
        statuses=_statuses(paid or [], unpaid or []),
        points=not without_points,
    )
    screen = Screen(Console(), system_clock)
    with opened(file, choices, work_folder) as found:
        screen.line(found.source.describe())
        refused = _rehearse(found, screen) if dry_run else run(_import(found, screen, url, restart=restart))
    if refused:
        raise typer.Exit(REFUSED)


def _rehearse(found: Opened, screen: Screen) -> int:
    with Progress(screen, found.file) as progress:
        for trial in rehearse(found.source, system_clock()):
            progress.told(trial.tally)
    print_trial(screen, trial, found.file)
    return trial.tally.refused


async def _import(found: Opened, screen: Screen, url: str | None, *, restart: bool) -> int:
    if restart:
        found.place.forget()
    checkpoint = found.checkpoint()
    if checkpoint.done_at is not None:
        screen.line(
            f"This file was imported on {checkpoint.done_at:%Y-%m-%d %H:%M} UTC. --restart sends it once more."
        )
        return 0
    if checkpoint.tally.pieces:
        screen.line(f"Going on after {checkpoint.tally.pieces:,} that are done")
    async with calling("ingest", url, name=KEY_NAME, scopes=RIGHTS) as (client, token):
        with Progress(screen, found.file, begun=checkpoint.tally) as progress:
            first = await found.work(client, token, checkpoint, progress.told).run()
    tell_end(screen, checkpoint.tally, first, found)
    return checkpoint.tally.refused


def _pairs(words: list[str]) -> dict[str, str]:
    pairs = {}
    for each in words:
        column, sign, field = each.rpartition("=")
        if not sign or not column:
            raise LocalError(f"--map {each!r}: write it as COLUMN=FIELD, such as --map 'Order No=order_id'.")
        pairs[column] = field.strip()
    return pairs


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # a wrong name may be any of these
        raise LocalError(
            f"--time-zone: there is no time zone {name!r}; write it like Europe/Berlin."
        ) from error


def _delimiter(text: str | None) -> str | None:
    if text in ("tab", r"\t"):
        return "\t"
    if text is not None and len(text) != 1:
        raise LocalError(f"--delimiter is {text!r}; give one character, or the word tab.")
    return text


def _statuses(paid: list[str], unpaid: list[str]) -> dict[str, Status]:
    statuses: dict[str, Status] = {status_word(word): "paid" for word in paid}
    for word in unpaid:
        if statuses.setdefault(status_word(word), "unpaid") == "paid":
            raise LocalError(f"The status {word!r} is given with --paid and with --unpaid.")
    return statuses
