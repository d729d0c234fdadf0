"""What was refused: a file of the pieces themselves, to be mended and imported again, and a report that says why."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from deploy.errors import LocalError
from deploy.importing.checkpoint import Place
from deploy.importing.reading.faults import Refusal
from deploy.importing.reading.pieces import Piece, Source

SHOWN_MAX = 10

REPORT_HEAD = "line,column,reason,remedy\n"


class Rejects:
    """Both files, cut back to where the checkpoint says that they ended. They come into being with the first refusal,
    for their owner's eyes alone: they hold what the shop's file holds.

    Raises:
        LocalError: They cannot be written.
    """

    def __init__(self, place: Place, source: Source, *, rejects_bytes: int, report_bytes: int) -> None:
        self.first: list[Refusal] = []
        self._source = source
        self._rejects = _Appended(place.rejects, rejects_bytes, source.head_of_rejects())
        self._report = _Appended(place.report, report_bytes, REPORT_HEAD)

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rejects.close()
        self._report.close()

    def add(self, refused: Sequence[tuple[Piece, Refusal]]) -> tuple[int, int]:
        """Write these, durably, and answer how long both files are now."""
        for piece, why in refused:
            if len(self.first) < SHOWN_MAX:
                self.first.append(why)
            self._rejects.write(self._source.reject(piece, why))
            self._report.write(_line_of_report(why))
        return self._rejects.end(), self._report.end()


class _Appended:
    def __init__(self, path: Path, length: int, head: str) -> None:
        self._path = path
        self._head = head
        self._length = length
        self._descriptor: int | None = None
        self._waiting = bytearray()
        if not length:
            path.unlink(missing_ok=True)

    def write(self, text: str) -> None:
        if not self._length and not self._waiting:
            self._waiting += self._head.encode()
        self._waiting += text.encode(errors="replace")

    def end(self) -> int:
        if self._waiting:
            try:
                self._append()
            except OSError as error:
                raise LocalError(f"{self._path} cannot be written: {error.strerror}.") from error
        return self._length

    def _append(self) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.ftruncate(self._descriptor, self._length)
            os.lseek(self._descriptor, 0, os.SEEK_END)
        with os.fdopen(os.dup(self._descriptor), "wb") as file:
            file.write(self._waiting)
        os.fsync(self._descriptor)
        self._length += len(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _line_of_report(why: Refusal) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([why.line, why.column, why.reason, why.remedy])
    return out.getvalue()
