"""How complete a profile is: which of the fields that a shop can act on are known, and how to learn the others."""

from collections.abc import Collection
from fractions import Fraction

from services.scoring.domain.state import State

REMEDIES = {
    "email": "Ask for it at the checkout or at sign-up, and send it as `customer.email` with any event.",
    "phone": "Offer delivery news by SMS, and send the number as `customer.phone`.",
    "name": "Ask at registration; send `first_name` and `last_name`, or `name`, with customer.updated.",
    "birthday": "Promise a birthday gift, and send `customer.birthday` with customer.updated.",
    "address": "Take it from the first delivery, and send `customer.address` with customer.updated.",
    "locale": "Send the language of the visit as `customer.locale`: messages then speak it.",
    "time_zone": "Send the browser's zone as `customer.time_zone`: quiet hours then follow it.",
    "preferences": "Let customers choose topics in their account, and send `customer.preferences`.",
    "consent": "Ask whether you may write, and send the answer with consent.changed: without it nobody is written to.",
}
"""The fields that count, each with what to do when it is missing."""

FIELDS = tuple(REMEDIES)

_TOLD = {
    "email": ("customer.email",),
    "phone": ("customer.phone",),
    "name": ("customer.name", "customer.first_name", "customer.last_name"),
    "birthday": ("customer.birthday",),
    "address": ("customer.address",),
    "preferences": ("customer.preferences",),
}


def known_fields(state: State) -> tuple[str, ...]:
    """Those of `FIELDS` that somebody told."""
    plain = {"locale": state.locale, "time_zone": state.time_zone, "consent": state.consent}
    return tuple(
        name
        for name in FIELDS
        if (any(one in state.profile for one in _TOLD[name]) if name in _TOLD else plain[name])
    )


def completeness(known: Collection[str]) -> int:
    """Per cent of the fields that are known, rounded half up."""
    return int(Fraction(100 * len(known), len(FIELDS)) + Fraction(1, 2))
