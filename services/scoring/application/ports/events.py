"""Events as they come in: the inbox, the timeline, and what reads texts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.event import Event
from services.scoring.domain.identity.resolution import Move
from services.scoring.domain.language.reading import Reading


class Arrival(Struct, frozen=True):
    """An event with the record as it was read, which is what the timeline keeps."""

    event: Event
    record: bytes


class Inbox(Protocol):
    """The identities of all events that were ever taken in."""

    async def take(self, connection: AsyncConnection, keys: Collection[str]) -> set[str]:
        """Note these events, and answer which of them are new."""


class Timeline(Protocol):
    """All events, by customer."""

    async def add(self, connection: AsyncConnection, arrivals: Sequence[tuple[str, Arrival]]) -> None:
        """Store events, each with its customer."""

    async def of(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, list[Event]]:
        """All events of these customers, in order."""

    async def read_again(self, connection: AsyncConnection, changed: Sequence[tuple[str, Event]]) -> None:
        """Store the new readings of events, each with its customer, who is locked."""

    async def rearrange(self, connection: AsyncConnection, moves: Sequence[Move]) -> None:
        """Give the events under identifiers to the customers whose these are now."""


class Archive(Protocol):
    """What is read of a customer to look back."""

    async def events_until(self, connection: AsyncConnection, customer_id: str, at: datetime) -> list[Event]:
        """All events up to a moment, in order."""


class Reader(Protocol):
    """Reads what customers write."""

    async def read(self, connection: AsyncConnection, events: Sequence[Event]) -> dict[str, Reading | None]:
        """By event key, what the texts of those events say that have any and can be opened; None: nothing."""

    def outdated(self, events: Iterable[Event]) -> list[Event]:
        """Those whose texts may be read otherwise now than what is known of them."""
