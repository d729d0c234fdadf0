"""How far an import has come, kept beside the file, so that it goes on there whatever ended it."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from deploy.errors import LocalError
from deploy.local.home import write_atomically

EDGE_BYTES = 1024 * 1024


class Tally(Struct):
    """What has become of the file so far. `skipped` counts pieces by the reason why nothing was to be sent, `notes`
    what was left out of events that were sent."""

    pieces: int = 0
    events: int = 0
    refused: int = 0
    skipped: dict[str, int] = {}
    notes: dict[str, int] = {}

    def skip(self, reason: str) -> None:
        """One piece more that was skipped."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def note(self, notes: Iterable[str]) -> None:
        """More of what was left out."""
        for what in notes:
            self.notes[what] = self.notes.get(what, 0) + 1


class Checkpoint(Struct):
    """All pieces counted in `tally` are done: taken by ingest, skipped, or in the files of rejects, which were
    `rejects_bytes` and `report_bytes` long then. `file` and `choices` tell whether it is about the same import."""

    file: str
    choices: str
    tally: Tally
    rejects_bytes: int = 0
    report_bytes: int = 0
    done_at: datetime | None = None


class Place:
    """Where the checkpoint of a file and its rejects lie: beside the file, or in `folder`."""

    def __init__(self, file: Path, folder: Path | None) -> None:
        where = folder or file.parent
        name = file.name.removesuffix(".gz")
        stem, dot, suffix = name.rpartition(".")
        self.checkpoint = where / f"{file.name}.import.json"
        self.rejects = where / (f"{stem}.rejects.{suffix}" if dot else f"{name}.rejects")
        self.report = where / (f"{stem}.refused.csv" if dot else f"{name}.refused.csv")

    def load(self, file: str, choices: str) -> Checkpoint:
        """The checkpoint of this import, or a new one.

        Raises:
            LocalError: There is one, but of another file or with other choices.
        """
        try:
            kept = msgspec.json.decode(self.checkpoint.read_bytes(), type=Checkpoint)
        except FileNotFoundError:
            return Checkpoint(file, choices, Tally())
        except (OSError, msgspec.DecodeError) as error:
            raise LocalError(
                f"{self.checkpoint} cannot be read ({error}). Remove it to begin from the first line: "
                "what was taken before counts once all the same."
            ) from error
        if kept.file != file:
            raise self._other("The file has changed since its import began")
        if kept.choices != choices:
            raise self._other("Its import was begun with other options")
        return kept

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep it, all or nothing.

        Raises:
            LocalError: The folder cannot be written to.
        """
        try:
            write_atomically(self.checkpoint, msgspec.json.encode(checkpoint).decode(), mode=0o600)
        except OSError as error:
            raise LocalError(
                f"{self.checkpoint} cannot be written ({error.strerror}): it says how far the import has come. "
                "Name a folder for it with --work-folder."
            ) from error

    def forget(self) -> None:
        """Begin from the first line next time."""
        for path in (self.checkpoint, self.rejects, self.report):
            path.unlink(missing_ok=True)

    def _other(self, reason: str) -> LocalError:
        return LocalError(
            f"{reason} ({self.checkpoint}). Put it back as it was, or begin from the first line with --restart: "
            "what was taken before counts once all the same."
        )


def fingerprint(path: Path) -> str:
    """Names the content of a file by its size, its first and its last mebibyte."""
    with path.open("rb") as file:
        digest = blake2b(file.read(EDGE_BYTES), digest_size=16)
        size = file.seek(0, 2)
        file.seek(max(size - EDGE_BYTES, 0))
        digest.update(file.read(EDGE_BYTES))
    return f"{size}-{digest.hexdigest()}"
