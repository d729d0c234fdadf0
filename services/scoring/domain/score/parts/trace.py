"""The events of a customer, to name those behind a part of the score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.scoring.domain.event import Event
from services.scoring.domain.state import State
from services.scoring.domain.state.orders import Order


@dataclass(frozen=True, slots=True)
class Trace:
    """All `events` up to the moment `at`, in order, with the `state` and order `book` that they make. `year` is when
    the window of 12 months begins, `currency` the program's."""

    events: Sequence[Event]
    state: State
    book: Mapping[str, Order]
    at: datetime
    year: datetime
    currency: str

    def of(self, *types: str) -> list[Event]:
        """The events of these types."""
        return [event for event in self.events if event.record.type in types]

    def orders(self, *, since: datetime | None = None, currency: str | None = None) -> list[Event]:
        """The orders that stand, of a window or in a currency only."""
        standing = {
            order.event_key
            for order in self.book.values()
            if order.counts and (currency is None or order.currency == currency)
        }
        return [
            event for event in self.events if event.key in standing and (since is None or event.at >= since)
        ]
