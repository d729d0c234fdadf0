"""Tiers: reached at once, kept, reviewed, lost with refunds of the orders that reached them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.unit.rewards.building import NOW, Life, order, refund


def test_gold_is_reached_above_200_at_once() -> None:
    """Given Gold at 200.01; when spend comes to 200.00, then to 200.01; then the second makes the difference."""
    life = Life().happen(order("1", "200.00"))
    assert life.member.tier is None

    life.happen(order("2", "0.01"))

    assert life.member.tier == "gold"
    (change,) = life.changes.tiers
    assert (change.old, change.new, change.reason, change.spend) == (None, "gold", "spend", Decimal("200.01"))
    assert life.told()[-1] == "tier.changed"
    assert life.member.tier_until == datetime(2027, 6, 2, 4, tzinfo=UTC), "through 1 June 2027 in New York"


def test_an_order_from_before_the_window_does_not_count() -> None:
    """Given a window of 12 months; when an order of 13 months ago arrives; then no tier comes of it."""
    life = Life().happen(order("1", "500", at=NOW - timedelta(days=400)))

    assert life.member.tier is None
    assert life.member.spend == 0


def test_a_tier_is_lost_at_once_when_the_order_that_reached_it_is_refunded() -> None:
    """Given Gold by one order; when it is refunded; then Gold is gone, with a record that says why."""
    life = Life().happen(order("1", "250"), refund("1", "r1", "250"))

    assert life.member.tier == "member"
    assert life.changes.tiers[-1].reason == "refund"
    assert life.member.tier_until is None


def test_a_refund_of_a_later_order_does_not_take_a_tier_that_older_orders_reached() -> None:
    """Given Gold by a first order; when a later one is refunded; then Gold stays."""
    life = Life().happen(order("1", "250"))
    life.now += timedelta(days=30)
    life.happen(order("2", "100", at=life.now), refund("2", "r2", "100", at=life.now))

    assert life.member.tier == "gold"


def test_a_refunded_order_costs_no_tier_that_other_orders_support() -> None:
    """Given Gold by one order and as much again since; when the first is refunded; then Gold stays."""
    life = Life().happen(order("1", "250"))
    life.now += timedelta(days=1)
    life.happen(order("2", "250", at=life.now), refund("1", "r1", "250", at=life.now))

    assert life.member.tier == "gold"


def test_review_keeps_a_tier_that_spend_still_reaches_and_takes_one_that_it_does_not() -> None:
    """Given Gold whose time is over; when it is reviewed; then what was bought since decides: the order that reached it
    counts no more."""
    kept = Life().happen(order("1", "250"))
    lost = Life().happen(order("1", "250"))
    kept.wait(timedelta(days=100)).happen(order("2", "210", at=kept.now))
    for life in (kept, lost):
        life.wait(datetime(2027, 6, 2, 4, tzinfo=UTC) - life.now)

    assert kept.member.tier == "gold"
    assert kept.member.tier_until == datetime(2028, 6, 2, 4, tzinfo=UTC)
    assert kept.member.tier_since == NOW
    assert lost.member.tier == "member"
    assert lost.changes.tiers[-1].reason == "review"
    assert lost.told()[-1] == "tier.changed"
