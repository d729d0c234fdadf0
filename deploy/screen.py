"""What a person in front of the terminal sees: short lines with the time, a bar while something takes long."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from shared.clock import Clock

PLAIN_EVERY_S = 2.0


class Screen:
    """Writes to `console`; without a terminal (a log, a pipe) plain lines take the place of bars."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self.console = console
        self._clock = clock

    def line(self, message: str) -> None:
        """One line, with the local time in front."""
        stamp = datetime.astimezone(self._clock()).strftime("%H:%M:%S")
        self.console.print(f"[dim]{stamp}[/dim]", end=" ", highlight=False)
        self.console.print(message, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """A bar; the function that it yields is told (done, all)."""
        if not self.console.is_terminal:
            yield self._plain(title)
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def _plain(self, title: str) -> Callable[[int, int], None]:
        last = float("-inf")

        def tell(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PLAIN_EVERY_S or done == total:
                last = now
                self.line(f"{title}: {done} of {total}")

        return tell
