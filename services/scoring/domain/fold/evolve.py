"""The fold: one event after the other, in the order of their times, makes the state of a customer.

`evolve` is the only place where an event changes what is known: orders here, what is told of the person in `person`,
all else in `effects`. To let another event type change something, add a function to `effects` and name it there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from services.scoring.domain.event import Event, money_of, place, text_of
from services.scoring.domain.fold import person
from services.scoring.domain.fold.effects import effect_of
from services.scoring.domain.fold.purchases import Changes, given_back, placed, silence_from, withdrawn
from services.scoring.domain.lifecycle.stages import note_stage
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY, State
from services.scoring.domain.state import orders as book_of
from services.scoring.domain.state.orders import Book, Order, Refund
from services.scoring.domain.state.voice import heard
from shared.program.values.period import day_of


@dataclass(slots=True)
class Folded:
    """The outcome of a fold: the state, and the whole order book."""

    state: State
    book: dict[str, Order]


def needs_history(event_type: str) -> bool:
    """Whether such an event can only be folded with all events before it. A cancelled order must be as if it had never
    been placed, and the state does not keep what each order added to it."""
    return event_type == "order.cancelled"


def order_named(event: Event) -> str | None:
    """The id of the order that the event tells about, if it changes one."""
    return text_of(event.record.data, "order_id") if event.record.type in _ORDER_EFFECTS else None


def fold(events: Iterable[Event], settings: ScoreSettings) -> Folded:
    """The state of a customer with these events, in whatever order and however often they are given."""
    folded = Folded(EMPTY, {})
    previous = None
    for event in sorted(events, key=place):
        if event.key == previous:
            continue
        previous = event.key
        folded.state = evolve_in(folded.state, event, folded.book, settings)
    return folded


def evolve_in(state: State, event: Event, book: dict[str, Order], settings: ScoreSettings) -> State:
    """The state after one more event; the order that it touched is put into `book`."""
    state, order = evolve(state, event, book, settings)
    if order is not None:
        book[order.order_id] = order
    return state


def evolve(state: State, event: Event, book: Book, settings: ScoreSettings) -> tuple[State, Order | None]:
    """The state after `event`, which comes after all events in `state`, and the order that it changed, if any.

    `book` holds the order that the event names, if it is known (all orders as they were folded, when `needs_history`).
    """
    at, key, record = event.at, event.key, event.record
    assert state.last_at is None or (at, key) > (state.last_at, state.last_key)
    changes: Changes = {"events": state.events + 1, "last_at": at, "last_key": key}
    if state.first_at is None:
        changes |= {"first_at": at, "since": at, "cause": key}
        silence_from(at, settings, changes)
    if record.type == "customer.registered" and state.registered_at is None:
        changes["registered_at"] = at
    if record.historical and (state.history_until is None or record.received > state.history_until):
        changes["history_until"] = record.received
    person.tell(state, event, changes)
    if event.reading is not None:
        changes["voice"] = heard(state.voice, event.reading, at, key)
    of_order = _ORDER_EFFECTS.get(record.type)
    if of_order is None:
        effect = effect_of(record.type)
        if effect is not None:
            effect(state, event, day_of(at, settings.zone), changes)
        return replace(state, **changes), None
    order = of_order(state, event, book, settings, changes)
    if order is not None and "orders" in changes:
        note_stage(state, event, order, settings, changes)
    return replace(state, **changes), order


OrderEffect = Callable[[State, Event, Book, ScoreSettings, Changes], Order | None]
"""Adds to the changes, and answers the order in its new form, if it has one."""


def _order_completed(
    state: State, event: Event, book: Book, settings: ScoreSettings, changes: Changes
) -> Order | None:
    data = event.record.data
    order_id = text_of(data, "order_id")
    order = book_of.completed(
        book.get(order_id),
        order_id,
        event_key=event.key,
        at=event.at,
        currency=text_of(data, "currency"),
        total=money_of(data, "total"),
        data=data,
    )
    if order is not None and order.counts:
        placed(state, order, settings, changes)
    return order


def _order_refunded(
    state: State, event: Event, book: Book, settings: ScoreSettings, changes: Changes
) -> Order | None:
    data = event.record.data
    order_id = text_of(data, "order_id")
    before = book.get(order_id)
    currency = data.get("currency")
    refund = Refund(
        text_of(data, "refund_id"), money_of(data, "total"), currency if isinstance(currency, str) else None
    )
    order = book_of.refunded(before, order_id, refund)
    if order is not None and before is not None and order.counts:
        given_back(state, before, order, settings, changes)
    return order


def _order_cancelled(
    state: State, event: Event, book: Book, settings: ScoreSettings, changes: Changes
) -> Order | None:
    order_id = text_of(event.record.data, "order_id")
    before = book.get(order_id)
    order = book_of.cancelled(before, order_id)
    if order is not None and before is not None and before.counts:
        withdrawn(state, before, book, settings, changes)
    return order


_ORDER_EFFECTS: dict[str, OrderEffect] = {
    "order.completed": _order_completed,
    "order.refunded": _order_refunded,
    "order.cancelled": _order_cancelled,
}
"""Those event types that change an order of the book."""
