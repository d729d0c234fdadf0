"""What events tell of the person: which fields are known, consent, attributes of the shop's own.

Personal fields stay sealed: the state only names the event that told each of them, and marks the contacts told last, so
that an event that brings another one is known from the many that bring the same.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from services.scoring.domain.event import Event
from services.scoring.domain.fold.purchases import Changes
from services.scoring.domain.state import AttributeValue, State
from shared.contracts.activity import Person
from shared.contracts.consents import plain, unsubscribed
from shared.contracts.customer import Customer

PERSONAL_FIELDS = frozenset(f"customer.{name}" for name in Customer.__struct_fields__)
"""Names of what may be told of a person, as `sealed_fields` has them."""

PURPOSES_MAX = 64
"""So many purposes of consent are kept; a purpose that is not kept has no consent. What somebody refuses to get is kept
in any case, under the plain name of what it speaks of, of which there are few."""

ATTRIBUTES_MAX = 100
"""So many attributes are kept: those that came first. One that is withdrawn (null) makes room."""

CONTACTS = ("id", "email", "phone")
"""Identifiers at which a person can be written to; push services know people by the shop's own id."""

MARK_CHARACTERS = 8
"""Of a contact's pseudonym: enough to tell one address of a customer from another."""

ADDRESSING = frozenset(
    f"customer.{name}" for name in ("first_name", "last_name", "name", "preferences", *CONTACTS)
)
"""Personal fields that matter to who writes to the person."""

_SEALED_AGAIN = frozenset(f"customer.{name}" for name in ("id", "card", "anonymous_id", *CONTACTS))
"""Personal fields that events repeat, and whose change their pseudonyms tell."""


def tell(state: State, event: Event, changes: Changes) -> None:
    """Which event last told each personal field, and the plain ones themselves."""
    profile = None
    for field in event.record.sealed_fields:
        if field in PERSONAL_FIELDS:
            if profile is None:
                changes["profile"] = profile = state.profile.copy()
            profile[field] = event.key
    _contacts(state, event.record.identifiers, changes)
    customer = event.record.data.get("customer")
    if not isinstance(customer, dict):
        return
    for field in ("locale", "time_zone"):
        if isinstance(customer.get(field), str):
            changes[field] = customer[field]
    consent = customer.get("consent")
    if isinstance(consent, dict):
        _consent(state, {str(name): bool(given) for name, given in consent.items()}, event.at, changes)
    attributes = customer.get("attributes")
    if isinstance(attributes, dict):
        changes["attributes"] = _attributes(state.attributes, attributes)


def person_told(before: State, after: State, event: Event) -> Person | None:
    """The person, when the event that led from one state to the other is their first, or may have changed how they are
    reached, addressed, or what they agree to; None after one that brings nothing new."""
    fields = event.record.sealed_fields
    if (
        before.events
        and before.contacts is after.contacts
        and before.consent is after.consent
        and before.locale == after.locale
        and before.time_zone == after.time_zone
        and _SEALED_AGAIN.issuperset(fields)
    ):
        return None
    if before.events and same_person(before, after) and ADDRESSING.isdisjoint(set(fields) - _SEALED_AGAIN):
        return None
    return person_of(after, event)


def person_told_late(before: State, after: State, event: Event) -> Person | None:
    """The same of an event before others that were known; `before` and `after` are the customer without and with all
    late ones. What it tells may be older than what is known: its time says."""
    marks = {kind: _mark(pseudonym) for kind, pseudonym in event.record.identifiers.items()}
    known = all(before.contacts.get(kind) == marks[kind] for kind in CONTACTS if kind in marks)
    told = not ADDRESSING.isdisjoint(set(event.record.sealed_fields) - _SEALED_AGAIN)
    return None if known and not told and same_person(before, after) else person_of(after, event)


def person_of(state: State, event: Event | None = None) -> Person:
    """What a state says of the person, with what an event tells, if any."""
    agreed = sorted(purpose for purpose, given in state.consent.items() if given)
    refused = sorted(purpose for purpose, given in state.consent.items() if not given)
    told = Person(locale=state.locale, time_zone=state.time_zone, consents=agreed, consents_withdrawn=refused)
    if event is None:
        return told
    record = event.record
    return replace(
        told,
        subject=record.subject,
        sealed=record.sealed,
        sealed_fields=record.sealed_fields,
        identifiers=record.identifiers,
    )


def told_by(state: State) -> set[str]:
    """The keys of the events that told last how the person is reached and addressed."""
    return {key for field, key in state.profile.items() if field in ADDRESSING}


def same_person(before: State, after: State) -> bool:
    """Whether contacts, consent, locale and time zone are the same."""
    return before.contacts == after.contacts and same_terms(before, after)


def same_terms(before: State, after: State) -> bool:
    """Whether consent, locale and time zone are the same: on which terms the person is written to, wherever."""
    return (
        before.consent == after.consent
        and before.locale == after.locale
        and before.time_zone == after.time_zone
    )


def _contacts(state: State, identifiers: dict[str, str], changes: Changes) -> None:
    known = state.contacts
    for kind, pseudonym in identifiers.items():
        if known.get(kind) != pseudonym[:MARK_CHARACTERS] and kind in CONTACTS:
            changes["contacts"] = {**changes.get("contacts", known), kind: _mark(pseudonym)}


def _mark(pseudonym: str) -> str:
    return pseudonym[:MARK_CHARACTERS]


def withdraw_email(state: State, at: datetime, changes: Changes) -> None:
    """Unsubscribing from e-mail withdraws the consent to marketing by it, under every name that it has. Letters about
    orders and tickets are none that one subscribes to."""
    _consent(state, dict.fromkeys(sorted(unsubscribed(state.consent, "email")), False), at, changes)


def _consent(state: State, told: dict[str, bool], at: datetime, changes: Changes) -> None:
    consent, since = state.consent.copy(), state.consent_at.copy()
    for name, given in told.items():
        purpose: str | None = name
        if name not in consent and len(consent) >= PURPOSES_MAX:
            purpose = None if given else plain(name)
        if purpose is None:
            continue
        if consent.get(purpose) is not given:
            since[purpose] = at
        consent[purpose] = given
    changes["consent"], changes["consent_at"] = consent, since


def _attributes(known: dict[str, AttributeValue], told: dict[str, Any]) -> dict[str, AttributeValue]:
    kept = known.copy()
    for name, value in told.items():
        if value is None:
            kept.pop(name, None)
        elif isinstance(value, str | int | float) and (name in kept or len(kept) < ATTRIBUTES_MAX):
            kept[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    return kept
