"""What a person sees of an import: a bar, or lines where there is no terminal, and what came of it."""

import time
from collections.abc import Sequence
from types import TracebackType

import msgspec
from rich import progress as bars

from deploy.importing.checkpoint import Tally
from deploy.importing.open import Opened
from deploy.importing.reading.faults import Refusal
from deploy.importing.reading.text import TextFile
from deploy.importing.trial import Trial
from deploy.screen import Screen

PLAIN_EVERY_S = 5.0


class Progress:
    """How much of the file has been read, and how fast it goes. `begun`: what was done before."""

    def __init__(self, screen: Screen, file: TextFile, begun: Tally | None = None) -> None:
        self._screen = screen
        self._file = file
        self._before = begun.pieces if begun else 0
        self._began = self._last = time.monotonic()
        self._bar = bars.Progress(
            bars.TextColumn("Importing"),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[told]}"),
            bars.TimeRemainingColumn(),
            console=screen.console,
            disable=not screen.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=file.size, told="")

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def told(self, tally: Tally) -> None:
        """How far it has come."""
        now = time.monotonic()
        rate = (tally.pieces - self._before) / max(now - self._began, 0.001)
        words = f"{tally.pieces:,} read, {tally.refused:,} refused, {rate:,.0f}/s"
        self._bar.update(self._task, completed=self._file.position, told=words)
        if not self._screen.console.is_terminal and now - self._last >= PLAIN_EVERY_S:
            self._last = now
            self._screen.line(f"{100 * self._file.position // max(self._file.size, 1)} %: {words}")


def tell_end(screen: Screen, tally: Tally, first: Sequence[Refusal], found: Opened) -> None:
    """What came of an import."""
    screen.line(f"Done: {tally.pieces:,} read, {tally.events:,} events taken by ingest")
    _tell_more(screen, tally, first, found.file)
    if tally.refused:
        screen.line(f"Why each was refused: {found.place.report}")
        screen.line(f"Mend these and import them: {found.place.rejects}")


def print_trial(screen: Screen, trial: Trial, file: TextFile) -> None:
    """What an import would do."""
    for event in trial.first:
        pretty = msgspec.json.format(msgspec.json.encode(event), indent=2).decode()
        screen.console.print(pretty, markup=False, highlight=False, soft_wrap=True)
    screen.line(
        f"Dry run: {trial.tally.pieces:,} read, {trial.tally.events:,} events would be sent; none was"
    )
    _tell_more(screen, trial.tally, trial.faults, file)


def _tell_more(screen: Screen, tally: Tally, first: Sequence[Refusal], file: TextFile) -> None:
    for reason, count in sorted(tally.skipped.items()):
        screen.line(f"{count:,} passed over: {reason}")
    for what, count in sorted(tally.notes.items()):
        screen.line(f"{count:,} {what}")
    if file.foreign_lines:
        screen.line(
            f"{file.foreign_lines:,} lines are not UTF-8 and were read as Windows-1252 (Latin-1); if names look wrong, "
            "give --encoding"
        )
    if tally.refused:
        screen.line(f"{tally.refused:,} refused; the first of them:")
        for why in first:
            screen.line(f"  {why}")
