"""The record of an event: nothing personal in its bytes, and everything in it for who has the key."""

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.ingest.application.recording import EventTooLargeError, outgoing
from services.ingest.domain.checking import Checked, check
from shared.bus.records import Outgoing
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.codec import decode
from shared.contracts.events import EVENTS_TOPIC, EventRecord, event_key, whole
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.seal import Sealer, UnsealError
from tests.support.catalogue_examples import CUSTOMER, DATA, PRIVATE, PRIVATE_VALUES
from tests.support.events import event, order

NOW = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
SEALER = Sealer(b"k" * 32)
PSEUDONYMS = Pseudonyms("s" * 40)


def recorded(given: dict[str, Any], *, historical: bool = False) -> Outgoing:
    """The record that travels."""
    checked = check(given, NOW)
    assert isinstance(checked, Checked), checked
    identifiers = {kind: PSEUDONYMS.of(kind, value) for kind, value in checked.identifiers.items()}
    return outgoing(checked, identifiers, SEALER, received=NOW, historical=historical)


def unsealed(record: EventRecord) -> dict[str, Any]:
    """What is sealed in a record."""
    assert record.sealed is not None
    opened: dict[str, Any] = msgspec.json.decode(
        SEALER.unseal(b64decode(record.sealed), event_key(record.source, record.id))
    )
    return opened


@pytest.mark.parametrize("type_", CATALOGUE)
def test_nothing_personal_is_in_the_bytes(type_: str) -> None:
    """Given an event full of personal data; then none of it is in key or value, and all of it for who has the key."""
    given = event(type_, customer=CUSTOMER, **DATA[type_], unknown={PRIVATE: [PRIVATE]})
    given["data"][f"{PRIVATE}-key"] = PRIVATE
    given["data"]["customer"] = CUSTOMER | {f"{PRIVATE}-key": PRIVATE}
    given["extension"] = PRIVATE

    sent = recorded(given)

    everything = sent.key.lower() + sent.value.decode().lower()
    for private in PRIVATE_VALUES:
        assert private.lower() not in everything
    record = decode(sent.value, EventRecord)
    assert whole(record.data, unsealed(record)) == given["data"]


def test_record_says_what_the_event_said() -> None:
    """Given an order; then the record has its envelope, pseudonyms and plain data, under the strongest pseudonym."""
    sent = recorded(order(7))

    record = decode(sent.value, EventRecord)
    assert (sent.topic, sent.key) == (EVENTS_TOPIC, PSEUDONYMS.of("id", "c-42"))
    assert (record.id, record.source, record.type) == ("order-7", "shop", "order.completed")
    assert (record.time, record.received) == (datetime(2026, 6, 1, 10, tzinfo=UTC), NOW)
    assert record.subject == sent.key
    assert record.identifiers == {
        "id": PSEUDONYMS.of("id", "c-42"),
        "email": PSEUDONYMS.of("email", "ana@example.com"),
    }
    assert record.data["order_id"] == "7"
    assert record.sealed_fields == ["customer.id", "customer.email"]
    assert record.historical is False


def test_history_is_marked() -> None:
    """Given an event sent as history; then its record says so."""
    assert decode(recorded(order(), historical=True).value, EventRecord).historical is True


def test_seal_is_bound_to_its_event() -> None:
    """Given the seal of one event put into another; then it cannot be opened there."""
    record = decode(recorded(order(1)).value, EventRecord)

    with pytest.raises(UnsealError):
        unsealed(msgspec.structs.replace(record, id="order-2"))


def test_extensions_are_sealed_apart() -> None:
    """Given a CloudEvent with an extension; then it can be opened as well, and is no part of the data."""
    record = decode(recorded(order() | {"traceparent": "00-1"}).value, EventRecord)

    assert record.extensions is not None
    key = event_key(record.source, record.id) + b"extensions"
    assert msgspec.json.decode(SEALER.unseal(b64decode(record.extensions), key)) == {"traceparent": "00-1"}
    assert "traceparent" not in whole(record.data, unsealed(record))


def test_event_beyond_what_kafka_takes_is_refused() -> None:
    """Given an event whose record is larger than what travels; then it is refused."""
    with pytest.raises(EventTooLargeError):
        recorded(event("x.large", text="a" * 600_000))
