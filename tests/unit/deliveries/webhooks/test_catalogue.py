"""What one can subscribe to, and what leaves the house."""

from datetime import UTC, datetime

import msgspec
import pytest

from services.deliveries.domain.webhooks.catalogue import TYPES, expanded, families, unknown
from services.deliveries.domain.webhooks.payload import called_of, event_of, make_event
from shared.contracts.outcomes import Outcome

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def outcome(type_: str, *, historical: bool = False, **data: object) -> Outcome:
    return Outcome(
        id="a/earned/r",
        customer_id="cus_1",
        type=type_,
        time=NOW,
        cause="a",
        program_version=3,
        data=data,
        historical=historical,
    )


def test_a_subscription_names_a_type_a_family_or_everything() -> None:
    assert expanded(["points.earned"]) == {"points.earned"}
    assert expanded(["tier.*", "offer.issued"]) == {
        "tier.changed",
        "tier.grace",
        "tier.expiring",
        "offer.issued",
    }
    assert expanded(["*"]) == set(TYPES)


@pytest.mark.parametrize("pattern", ["*", *TYPES, *families()])
def test_what_there_is_is_known(pattern: str) -> None:
    assert unknown(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["", "points", "points.", ".*", "p*", "points.earn*", "**", "message.due"]
)
def test_what_there_is_not_is_refused(pattern: str) -> None:
    assert unknown(pattern) is not None


def test_a_near_miss_is_named() -> None:
    assert "points.earned" in (unknown("point.earned") or "")


def test_the_body_says_what_happened() -> None:
    event = event_of(outcome("points.earned", points=49, order_id="1001"))

    assert event is not None
    assert msgspec.json.decode(event.body) == {
        "type": "points.earned",
        "timestamp": "2026-06-01T12:00:00Z",
        "id": event.id,
        "data": {"customer": "cus_1", "cause": "a", "program_version": 3, "points": 49, "order_id": "1001"},
    }


def test_the_same_outcome_is_the_same_event_and_another_is_another() -> None:
    one = event_of(outcome("points.earned", points=1))
    again = event_of(outcome("points.earned", points=1))
    other = make_event("b/earned/r", "points.earned", NOW, "cus_1", {})

    assert one == again
    assert one is not None
    assert one.id != other.id


@pytest.mark.parametrize("type_", ["recipient.changed", "message.due", "message.withdrawn", "tag.due"])
def test_what_is_for_deliveries_alone_stays_inside(type_: str) -> None:
    assert event_of(outcome(type_, sealed="…")) is None


def test_nothing_is_told_of_imported_history() -> None:
    assert event_of(outcome("points.earned", historical=True)) is None


@pytest.mark.parametrize("type_", TYPES)
def test_what_no_type_names_stays_inside(type_: str) -> None:
    """Given an outcome to which something was added; then webhooks tell nothing of it before somebody says so."""
    event = event_of(outcome(type_, email="ana@example.com", note="a note", assigned_to="bo@shop.example"))

    assert event is not None
    assert set(msgspec.json.decode(event.body)["data"]) == {"customer", "cause", "program_version"}


def test_a_campaigns_call_tells_what_the_program_put_in_it() -> None:
    data = {
        "webhook": "crm",
        "arm": "a",
        "campaign": "c",
        "run": "r",
        "context": {"points": 5},
        "part": "cus_2",
    }
    called = called_of(outcome("webhook.due", **data, email="ana@example.com"))

    assert called is not None
    assert called[0] == "crm"
    body = msgspec.json.decode(called[1].body)["data"]
    assert set(body) == {"webhook", "arm", "campaign", "run", "context", "customer", "cause"}


def test_an_operators_free_text_stays_inside() -> None:
    event = event_of(outcome("points.adjusted", points=5, reason="Mr Beeblebrox called"))

    assert event is not None
    assert b"Beeblebrox" not in event.body
