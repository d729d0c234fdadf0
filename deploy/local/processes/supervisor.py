"""All service processes together: started, waited for, kept alive, ended."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.errors import LocalError
from deploy.local.home import Home
from deploy.local.processes.child import Child, Tell
from deploy.local.processes.plan import ProcessPlan

READY_S_MAX = 180.0
DEATHS_MAX = 3
"""A process that dies this often before it was ready once will not come up by trying."""

LOG_BYTES_MAX = 20 * 1024 * 1024
LOGS_KEPT = 3
ROTATE_EVERY_S = 5.0
LOOK_EVERY_S = 0.1


class Supervisor:
    """Keeps `plans` running; `end` ends them all."""

    def __init__(self, plans: Sequence[ProcessPlan], home: Home, tell: Tell) -> None:
        self._home = home
        self._children = [Child(plan, home, tell) for plan in plans]
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Start every process, and see to their logs."""
        self._tasks = [
            asyncio.create_task(child.keep_running(), name=child.plan.name) for child in self._children
        ]
        self._tasks.append(asyncio.create_task(rotate_forever(self._home.logs), name="logs"))

    async def wait_until_ready(self, progress: Callable[[int, int], None]) -> None:
        """Return once every process says that it can do its job; `progress` hears (ready, all).

        Raises:
            LocalError: One does not come up; the message carries the end of its log.
        """
        deadline = time.monotonic() + READY_S_MAX
        while True:
            waiting = [child for child in self._children if not child.ready.is_set()]
            progress(len(self._children) - len(waiting), len(self._children))
            if not waiting:
                return
            for child in waiting:
                if child.deaths_before_ready >= DEATHS_MAX:
                    raise LocalError(
                        f"{child.plan.name} does not start. Its log ends with:\n{child.last_words()}"
                    )
            if time.monotonic() > deadline:
                child = waiting[0]
                raise LocalError(
                    f"{child.plan.name} is not ready after {READY_S_MAX:.0f} s: {child.reasons}\n"
                    f"Its log ({child.log}) ends with:\n{child.last_words()}"
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def watch(self) -> None:
        """Run until cancelled; a failure of the watching itself comes out here."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def end(self, force: asyncio.Event) -> None:
        """End every process at once, each within its grace."""
        await asyncio.gather(*(child.stop(force) for child in self._children))
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def rotate_forever(folder: Path) -> None:
    """Keep every log in `folder` below `LOG_BYTES_MAX`, and `LOGS_KEPT` older ones of each."""
    while True:
        await asyncio.sleep(ROTATE_EVERY_S)
        await asyncio.to_thread(rotate_large, folder)


def rotate_large(folder: Path) -> None:
    """Rotate every log in `folder` that is above `LOG_BYTES_MAX`."""
    for log in sorted(folder.glob("*.log")):
        if log.stat().st_size > LOG_BYTES_MAX:
            rotate(log)


def rotate(log: Path) -> None:
    """Move the content of `log` to `log.1`, that to `log.2`, …; the file itself stays, since its writer has it
    open (for appending, so that it goes on at the new end)."""
    for number in range(LOGS_KEPT, 1, -1):
        older = log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))
    copy = log.with_name(f"{log.name}.1")
    shutil.copyfile(log, copy)
    copy.chmod(0o600)
    os.truncate(log, 0)
