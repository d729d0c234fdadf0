"""What is read from a file: one piece after the other, each an order or an event."""

from collections.abc import Iterator
from typing import Any, Protocol

from msgspec import Struct

from deploy.importing.reading.faults import Refusal


class Piece(Struct, frozen=True):
    """Something of the file that is taken or refused as a whole: an order with all its rows, or a line of NDJSON.

    `raw` is what was read, to be given back when it is refused. `events` have their ids, times in UTC, and `lane`
    names the customer, so that events of one stay in order. `skipped` says why there is nothing to send though
    nothing is wrong, `notes` what was left out of events that are sent all the same.
    """

    line: int
    raw: Any
    lane: str = ""
    events: tuple[dict[str, Any], ...] = ()
    refusal: Refusal | None = None
    skipped: str | None = None
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A file of history, read from its beginning to its end."""

    def describe(self) -> str:
        """What the file was recognised as."""

    def pieces(self) -> Iterator[Piece]:
        """Everything in the file, in its order."""

    def column_of(self, pointer: str) -> str:
        """The column behind a place in an event (a JSON pointer as ingest gives them); empty if none is."""

    def head_of_rejects(self) -> str:
        """What a file of refused pieces begins with."""

    def reject(self, piece: Piece, why: Refusal) -> str:
        """The piece as it was read, as lines that can be mended and imported again."""
