"""Several rules about one event: each is asked whatever the others give, into one lot, told once, to the last field."""

from datetime import timedelta

import pytest

from services.rewards.domain.changes import RuleUse
from services.rewards.domain.skips import Why
from services.rewards.domain.state.accounts import Account, Entry, Kind
from services.rewards.domain.state.member import Use
from shared.contracts.outcomes import Outcome
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, activity, order, rulebook
from tests.unit.rewards.earning.earn_rules import earned, rules

REVIEW = activity("review.posted", "r", at=NOW - timedelta(minutes=1))


def test_a_rule_that_gives_nothing_holds_no_other_one_back() -> None:
    """Given rules about reviews of which the first has reached its limit, the second its cap and the third is for
    another tier; when a second review is posted; then the others give, and why these did not is said."""
    life = Life(
        rules(
            "{id: once, on: review.posted, points: 1, limit: {times: 1}}",
            "{id: capped, on: review.posted, points: 2, cap: {customer: 3}}",
            "{id: first, on: review.posted, points: 4}",
            "{id: golden, on: review.posted, points: 8, tiers: [gold], limit: {times: 1}}",
            "{id: last, on: review.posted, points: 16}",
        )
    )
    life.happen(REVIEW, activity("review.posted", "s", at=NOW))
    life.changes.skips = []

    life.happen(activity("review.posted", "t", at=NOW))

    assert earned(life) == {"once": 1, "capped": 3, "first": 12, "last": 48}
    assert [(skip.rule, skip.why) for skip in life.changes.skips] == [
        ("once", Why.LIMIT),
        ("capped", Why.CAP),
        ("golden", Why.OTHER_TIER),
    ]


def test_no_rule_about_an_order_holds_another_one_back() -> None:
    """Given rules about orders of which one is for another tier, one for a product that is not there and one has
    reached its cap; when an order is placed; then the others give, and all that was given by money is multiplied."""
    life = Life(
        rules(
            "{id: golden, on: order.completed, points: 5, tiers: [gold]}",
            "{id: lamp, on: order.completed, points: 5, products: [lamp]}",
            "{id: capped, on: order.completed, points: 5, cap: {customer: 5}}",
            "{id: plain, on: order.completed, points_per_unit: 1}",
            "{id: more, on: order.completed, points_per_unit: 2}",
            "{id: double, on: order.completed, multiply: 2}",
        )
    )
    life.happen(order("1", "10"))
    before = len(life.changes.entries)

    life.happen(order("2", "20"))

    assert [(entry.rule, entry.points) for entry in life.changes.entries[before:]] == [
        ("plain", 20),
        ("more", 40),
        ("double", 60),
    ]


def test_points_of_an_event_are_in_one_lot_and_told_together() -> None:
    """Given two rules about reviews; when one is posted; then its points are in one lot, with an entry for each rule,
    and one outcome tells of them, all to the last field."""
    life = Life(
        rules(
            "{id: a, on: review.posted, points: 5}",
            "{id: b, on: review.posted, points: 7, limit: {times: 2, per: rating}}",
        )
    )
    life.member.part = "cus_part"
    review = activity("review.posted", "r", at=NOW - timedelta(minutes=1), rating=4)

    life.happen(review)

    (lot,) = life.member.lots.values()
    assert (lot.remaining, lot.points, life.member.available) == (12, 12, 12)
    assert life.changes.entries == [
        Entry(
            CUSTOMER,
            number,
            review.time,
            NOW,
            Kind.EARN,
            Account.ISSUED,
            Account.AVAILABLE,
            points,
            lot.number,
            rule,
            review.id,
            1,
            f"earn/{rule}/{review.id}",
        )
        for number, (rule, points) in enumerate((("a", 5), ("b", 7)), 1)
    ]
    assert life.changes.outcomes == [
        Outcome(
            id=f"{review.id}/earned/a",
            customer_id=CUSTOMER,
            type="points.earned",
            time=NOW,
            cause=review.id,
            program_version=1,
            data={
                "points": 12,
                "rules": [{"rule": "a", "points": 5}, {"rule": "b", "points": 7}],
                "available": 12,
            },
        )
    ]
    assert life.changes.uses == [RuleUse(CUSTOMER, "b", "4", review.time, review.id, 7, "cus_part")]
    assert life.member.uses == {"b": [Use("4", review.time, review.id, 7, "cus_part")]}


def test_points_of_an_order_are_told_with_its_number() -> None:
    """Given an order that happened before it is told of; then its entry says when, and its outcome which order."""
    life = Life()
    bought = order("1", "30", at=NOW - timedelta(hours=1))

    life.happen(bought)

    (entry,) = life.changes.entries
    assert (entry.at, entry.cause, entry.key) == (bought.time, bought.id, "earn/purchase/1")
    (told,) = (each for each in life.changes.outcomes if each.type == "points.earned")
    assert told.data == {
        "points": 30,
        "rules": [{"rule": "purchase", "points": 30}],
        "available": 30,
        "order_id": "1",
    }


@pytest.mark.parametrize(("days", "balances"), [(14, (0, 80)), (13, (80, 0))])
def test_what_arrives_after_its_waiting_is_over_can_be_spent(days: int, balances: tuple[int, int]) -> None:
    """Given points that wait 14 days; when an order and a review of so many days ago arrive; then their points wait, or
    not any more."""
    life = Life(rulebook(PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D")))
    then = NOW - timedelta(days=days)

    life.happen(order("1", "30", at=then), activity("review.posted", "r", at=then))

    assert (life.member.pending, life.member.available) == balances


def test_a_limit_counts_months_by_the_programs_clock() -> None:
    """Given one rewarded review a month in New York, where the clocks were set forward in March; when the next one
    comes a month later to the minute, by the clock; then it earns, and a minute earlier does not."""
    limited = rules("{id: a, on: review.posted, points: 5, limit: {times: 1, per: P1M}}")
    first, later = NOW.replace(month=3, day=1), NOW.replace(month=4, day=1, hour=11)

    for at, points in ((later - timedelta(minutes=1), 5), (later, 10)):
        life = Life(limited).happen(activity("review.posted", "r", at=first))
        life.happen(activity("review.posted", "s", at=at))
        assert earned(life) == {"a": points}


def test_a_registration_that_earns_nothing_uses_every_welcome_up() -> None:
    """Given two rules about registrations; when one comes that shall earn nothing, and one that may; then neither
    gives, and it is said why."""
    life = Life(
        rules("{id: a, on: customer.registered, points: 5}", "{id: b, on: customer.registered, points: 7}")
    )
    life.changes.skips = []

    life.happen(
        activity("customer.registered", "then", unrewarded=True), activity("customer.registered", "now")
    )

    assert life.kinds() == []
    assert [(skip.rule, skip.why) for skip in life.changes.skips] == [
        ("a", Why.UNREWARDED),
        ("b", Why.UNREWARDED),
        ("a", Why.LIMIT),
        ("b", Why.LIMIT),
    ]
    assert [(use.rule, use.points) for use in life.changes.uses] == [("a", 0), ("b", 0)]
