"""What is said of a record that could not be handled."""

from datetime import UTC, datetime

import pytest

from shared.bus.consuming.dead_letters import event_in
from shared.contracts.activity import Activity, Facts
from shared.contracts.codec import encode
from shared.contracts.events import EventRecord

AT = datetime(2026, 6, 1, tzinfo=UTC)
EVENT = EventRecord(
    id="order-1",
    source="shop",
    type="order.completed",
    time=AT,
    received=AT,
    subject="p",
    identifiers={},
    data={},
)
ACTIVITY = Activity(
    id="00ff", customer_id="cus_1", type="order.completed", time=AT, received=AT, facts=Facts(currency="USD"),
    source="shop", event_id="order-1",
)  # fmt: skip


@pytest.mark.parametrize("record", [EVENT, ACTIVITY])
def test_a_record_names_the_event_as_its_sender_did(record: EventRecord | Activity) -> None:
    assert event_in(encode(record)) == "shop/order-1"


@pytest.mark.parametrize(
    "value", [b"", b"poison", b"{}", b'{"id": 7, "source": []}', b"\xff", b"[" * 100_000]
)
def test_bytes_that_are_no_record_name_none(value: bytes) -> None:
    assert event_in(value) is None
