"""An event as the fold sees it: the accepted record, with its identity and its place in the order of events."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from services.scoring.domain.language.reading import Reading
from services.scoring.domain.money import Units, units
from shared.contracts.codec import MalformedRecordError
from shared.contracts.events import EventRecord, event_key


class Event(Struct, frozen=True):
    """`key` is the event's identity in hex; events are folded in the order of (`at`, `key`). `reading` is what its
    texts say, if any could be read: read when the event was taken in, and kept with it."""

    at: datetime
    key: str
    record: EventRecord
    reading: Reading | None = None

    @classmethod
    def of(cls, record: EventRecord) -> "Event":
        """The event in a record of the stream."""
        return cls(record.time, event_key(record.source, record.id).hex(), record)


Place = tuple[datetime, str]
"""Where an event stands in the order of events: its time, then its key."""


def place(event: Event) -> Place:
    """What events are sorted by."""
    return event.at, event.key


def text_of(data: dict[str, Any], name: str) -> str:
    """A text that the catalogue requires. Raises `MalformedRecordError` when the record does not have it."""
    value = data.get(name)
    if not isinstance(value, str):
        raise MalformedRecordError(f"data.{name} is not text")
    return value


def money_of(data: dict[str, Any], name: str) -> Units:
    """An amount that the catalogue requires. Raises `MalformedRecordError` when it is none, or negative."""
    try:
        return units(text_of(data, name))
    except ValueError as error:
        raise MalformedRecordError(f"data.{name} is {error}") from error
