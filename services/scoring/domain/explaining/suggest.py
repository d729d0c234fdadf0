"""What would raise the score: each thing that the customer could do or be helped with next is tried out on the fold.

No rule of thumb: the event is imagined, folded, assessed, and what it would change is told. So a suggestion is as
true as the score itself, whatever the program's weights and own parts are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scoring.domain.assess import assess
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import Folded, evolve_in
from services.scoring.domain.money import decimal
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from services.scoring.domain.state.subscriptions import ACTIVE
from shared.contracts.events import EventRecord

ORDERS_OF_A_GOOD_YEAR = 4
"""A customer without orders is imagined to spend a good year's money in so many."""

Imagined = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that would raise the score: what (`act`), in words, to which score, and the parts that it moves."""

    act: str
    text: str
    score: int
    points: int
    parts: tuple[str, ...]


def suggest(folded: Folded, moment: datetime, settings: ScoreSettings) -> tuple[Suggestion, ...]:
    """What would raise the score of this customer at `moment`, the most first."""
    now = assess(folded.state, moment, settings)
    values = {weighed.name: value for weighed, value, _ in now.score.measured}
    found = []
    for act, text, events in _acts(folded.state, settings):
        state = _after(folded, events, now.at, settings)
        then = assess(state, now.at, settings)
        points = then.facts.score - now.facts.score
        if points > 0:
            moved = (one.name for one, value, _ in then.score.measured if value != values.get(one.name))
            found.append(Suggestion(act, text, then.facts.score, points, tuple(moved)))
    return tuple(sorted(found, key=lambda one: (-one.points, one.act)))


def _acts(state: State, settings: ScoreSettings) -> Iterator[tuple[str, str, list[Imagined]]]:
    total = str(decimal(max(1, _usual_order(state, settings))))
    order = {"order_id": "\0next", "currency": settings.currency, "total": total, "lines": []}
    yield "order", f"An order of {total} {settings.currency}, without a coupon", [("order.completed", order)]
    yield "review", "A five-star review", [("review.posted", {"rating": 5})]
    answer = {"kind": "nps", "score": 10}
    yield "survey", "A 10 in answer to the NPS question", [("survey.answered", answer)]
    yield (
        "referral",
        "A friend referred who becomes a customer",
        [("referral.made", {}), ("referral.converted", {})],
    )
    yield "visit", "A sign-in", [("login.recorded", {})]
    yield "email", "An e-mail opened", [("email.opened", {"message_id": "\0next"})]
    waiting = [ticket_id for ticket_id, ticket in state.tickets.newest.items() if ticket.is_open]
    if waiting:
        solved: list[Imagined] = [
            ("ticket.resolved", {"ticket_id": ticket_id, "by": "agent"}) for ticket_id in waiting
        ]
        yield "resolve", "Open tickets resolved", solved
        yield (
            "recover",
            "Open tickets resolved, and a five-star review",
            [
                *solved,
                ("review.posted", {"rating": 5}),
            ],
        )
    for subscription_id, subscription in state.subscriptions.newest.items():
        if subscription.state == ACTIVE:
            renewal = {"subscription_id": subscription_id, "automatic": True}
            yield "renewal", "A subscription renewed", [("subscription.renewed", renewal)]
            return


def _usual_order(state: State, settings: ScoreSettings) -> int:
    """What an order of this customer comes to on average, in units of the currency."""
    if state.orders and state.spend > 0:
        return state.spend // state.orders
    return settings.good_year // ORDERS_OF_A_GOOD_YEAR


def _after(folded: Folded, imagined: Iterable[Imagined], at: datetime, settings: ScoreSettings) -> State:
    state, book = folded.state, dict(folded.book)
    for number, (event_type, data) in enumerate(imagined):
        record = EventRecord(
            id=str(number),
            source="",
            type=event_type,
            time=at,
            received=at,
            subject="",
            identifiers={},
            data=data,
        )
        # `~` sorts behind the hexadecimal digits of all real keys, so that it comes last at that moment.
        state = evolve_in(state, Event(at, f"~{number}", record), book, settings)
    return state
