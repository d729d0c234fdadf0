"""Of every type of the catalogue it is decided what else it is: a sign that the customer came, words of theirs, an
absence that is noticed. A new type that nobody has thought about fails here."""

import msgspec
import pytest
from msgspec import inspect

from services.rewards.domain.forwarding import SPOKEN, TOUCHING
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.metrics.rollup import ENGAGEMENTS
from services.scoring.domain.score.parts.staying import last_came_at
from services.scoring.domain.texts import WORDS
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.values import PersonalText
from shared.program.vocabulary.occasions import WATCHED
from tests.support.catalogue_examples import DATA
from tests.support.life import SETTINGS, event, moment

NO_WORDS = {
    ("page.viewed", "title"),
    ("social.followed", "text"),
    ("social.liked", "text"),
    ("order.refunded", "reason"),
    ("order.cancelled", "reason"),
    ("subscription.started", "reason"),
    ("subscription.renewed", "reason"),
    ("subscription.paused", "reason"),
    ("subscription.resumed", "reason"),
    ("subscription.cancelled", "reason"),
}
"""Personal texts that are not read: the shop's words, or a reason chosen from a list."""

WATCHED_ONLY = {"review.posted"}
"""Its absence is noticed, and yet it counts as no visit for the tenure of the score."""

ANSWERS = {"survey.answered", "feedback.given"}
"""Engagements whose absence nobody notices: they come when the shop asks."""


def test_of_every_personal_text_it_is_decided_whether_the_customer_speaks_in_it() -> None:
    """When this fails: name the field in `WORDS` of `texts.py`, or in `NO_WORDS` here."""
    text = msgspec.inspect.type_info(PersonalText)
    texts = {
        (type_, field.encode_name)
        for type_, data in CATALOGUE.items()
        for field in msgspec.structs.fields(data)
        if text in _alternatives(field.type)
    }

    assert texts == NO_WORDS | {(type_, field) for type_, fields in WORDS.items() for field in fields}


def test_what_customers_say_is_passed_on_to_those_who_write_to_them() -> None:
    """When this fails: name the type in `TOUCHING` or `SPOKEN` of `forwarding.py`."""
    assert set(WORDS) <= TOUCHING | SPOKEN


@pytest.mark.parametrize("type_", CATALOGUE)
def test_of_every_type_it_is_decided_whether_the_customer_came(type_: str) -> None:
    """When this fails: name its moment in `last_came_at` of `staying.py`, and the type in `WATCHED`, or in
    `WATCHED_ONLY` here."""
    registered = event("customer.registered", moment())
    state = fold([registered, event(type_, moment(1), DATA[type_])], SETTINGS).state

    assert (last_came_at(state) == moment(1)) == (type_ in WATCHED - WATCHED_ONLY)


def test_of_every_engagement_it_is_decided_whether_its_absence_is_noticed() -> None:
    """When this fails: name the type in `WATCHED`, or in `ANSWERS` here."""
    assert ENGAGEMENTS - WATCHED == ANSWERS


def _alternatives(annotation: object) -> tuple[inspect.Type, ...]:
    """The types that a field may have."""
    found = inspect.type_info(annotation)
    return found.types if isinstance(found, inspect.UnionType) else (found,)
