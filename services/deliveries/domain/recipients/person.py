"""What is known of a person under one part of a customer: each field with the time of the event that told it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.deliveries.domain.channels import Channel

KEPT: Final = ("id", "email", "phone", "first_name", "last_name", "name", "preferences")
"""Fields of `customer` that messages need; nothing else is stored here."""

ADDRESS: Final = {Channel.EMAIL: "email", Channel.SMS: "phone", Channel.PUSH: "id"}
"""The field, and the kind of identifier, that each channel goes to. Push services know people by the shop's own id."""

Told = dict[str, tuple[Any, datetime]]
"""Field to its value and when that was told."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a customer as one who is written to: whose it is, under whose key what it told is sealed, by which
    identifier (kind to pseudonym) its events go, and what it told; None when that cannot be read any more."""

    part: str
    customer_id: str
    subject: str
    identifiers: dict[str, str]
    told: Told | None


@dataclass(frozen=True, slots=True)
class State:
    """What is told of a customer as a whole, and when. `person` False: nothing of consent, locale and time zone."""

    customer_id: str
    at: datetime
    tickets_angry: bool
    emails_unopened: int
    person: bool = False
    locale: str | None = None
    time_zone: str | None = None
    consents: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def tell(known: Told, customer: Mapping[str, Any], at: datetime) -> Told:
    """What is known after an event has told of the person: of each field the newest."""
    told = dict(known)
    for name in KEPT:
        value = customer.get(name)
        if value is None:
            continue
        before = told.get(name)
        if before is None or before[1] <= at:
            told[name] = (value, at)
    return told


def newest(parts: Iterable[tuple[str, Told]], name: str) -> tuple[str, Any] | None:
    """Of a field the newest value among the parts, with the part that it is of. Of two of one moment the part whose
    name comes last, so that the order of the parts decides nothing."""
    found = [(told[name][1], part, told[name][0]) for part, told in parts if name in told]
    if not found:
        return None
    _, part, value = max(found, key=lambda each: each[:2])
    return part, value


def preferred_channels(preferences: Any) -> tuple[Channel, ...]:
    """The channels that the customer chose: `channel` or `channels` of the preferences, one name or a list of them."""
    if not isinstance(preferences, dict):
        return ()
    chosen = preferences.get("channels", preferences.get("channel"))
    names = chosen if isinstance(chosen, list) else [chosen]
    known = {channel.value: channel for channel in Channel}
    found = [known[name.lower()] for name in names if isinstance(name, str) and name.lower() in known]
    return tuple(dict.fromkeys(found))
