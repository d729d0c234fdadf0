"""Turns an event that is right into the record that travels: pseudonyms for identifiers, seals on what is personal."""

from base64 import b64encode
from datetime import datetime
from typing import Protocol

import msgspec

from services.ingest.domain.checking import Checked
from services.ingest.domain.limits import RECORD_BYTES_MAX
from shared.bus.records import Outgoing
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord, event_key


class Seal(Protocol):
    """Encrypts under the key of one subject."""

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """The encrypted bytes; `associated` must be given again to open them."""


class EventTooLargeError(Exception):
    """The event is larger than what travels."""


_json = msgspec.json.Encoder()


def outgoing(
    event: Checked,
    identifiers: dict[str, str],
    seal: Seal,
    *,
    received: datetime,
    historical: bool,
    rewards: bool = True,
) -> Outgoing:
    """The record of an event, ready to publish. `identifiers` are pseudonyms, the strongest first.

    Raises `EventTooLargeError`.
    """
    subject = next(iter(identifiers.values()))
    key = event_key(event.source, event.id)
    value = encode(
        EventRecord(
            id=event.id,
            source=event.source,
            type=event.type,
            time=event.time,
            received=received,
            subject=subject,
            identifiers=identifiers,
            data=event.plain,
            sealed=b64encode(seal.seal(_json.encode(event.hidden), key)).decode(),
            sealed_fields=event.sealed_fields,
            extensions=_sealed_extensions(event, seal, key),
            historical=historical,
            unrewarded=not rewards,
        )
    )
    if len(value) > RECORD_BYTES_MAX:
        raise EventTooLargeError
    return Outgoing(EVENTS_TOPIC, subject, value)


def _sealed_extensions(event: Checked, seal: Seal, key: bytes) -> str | None:
    if not event.extensions:
        return None
    return b64encode(seal.seal(_json.encode(event.extensions), key + b"extensions")).decode()
