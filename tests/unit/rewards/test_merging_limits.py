"""Merges of customers who both had points for an order from a rule with a limit."""

from services.rewards.domain.member import Member
from services.rewards.domain.merging import merge
from tests.unit.rewards.building import CUSTOMER, Life, activity, order, refund
from tests.unit.rewards.earning.earn_rules import rules

OTHER = "cus_000000000000000000000002"
BOOK = rules("{id: first, on: order.completed, points: 100, limit: {times: 1}}")


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
