"""The body of a webhook, by Standard Webhooks: type, time, data."""

from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from services.deliveries.domain.webhooks.catalogue import TYPES
from shared.contracts.outcomes import Outcome


class Event(Struct, frozen=True):
    """Something to tell: `body` is what is signed and sent, the same to every endpoint and at every try."""

    id: str
    type: str
    at: datetime
    customer_id: str | None
    body: bytes


def event_of(outcome: Outcome) -> Event | None:
    """What webhooks tell of an outcome; None of what stays inside. Nothing is told of imported history: whoever wants
    that reads it."""
    if outcome.type not in TYPES or outcome.historical:
        return None
    data = {
        "customer": outcome.customer_id,
        "cause": outcome.cause,
        "program_version": outcome.program_version,
        **outcome.data,
    }
    return make_event(outcome.id, outcome.type, outcome.time, outcome.customer_id, data)


def make_event(
    identity: str, type_: str, at: datetime, customer_id: str | None, data: dict[str, Any]
) -> Event:
    """An event of a type of the catalogue. The same `identity` makes the same id."""
    hidden = TYPES[type_].hidden
    id_ = f"msg_{blake2b(identity.encode(), digest_size=16, person=b'webhook').hexdigest()}"
    body = msgspec.json.encode(
        {
            "type": type_,
            "timestamp": at,
            "id": id_,
            "data": {key: value for key, value in data.items() if key not in hidden},
        }
    )
    return Event(id_, type_, at, customer_id, body)
