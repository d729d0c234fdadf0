"""What rewards passes on to deliveries."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from services.rewards.domain.changes import Changes
from services.rewards.domain.forwarding import forward, forward_parting
from shared.contracts.activity import Activity, Change, Person
from shared.contracts.outcomes import Outcome, RecipientChanged
from tests.unit.rewards.building import CUSTOMER, NOW, activity, order

ANA = Person(subject="s" * 32, sealed="AAAA", sealed_fields=["customer.email"], consents=["email"])


def told_of(one: Activity) -> list[Outcome]:
    """What is passed on of an activity of the customer's own."""
    changes = Changes(NOW, 3)
    forward(one, one.customer_id, changes)
    return changes.outcomes


def test_an_ordinary_order_adds_nothing() -> None:
    """Given an order with no person, and a score that moved; when it is forwarded; then nothing is told."""
    assert told_of(replace(order("1", "10"), changes=[Change(what="score", old="1", new="2")])) == []


def test_a_person_is_passed_on_sealed_as_it_came() -> None:
    """Given an activity with a person, of a part; when it is forwarded; then all is there to open and address it."""
    one = activity("customer.updated", "u1", facts={"emails_unopened": 3})
    one = replace(one, person=ANA, part="cus_other")

    (outcome,) = told_of(one)

    assert (outcome.type, outcome.customer_id, outcome.cause) == ("recipient.changed", CUSTOMER, one.id)
    assert outcome.id == f"{one.id}/recipient.changed"
    assert msgspec.convert(outcome.data["person"], Person) == ANA
    assert msgspec.convert(outcome.data, RecipientChanged).person == ANA
    fields = ["part", "at", "event", "type", "person", "state_of", "tickets_angry", "emails_unopened"]
    assert list(outcome.data) == fields
    assert (outcome.data["part"], outcome.data["at"], outcome.data["event"]) == (
        "cus_other",
        one.time,
        one.id,
    )
    assert (outcome.data["emails_unopened"], outcome.data["tickets_angry"]) == (3, False)


def test_a_person_of_an_event_long_ago_names_that_event() -> None:
    """Given a person who was told of by another event than the activity's; when it is forwarded; then what is sealed is
    said to be bound to that one."""
    one = replace(activity("facts.corrected", "c1"), person=replace(ANA, event="e" * 32))

    (outcome,) = told_of(one)

    assert outcome.data["event"] == "e" * 32


def test_history_tells_who_people_are_and_nothing_that_happened_to_them() -> None:
    """Given imported history; when it is forwarded; then its person is passed on as history, and no change is."""
    changed = Change(what="stage", old="active", new="lapsed")
    (outcome,) = told_of(replace(order("1", "10"), person=ANA, changes=[changed], historical=True))

    assert (outcome.type, outcome.historical) == ("recipient.changed", True)


@pytest.mark.parametrize(
    ("facts", "angry"),
    [
        ({"tickets_open": 1, "tags": ["frustrated"]}, True),
        ({"tickets_open": 1, "sentiment": -10}, True),
        ({"tickets_open": 1, "sentiment": 10}, False),
        ({"tickets_open": 1}, False),
        ({"tickets_open": 0, "tags": ["frustrated"], "sentiment": -90}, False),
    ],
)
@pytest.mark.parametrize("type_", ["ticket.opened", "ticket.resolved", "email.sent", "consent.changed"])
def test_tickets_emails_and_consent_say_how_the_customer_stands(
    type_: str, facts: dict[str, object], angry: bool
) -> None:
    """Given an activity that may change whether to write; when it is forwarded; then the customer's mood is told."""
    (outcome,) = told_of(activity(type_, "a1", facts=facts))

    assert outcome.data["person"] is None
    assert outcome.data["tickets_angry"] is angry


def test_words_matter_while_a_ticket_is_open() -> None:
    """Given a review; when it is forwarded; then the mood is told with an open ticket, and nothing without one."""
    assert [
        one.type for one in told_of(activity("review.posted", "r", rating=5, facts={"tickets_open": 1}))
    ] == ["recipient.changed"]
    assert told_of(activity("review.posted", "r", rating=5)) == []


def test_changes_of_stage_and_segments_are_told_each_by_itself() -> None:
    """Given an order that brings two stages and two crossings; when it is forwarded; then there are four outcomes, and
    the first stage of somebody new is none."""
    earlier = NOW - timedelta(days=3)
    one = replace(
        order("1", "10"),
        changes=[
            Change(what="stage", old="active", new="at_risk", at=earlier),
            Change(what="stage", old="at_risk", new="loyal"),
            Change(what="segment", old=None, new="vip"),
            Change(what="segment", old="lapsed", new=None),
        ],
    )

    told = told_of(one)

    assert [(each.type, each.data) for each in told] == [
        ("stage.changed", {"from": "active", "to": "at_risk", "at": earlier}),
        ("stage.changed", {"from": "at_risk", "to": "loyal", "at": one.time}),
        ("segment.entered", {"segment": "vip", "at": one.time}),
        ("segment.left", {"segment": "lapsed", "at": one.time}),
    ]
    assert len({each.id for each in told}) == 4
    assert (
        told_of(replace(order("2", "10"), changes=[Change(what="stage", old=None, new="onboarding")])) == []
    )


@pytest.mark.parametrize(
    ("type_", "told_as"),
    [
        ("customer.merged", "customer.merged"),
        ("customer.unmerged", "customer.unmerged"),
        ("facts.corrected", "customer.corrected"),
    ],
)
def test_partings_name_the_parts_and_their_epoch(type_: str, told_as: str) -> None:
    """Given a change in who is who; when it is forwarded; then the parts, the epoch and the consents travel along."""
    one = replace(activity(type_, "m1", epoch=7, parts=["cus_a", "cus_b"]), person=Person(consents=["email"]))
    one.data["from"] = "cus_a"
    changes = Changes(NOW, 3)

    forward_parting(one, changes)

    (outcome,) = changes.outcomes
    assert (outcome.type, outcome.customer_id) == (told_as, CUSTOMER)
    assert (outcome.data["from"], outcome.data["parts"], outcome.data["epoch"]) == (
        "cus_a",
        ["cus_a", "cus_b"],
        7,
    )
    assert outcome.data["person"] == {"consents": ["email"]}
