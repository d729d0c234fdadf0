"""Checks one event and takes it apart; the hot path of ingest: a few microseconds for an event that is right."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from rapidfuzz import fuzz, process

from services.ingest.domain.envelope import ATTRIBUTES, CUSTOM_EVENT, EVENTS
from services.ingest.domain.explaining import mismatches
from services.ingest.domain.faults import Fault
from services.ingest.domain.limits import AHEAD_MAX, EARLIEST, FAULTS_PER_EVENT_MAX, TYPE_LENGTH_MAX
from services.ingest.domain.payment_cards import looks_like_card_number
from services.ingest.domain.sanity import find_insanity
from services.ingest.domain.shapes import CUSTOM_SHAPE, SHAPES, Shape
from services.ingest.domain.splitting import Notes, split
from shared.contracts.catalogue import CATALOGUE, CUSTOM_PREFIX, IDENTIFIERS
from shared.contracts.events import OWN_SOURCE

DATA_DEPTH = 2
"""The event stands at depth 1, its data inside it."""


class Checked(Struct, frozen=True):
    """An event that is right, taken apart. `time` is in UTC.

    `identifiers` are the customer's as given, strongest first. `sealed_fields` names what is in `hidden`,
    `unknown` the keys that the catalogue does not know (with their place, `lines[].colour`).
    """

    id: str
    source: str
    type: str
    time: datetime
    identifiers: dict[str, str]
    plain: dict[str, Any]
    hidden: dict[str, Any]
    sealed_fields: list[str]
    extensions: dict[str, Any]
    unknown: list[str]


def check(event: Any, now: datetime, *, clean: bool = False) -> Checked | list[Fault]:
    """The event taken apart, or everything that is wrong with it.

    `clean` says that the JSON it was read from holds no NUL, so that only the parts of the sender's own shape need
    to be looked through.
    """
    type_, shape = _expected(event)
    if shape is None:
        return _unexpected(event)
    try:
        accepted = msgspec.convert(event, type_)
    except msgspec.ValidationError as error:
        return _everything_wrong(event, type_, now, str(error))
    data = event["data"]
    identifiers = _identifiers(data["customer"])
    time: datetime = accepted.time
    if not identifiers or not EARLIEST <= time <= now + AHEAD_MAX or accepted.source == OWN_SOURCE:
        return _everything_wrong(event, type_, now, "")
    if "card" in identifiers and looks_like_card_number(identifiers["card"]):
        return _everything_wrong(event, type_, now, "")
    notes = Notes()
    plain, hidden = split(data, shape, notes, DATA_DEPTH)
    extensions = {}
    if not event.keys() <= ATTRIBUTES:
        extensions = {key: item for key, item in event.items() if key not in ATTRIBUTES}
    if not (clean and notes.sane and not extensions) and (fault := find_insanity(event)):
        return [fault]
    return Checked(
        accepted.id,
        accepted.source,
        accepted.type,
        time if time.tzinfo is UTC else time.astimezone(UTC),
        identifiers,
        plain,
        hidden,
        list(notes.sealed),
        extensions,
        list(notes.unknown),
    )


def _expected(event: Any) -> tuple[Any, Shape | None]:
    """The type that the event must fit and the shape of its data; without a shape its type is no known one."""
    if type(event) is not dict:
        return None, None
    kind = event.get("type")
    if type(kind) is not str:
        return None, None
    shape = SHAPES.get(kind)
    if shape is not None:
        return EVENTS[kind], shape
    if kind.startswith(CUSTOM_PREFIX) and len(CUSTOM_PREFIX) < len(kind) <= TYPE_LENGTH_MAX:
        return CUSTOM_EVENT, CUSTOM_SHAPE
    return None, None


def _unexpected(event: Any) -> list[Fault]:
    if not isinstance(event, dict):
        return [Fault("", "wrong_type", "an event is an object")]
    kind = event.get("type")
    if kind is None:
        return [Fault("/type", "required", "required: an event type such as order.completed")]
    if not isinstance(kind, str):
        return [Fault("/type", "wrong_type", "expected an event type as text, such as order.completed")]
    detail = "no known event type"
    nearest = process.extractOne(kind[:TYPE_LENGTH_MAX], CATALOGUE.keys(), scorer=fuzz.ratio, score_cutoff=50)
    if nearest is not None:
        detail += f"; the nearest known one is {nearest[0]}"
    detail += f"; types of your own start with {CUSTOM_PREFIX}"
    return [Fault("/type", "unknown_type", detail)]


def _everything_wrong(event: dict[str, Any], type_: Any, now: datetime, first: str) -> list[Fault]:
    faults = mismatches(event, type_)
    named = {fault.pointer for fault in faults}
    data = event.get("data")
    customer = data.get("customer") if isinstance(data, dict) else None
    if isinstance(customer, dict) and not any(pointer.startswith("/data/customer") for pointer in named):
        faults += _anonymous(customer) + _bare_card(customer)
    if "/time" not in named and isinstance(event.get("time"), str):
        faults += _untimely(msgspec.convert(event["time"], datetime), now)
    if event.get("source") == OWN_SOURCE:
        detail = "the source of our own events; name the system that yours come from, such as shop"
        faults.append(Fault("/source", "reserved_source", detail))
    if not faults:
        faults = [Fault("", "invalid", first)]
    return faults[:FAULTS_PER_EVENT_MAX]


def _identifiers(customer: dict[str, Any]) -> dict[str, str]:
    """The identifiers given, strongest first; a blank one is none."""
    found = {}
    for kind in IDENTIFIERS:
        value = customer.get(kind)
        if value and not value.isspace():
            found[kind] = value
    return found


def _anonymous(customer: dict[str, Any]) -> list[Fault]:
    if _identifiers(customer):
        return []
    detail = f"the customer needs at least one of {', '.join(IDENTIFIERS)}"
    return [Fault("/data/customer", "customer_unidentified", detail)]


def _bare_card(customer: dict[str, Any]) -> list[Fault]:
    card = customer.get("card")
    if not isinstance(card, str) or not looks_like_card_number(card):
        return []
    detail = (
        "looks like the number of a payment card, which must not be sent: send the token or fingerprint that your"
        " payment provider gives for the card"
    )
    return [Fault("/data/customer/card", "card_number", detail)]


def _untimely(time: datetime, now: datetime) -> list[Fault]:
    if time < EARLIEST:
        return [Fault("/time", "time_too_early", "before 1970: is the sender's clock set?")]
    if time > now + AHEAD_MAX:
        minutes = int(AHEAD_MAX.total_seconds() // 60)
        detail = f"more than {minutes} minutes ahead of our clock ({now:%Y-%m-%dT%H:%M:%SZ})"
        return [Fault("/time", "time_in_future", detail)]
    return []
