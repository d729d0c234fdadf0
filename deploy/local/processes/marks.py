"""Marks of running processes on disk, so that a later start can end what an earlier one left behind.

A mark names a process by id and start time: ids come round again, and a stranger must never be ended.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from deploy.local.home import write_atomically

SAME_START_S = 0.05
GENTLE_S = 10.0
FIRM_S = 5.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Process `pid`, which began at `started` (seconds since 1970)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Mark | None":
        """The mark of a running process; None when it has already ended."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    def process(self) -> psutil.Process | None:
        """The very process that was marked, if it still runs."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < SAME_START_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def write(path: Path, mark: Mark) -> None:
    """Keep `mark` at `path`."""
    write_atomically(path, msgspec.json.encode(mark).decode(), mode=0o600)


def read(path: Path) -> Mark | None:
    """The mark at `path`; None when there is none or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None


def end_left_behind(folder: Path) -> list[str]:
    """End every process that a mark in `folder` names, remove the marks, and tell who was ended."""
    found: list[tuple[str, psutil.Process]] = []
    for path in sorted(folder.glob("*.pid")):
        mark = read(path)
        process = mark.process() if mark else None
        if process is not None:
            found.append((path.stem, process))
    processes = [process for _, process in found]
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=GENTLE_S)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=FIRM_S)
    for path in folder.glob("*.pid"):
        path.unlink(missing_ok=True)
    return [name for name, _ in found]
