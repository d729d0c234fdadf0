"""What is told of the person with an activity: only what is new, or may be."""

from itertools import count
from typing import Any

import pytest

from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import evolve_in
from services.scoring.domain.fold.person import (
    ATTRIBUTES_MAX,
    PURPOSES_MAX,
    person_of,
    person_told,
    person_told_late,
    same_person,
    same_terms,
    told_by,
)
from services.scoring.domain.state import EMPTY, State
from shared.contracts.activity import Person
from tests.support.life import SETTINGS, event, moment

ANA = {"id": "p-ana-0001", "email": "p-mail-001"}
MOVED = {"id": "p-ana-0001", "email": "p-other-01"}
TERMS = {"locale": "de-AT", "time_zone": "Europe/Vienna", "consent": {"email": True, "sms": False}}
days = count()


def says(sealed: tuple[str, ...] = (), identifiers: dict[str, str] | None = None, **customer: Any) -> Event:
    """A visit, later than the one before, that tells this of the customer; `sealed`: personal fields."""
    fields = [f"customer.{name}" for name in sealed]
    return event(
        "login.recorded",
        moment(next(days)),
        {"customer": customer},
        identifiers=ANA if identifiers is None else identifiers,
        subject="p-ana",
        sealed="c2VhbGVk" if sealed else None,
        sealed_fields=fields,
    )


def after(*told: Event, state: State = EMPTY) -> State:
    """The customer after these events, one by one."""
    for one in told:
        state = evolve_in(state, one, {}, SETTINGS)
    return state


FIRST = says(("id", "email", "first_name"), **TERMS)
KNOWN = after(FIRST)

REPEATED = [
    says(),
    says(**TERMS),
    says(("id", "email")),
    says(identifiers={}),
    says(identifiers={**ANA, "email": "p-mail-0" + "another end"}),
    says(identifiers={**ANA, "card": "p-card-001"}),
    says(("birthday",)),
    says(("birthday", "card", "anonymous_id", "phone")),
    says(consent={"email": True}),
    says(attributes={"level": 3}),
]
NEW = [
    says(("id", "email"), MOVED),
    says(("phone",), {**ANA, "phone": "p-phone-01"}),
    says(("first_name",)),
    says(("email", "last_name")),
    says(("preferences",)),
    says(locale="fr"),
    says(time_zone="Asia/Tokyo"),
    says(consent={"email": False}),
    says(consent={"push": True}),
]


@pytest.mark.parametrize("told", REPEATED)
def test_what_brings_nothing_new_tells_no_person(told: Event) -> None:
    """Given a known customer; when an event repeats who they are, or tells what no letter needs; then nothing."""
    assert person_told(KNOWN, after(told, state=KNOWN), told) is None
    assert person_told_late(KNOWN, after(told, state=KNOWN), told) is None


@pytest.mark.parametrize("told", NEW)
def test_what_may_change_how_somebody_is_written_to_tells_the_person(told: Event) -> None:
    """When an event brings another address, name, language, time zone or consent; then the person with it."""
    then = after(told, state=KNOWN)

    assert person_told(KNOWN, then, told) == person_of(then, told)
    assert person_told_late(KNOWN, then, told) == person_of(then, told)


def test_the_first_event_tells_the_person_whatever_it_says() -> None:
    nothing = says(identifiers={})

    assert person_told(EMPTY, after(nothing), nothing) == Person(subject="p-ana")


def test_a_late_address_is_told_though_a_newer_one_counts() -> None:
    """Given an address that has changed since; when an event of before tells a third; then it is told."""
    then = after(says(identifiers=MOVED), state=KNOWN)
    late = says(("email",), {**ANA, "email": "p-third-01"})

    assert person_told_late(then, then, late) == person_of(then, late)
    assert person_told_late(then, then, says(identifiers=MOVED)) is None


