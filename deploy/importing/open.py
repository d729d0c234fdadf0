"""Opens a file of history: finds out what it is, and locks it so that no second import works on it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from deploy.errors import LocalError
from deploy.importing.checkpoint import Checkpoint, Place, fingerprint
from deploy.importing.reading.choices import Choices
from deploy.importing.reading.ndjson import EventsFile
from deploy.importing.reading.orders import OrdersFile
from deploy.importing.reading.pieces import Source
from deploy.importing.reading.text import TextFile
from deploy.importing.run import Import, Told
from shared.clock import system_clock

JSON_NAMES = (".ndjson", ".jsonl", ".json")


class Opened(Struct, frozen=True):
    """A file ready to be imported."""

    path: Path
    file: TextFile
    source: Source
    place: Place
    choices: Choices

    def checkpoint(self) -> Checkpoint:
        """How far an earlier import of it has come. Raises `LocalError` when that was another file, or otherwise."""
        return self.place.load(fingerprint(self.path), self.choices.fingerprint())

    def work(self, client: httpx.AsyncClient, token: str, checkpoint: Checkpoint, told: Told) -> Import:
        """The import from there on."""
        return Import(
            self.source,
            self.place,
            checkpoint,
            client=client,
            token=token,
            points=self.choices.points,
            clock=system_clock,
            told=told,
        )


@contextmanager
def opened(path: Path, choices: Choices, folder: Path | None) -> Iterator[Opened]:
    """The file at `path`, held until the end.

    Raises:
        LocalError: It cannot be read or understood, or another import works on it.
    """
    file = TextFile(path, choices.encoding)
    try:
        try:
            fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalError(f"{path} is being imported at this moment by another process.") from error
        except OSError:
            pass  # a file system without locks: two imports would only send the same twice, and it counts once
        is_json = path.name.removesuffix(".gz").lower().endswith(JSON_NAMES)
        source: Source = EventsFile(file, choices) if is_json else OrdersFile(file, choices)
        yield Opened(path, file, source, Place(path, folder), choices)
    finally:
        file.close()
