"""Caps of an order, a day, a month, a customer and of all: what a rule gives at most."""

from datetime import timedelta

import pytest

from services.rewards.domain.explaining.verdicts import Given, verdicts
from services.rewards.domain.skips import Why
from tests.unit.rewards.building import NOW, Life, activity, cancellation, order, refund
from tests.unit.rewards.earning.earn_rules import earned, rules


def test_a_cap_of_the_order_bounds_each_order_and_what_a_refund_leaves() -> None:
    """Given at most 50 points an order; when one of 200 is half refunded, all stay; at 30 left, 30."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {order: 50}}"))

    life.happen(order("1", "200"), refund("1", "r", "100"))
    assert earned(life) == {"p": 50}
    life.happen(refund("1", "s", "70"))
    assert earned(life) == {"p": 30}


def test_a_capped_base_is_what_is_multiplied() -> None:
    """Given at most 50 points an order, doubled; then an order of 200 gives 100, and 30 left of it 60."""
    life = Life(
        rules(
            "{id: p, on: order.completed, points_per_unit: 1, cap: {order: 50}}",
            "{id: twice, on: order.completed, multiply: 2}",
        )
    )
    life.happen(order("1", "200"))
    assert earned(life) == {"p": 50, "twice": 50}
    life.happen(refund("1", "s", "170"))
    assert earned(life) == {"p": 30, "twice": 30}


def test_a_cap_of_the_day_is_of_the_program_s_day() -> None:
    """Given at most 50 points a day in New York; when orders of 40 stand around its midnight; then each day has 50."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}"))
    midnight = NOW.replace(hour=4, minute=0)

    for number, minutes in enumerate((-2, -1, 0, 1)):
        life.happen(order(str(number), "40", at=midnight + timedelta(minutes=minutes)))

    assert [entry.points for entry in life.changes.entries] == [40, 10, 40, 10]


@pytest.mark.parametrize(
    ("cap", "points"), [("month: 100", 200), ("customer: 130", 130), ("month: 100, customer: 130", 130)]
)
def test_caps_of_the_month_and_for_ever(cap: str, points: int) -> None:
    """Given three orders of 60 in June and two in July."""
    life = Life(rules(f"{{id: p, on: order.completed, points_per_unit: 1, cap: {{{cap}}}}}"))

    for number, days in enumerate((0, 1, 2, 32, 33)):
        life.happen(order(str(number), "60", at=NOW + timedelta(days=days)))

    assert earned(life) == {"p": points}


def test_a_cap_counts_what_was_earned_whatever_is_refunded_since() -> None:
    """Given at most 50 points a day; when an order is cancelled before or after the next one; then both end alike."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}")
    first, second, undo = order("1", "40"), order("2", "40"), cancellation("1")

    ends = [
        Life(book).happen(*events).member.available
        for events in ((first, second, undo), (first, undo, second))
    ]

    assert ends == [10, 10]


def test_a_cap_holds_for_fixed_points_too() -> None:
    """Given 20 points a review and at most 50 a month; then the third gives 10 and the fourth none."""
    life = Life(rules("{id: r, on: review.posted, points: 20, cap: {month: 50}}"))
    life.changes.skips = []

    life.happen(*(activity("review.posted", f"r{n}", rating=5) for n in range(4)))

    assert [entry.points for entry in life.changes.entries] == [20, 20, 10]
    assert [skip.why for skip in life.changes.skips] == [Why.CAP]


def test_an_order_told_again_does_not_slip_through_a_cap() -> None:
    """Given at most 50 points a day; when an order of 40 is told again as one of 90 an hour before; then 10 more."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}"))

    life.happen(order("1", "40"), order("1", "90", name="early", at=NOW - timedelta(hours=1)))
    assert earned(life) == {"p": 50}
    life.happen(order("2", "40"))
    assert earned(life) == {"p": 50}


def test_a_budget_for_all_is_given_once() -> None:
    """Given 50 points for all customers together; when two customers earn 40; then 40 and 10."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {program: 50}}")
    one, other = Life(book), Life(book)
    other.changes.budgets = one.changes.budgets

    one.happen(order("1", "40"))
    other.happen(order("2", "40"), order("3", "40"))

    assert (one.member.available, other.member.available) == (40, 10)


def test_a_budget_that_was_used_up_is_the_reason_told_later() -> None:
    """Given a budget that another customer has used up; when somebody asks why their order earned nothing; then that is
    the reason, and who had points of it is not told so."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {program: 40}}")
    asked, life = order("1", "40"), Life(book)
    before = Life(book).member

    (nothing,) = verdicts(asked, before, book, {}, now=NOW)
    (something,) = verdicts(asked, life.member, book, {"p": Given(points=40)}, now=NOW)

    assert (nothing.why, something.why) == (Why.CAP, None)