def test_a_person_is_what_counts_now_and_what_the_event_tells() -> None:
    """Given terms; when the person is told with an event, or without; then with its sealed part, or the terms alone."""
    terms = {
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "consents": ["email", "push"],
        "consents_withdrawn": ["post", "sms"],
    }
    state = after(says(consent={"push": True, "post": False}), state=KNOWN)

    assert person_of(state) == Person(**terms)
    assert person_of(state, FIRST) == Person(
        subject="p-ana",
        sealed="c2VhbGVk",
        sealed_fields=["customer.id", "customer.email", "customer.first_name"],
        identifiers=ANA,
        **terms,
    )


def test_who_told_last_is_known_of_each_field_and_only_of_personal_ones() -> None:
    """Given a name and a birthday, told again; then the last event is known of each, and those that letters need."""
    named, born, numbered = says(("first_name",)), says(("birthday", "shoe_size")), says(("id",))
    state = after(named, born, state=KNOWN)

    assert state.profile == {
        "customer.id": FIRST.key,
        "customer.email": FIRST.key,
        "customer.first_name": named.key,
        "customer.birthday": born.key,
    }
    assert told_by(state) == {FIRST.key, named.key}
    assert told_by(after(born, numbered)) == {numbered.key}


@pytest.mark.parametrize(
    ("told", "person", "terms"),
    [
        (says(), True, True),
        (says(identifiers=MOVED), False, True),
        (says(consent={"sms": True}), False, False),
        (says(locale="fr"), False, False),
        (says(time_zone="Asia/Tokyo"), False, False),
    ],
)
def test_a_person_is_the_same_with_the_same_contacts_on_the_same_terms(
    told: Event, person: bool, terms: bool
) -> None:
    then = after(told, state=KNOWN)

    assert (same_person(KNOWN, then), same_terms(KNOWN, then)) == (person, terms)


def test_a_consent_is_dated_when_it_changed() -> None:
    """Given a consent; when it is repeated, and then withdrawn; then it is as old as the last change."""
    again, withdrawn = says(consent={"email": True}), says(consent={"email": False})

    assert after(again, state=KNOWN).consent_at["email"] == FIRST.at
    assert after(again, withdrawn, state=KNOWN).consent_at["email"] == withdrawn.at


def test_two_new_contacts_of_one_event_are_both_known() -> None:
    assert after(says(identifiers=MOVED | {"phone": "p-phone-01"})).contacts == {
        "id": "p-ana-00",
        "email": "p-other-",
        "phone": "p-phone-",
    }


def test_unsubscribing_withdraws_the_consent_to_marketing_when_it_happens() -> None:
    left = event("email.unsubscribed", moment(next(days)), identifiers=ANA)
    state = after(left, state=KNOWN)

    assert (state.consent["email"], state.consent["email_marketing"]) == (True, False)
    assert state.consent_at["email_marketing"] == left.at


def test_of_very_many_purposes_the_first_are_kept_and_what_is_refused() -> None:
    """Given as many purposes as are kept; when one more is agreed to, a known one withdrawn, and e-mail refused; then
    only the first has no effect."""
    full = after(says(consent={f"p{n}": True for n in range(PURPOSES_MAX)}))

    state = after(says(consent={"more": True, "p1": False, "email": False}), state=full)

    changed = {name: given for name, given in state.consent.items() if full.consent.get(name) is not given}
    assert changed == {"p1": False, "email": False}


def test_of_very_many_attributes_the_first_are_kept_and_what_is_withdrawn_makes_room() -> None:
    """Given as many attributes as are kept; when one more is told; then not before one is withdrawn. Known ones change,
    and what is no text, number or truth never gets in."""
    full = after(says(attributes={f"a{n}": n for n in range(ATTRIBUTES_MAX)}))

    state = after(says(attributes={"more": 1, "a1": "x", "a2": [3], "a3": 4.0}), state=full)
    assert state.attributes == full.attributes | {"a1": "x", "a3": 4}
    assert str(state.attributes["a3"]) == "4"
    state = after(says(attributes={"a1": None, "more": True, "another": 1}), state=state)
    assert (state.attributes["more"], "a1" in state.attributes, "another" in state.attributes) == (
        True,
        False,
        False,
    )
