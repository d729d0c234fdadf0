"""What events tell of the person: which fields are known, consent, attributes of the shop's own.

Personal fields stay sealed: the state only names the event that told each of them.
"""

import re
from datetime import datetime
from typing import Any

from services.scoring.domain.event import Event
from services.scoring.domain.purchases import Changes
from services.scoring.domain.state import AttributeValue, State
from shared.contracts.customer import Customer

PERSONAL_FIELDS = frozenset(f"customer.{name}" for name in Customer.__struct_fields__)
"""Names of what may be told of a person, as `sealed_fields` has them."""

PURPOSES_MAX = 64
"""So many purposes of consent are kept; a purpose that is not kept has no consent."""

ATTRIBUTES_MAX = 100
"""So many attributes are kept: those that came first. One that is withdrawn (null) makes room."""

_SEPARATORS = re.compile(r"[_.:\-]")


def tell(state: State, event: Event, changes: Changes) -> None:
    """Which event last told each personal field, and the plain ones themselves."""
    profile = None
    for field in event.record.sealed_fields:
        if field in PERSONAL_FIELDS:
            if profile is None:
                changes["profile"] = profile = state.profile.copy()
            profile[field] = event.key
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


def withdraw_email(state: State, at: datetime, changes: Changes) -> None:
    """Unsubscribing from e-mail withdraws the consent to it, under every name that speaks of e-mail (`email`,
    `email_marketing`, `news.email`)."""
    named = {name for name in state.consent if "email" in _SEPARATORS.split(name.lower())}
    _consent(state, dict.fromkeys(sorted({*named, "email"}), False), at, changes)


def _consent(state: State, told: dict[str, bool], at: datetime, changes: Changes) -> None:
    consent, since = state.consent.copy(), state.consent_at.copy()
    for purpose, given in told.items():
        if purpose not in consent and len(consent) >= PURPOSES_MAX:
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
