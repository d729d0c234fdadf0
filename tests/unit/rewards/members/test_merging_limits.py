"""Merges of customers who both had points for an order from a rule with a limit."""

from datetime import timedelta

import pytest

from services.rewards.domain.members.merging import merge
from services.rewards.domain.state.member import Member
from tests.unit.rewards.building import CUSTOMER, NOW, Life, activity, order, refund
from tests.unit.rewards.earning.earn_rules import rules

OTHER = "cus_000000000000000000000002"
BOOK = rules("{id: first, on: order.completed, points: 100, limit: {times: 1}}")

PER_UNIT = rules("{id: purchase, on: order.completed, points_per_unit: 1}")


def merged(theirs: Life, ours: Life) -> Life:
    """Let the other customer become the first."""
    merge(theirs.member, ours.member, activity("customer.merged", "m", **{"from": OTHER}), BOOK, ours.changes)
    return ours


def test_points_taken_back_by_a_merge_are_not_taken_back_by_a_refund_too() -> None:
    """Given both with points for their first order; when they merge, one's are taken back; when that order is refunded,
    nothing more is; when the other one is, the rest."""
    theirs, ours = Life(BOOK, Member(OTHER)), Life(BOOK, Member(CUSTOMER))
    theirs.happen(order("t", "50"))
    ours.happen(order("o", "50"))

    merged(theirs, ours)
    assert ours.member.spendable() == 100
    ours.happen(refund("t", "r", "50"))
    assert ours.member.spendable() == 100
    ours.happen(refund("o", "s", "50"))
    assert ours.member.spendable() == 0


def test_points_that_a_refund_took_back_are_not_taken_back_by_a_merge_too() -> None:
    """Given one whose first order is refunded already; when they merge; then the other's points stay whole."""
    theirs, ours = Life(BOOK, Member(OTHER)), Life(BOOK, Member(CUSTOMER))
    theirs.happen(order("t", "50"), refund("t", "r", "50"))
    ours.happen(order("o", "50"))

    assert merged(theirs, ours).member.spendable() == 100


def test_an_order_that_both_have_is_taken_back_once() -> None:
    """Given one order that both have; when they merge; then its points are there once."""
    theirs, ours = Life(BOOK, Member(OTHER)), Life(BOOK, Member(CUSTOMER))
    theirs.happen(order("o", "50", name="theirs"))
    ours.happen(order("o", "50"))

    assert merged(theirs, ours).member.spendable() == 100


@pytest.mark.parametrize("ours_is_first", [True, False])
@pytest.mark.parametrize(("early", "late"), [("10", "30"), ("30", "10")])
def test_of_a_refund_that_both_were_told_otherwise_the_earliest_telling_counts(
    ours_is_first: bool, early: str, late: str
) -> None:
    """Given an order that both have, and a refund of it that each was told with another amount; when they merge; then
    the telling with the earlier time counts, whoever has it, and points follow."""
    theirs, ours = Life(PER_UNIT, Member(OTHER)), Life(PER_UNIT, Member(CUSTOMER))
    for life, sooner in ((ours, ours_is_first), (theirs, not ours_is_first)):
        minute, amount = (1, early) if sooner else (2, late)
        life.happen(order("o", "50", at=NOW, name=f"o-{minute}"))
        life.happen(refund("o", "r", amount, at=NOW + timedelta(minutes=minute), name=f"r-{minute}"))
    member = merged(theirs, ours).member

    assert member.purchases["o"].net() == 50 - int(early)
    assert member.available - member.debt == member.lifetime_earned == 50 - int(early)
