"""A file of events in JSON, one a line, as `POST /v1/events` takes them."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from deploy.importing.reading.choices import Choices
from deploy.importing.reading.faults import Refusal
from deploy.importing.reading.pieces import Piece
from deploy.importing.reading.text import TextFile
from shared.contracts.customer import IDENTIFIERS

EVENT_BYTES_MAX = 512 * 1024
"""What ingest takes of one event."""


class EventsFile:
    """Events as they are. One without `source` gets the import's, one without `id` an id that follows from its line:
    the same line is the same event, for ever."""

    def __init__(self, file: TextFile, choices: Choices) -> None:
        self._file = file
        self._source = choices.source

    def describe(self) -> str:
        """What the file was recognised as."""
        return "events, one in JSON a line"

    def pieces(self) -> Iterator[Piece]:
        """The events; blank lines are passed over."""
        for number, line in enumerate(self._file.lines(), start=1):
            text = line.strip()
            if text:
                yield self._piece(number, text)

    def _piece(self, number: int, text: str) -> Piece:
        try:
            event: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            return _refused(number, text, f"no JSON ({error})", "Write one event a line")
        if not isinstance(event, dict):
            return _refused(
                number, text, "no object", "Write one event a line, as POST /v1/events takes them"
            )
        if len(text.encode()) > EVENT_BYTES_MAX:
            return _refused(number, text, f"more than {EVENT_BYTES_MAX} bytes", "Leave out what nobody needs")
        event.setdefault("source", self._source)
        if "id" not in event:
            event["id"] = blake2b(text.encode(), digest_size=16, person=b"regulars.import").hexdigest()
        return Piece(number, text, lane=_customer(event), events=(event,))

    def column_of(self, pointer: str) -> str:
        """The place itself: there are no columns."""
        return pointer

    def head_of_rejects(self) -> str:
        """Nothing: the lines speak for themselves."""
        return ""

    def reject(self, piece: Piece, why: Refusal) -> str:
        """The line as it was; the reason is in the report."""
        return f"{piece.raw}\n"


def _refused(number: int, text: str, reason: str, remedy: str) -> Piece:
    return Piece(number, text, refusal=Refusal(number, "", reason, remedy))


def _customer(event: dict[str, Any]) -> str:
    data = event.get("data")
    customer = data.get("customer") if isinstance(data, dict) else None
    if not isinstance(customer, dict):
        return ""
    return next((str(customer[kind]) for kind in IDENTIFIERS if customer.get(kind)), "")
