"""What of redemptions is unusual."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rewards.domain.watching.unusual import (
    DAYS,
    Day,
    Norm,
    customer_stands_out,
    norm_of,
    quarter_of,
    shop_stands_out,
    stands_out,
)

TIMES = 3.0
amounts = st.integers(0, 10**9)


def days(today: int, before: list[int]) -> list[Day]:
    """Days of uses of a code."""
    return [Day(today, 0), *(Day(times, 0) for times in before)]


@pytest.mark.parametrize(
    ("today", "before", "expected"),
    [
        (60, [2, 3, 1, 4] * 7, True),  # a code went round
        (9, [2, 3, 1, 4] * 7, False),  # few: nobody need look
        (11, [4, 5, 6, 4] * 7, False),  # more than usual, and not three times as much
        (300, [100] * 28, True),  # days that are all alike
        (250, [100] * 28, False),
        (60, [0] * 28, False),  # a new code: nothing is known of what is usual
        (60, [0] * 15 + [2] * 13, False),
        (60, [0] * 14 + [2] * 14, True),
        (60, [2] * 21 + [1000] * 7, True),  # a week of a sale does not bend what is usual
        (400, [100, 400] * 14, False),  # every second day is like that
        (0, [5] * 28, False),
    ],
)
def test_a_day_of_the_shop_beside_the_days_before(today: int, before: list[int], expected: bool) -> None:
    """Given four weeks; when a day is looked at beside them; then it stands out when it should."""
    assert (shop_stands_out(days(today, before), TIMES) is not None) is expected


def test_points_count_where_there_are_any() -> None:
    """Given as many redemptions as ever, of ten times the points; when the day is looked at; then it stands out."""
    before = [Day(20, 10_000)] * DAYS
    norm = shop_stands_out([Day(20, 100_000), *before], TIMES)
    assert norm is not None
    assert norm.usual == 10_000
    assert shop_stands_out([Day(20, 12_000), *before], TIMES) is None


@pytest.mark.parametrize(
    ("points", "customers", "own", "expected"),
    [
        (10_000, [500] * 40, [], True),
        (1_400, [500] * 40, [], False),
        (10_000, [500] * 29, [], False),  # too few to tell
        (10_000, [500] * 40, [9_000] * 8, False),  # this one always does
        (10_000, [500] * 40, [9_000] * 7, True),  # not known for long enough
        (10_000, [500] * 40, [500] * 20, True),
        (2_000, [500] * 40, [50] * 20, True),
        (600, [500] * 40, [50] * 20, False),  # much for them, and not much
    ],
)
def test_a_day_of_a_customer_beside_all_and_their_own(
    points: int, customers: list[int], own: list[int], expected: bool
) -> None:
    """Given the days of all customers, and a customer's own; when a day is looked at; then it stands out of both."""
    found = customer_stands_out(points, norm_of(customers), own, TIMES)
    assert (found is not None) is expected


@given(st.lists(amounts, min_size=1, max_size=60), amounts, amounts)
def test_more_is_never_less_unusual_and_little_never_is(values: list[int], one: int, other: int) -> None:
    """Given any days; when two values are compared with them; then the larger stands out if the smaller does, and
    nothing does that is not `times` the usual."""
    norm = norm_of(values)
    low, high = sorted((one, other))
    assert stands_out(high, norm, TIMES) >= stands_out(low, norm, TIMES)
    if stands_out(high, norm, TIMES):
        assert high >= TIMES * norm.usual


@given(st.lists(st.integers(90, 110), min_size=21, max_size=21), st.lists(amounts, min_size=7, max_size=7))
def test_a_quarter_of_wild_days_does_not_bend_what_is_usual(calm: list[int], wild: list[int]) -> None:
    """Given calm days and a third as many wild ones; when the norm is taken; then it is that of calm days."""
    assert 85 <= norm_of(calm + wild).usual <= 115


def test_ordinary_life_is_left_alone() -> None:
    """Given customers whose redemptions scatter by factors, as they do; when ten thousand ordinary days are looked at;
    then at most one in a thousand is told of, and nine in ten of those that are twenty times as large."""
    dice = random.Random(7)

    def day() -> int:
        return round(100 * dice.lognormvariate(1.6, 0.6))

    norm = norm_of([day() for _ in range(2_000)])
    told = sum(customer_stands_out(day(), norm, (), TIMES) is not None for _ in range(10_000))
    found = sum(customer_stands_out(20 * day(), norm, (), TIMES) is not None for _ in range(1_000))
    assert told <= 10
    assert found >= 900


def test_without_any_days_nothing_is_usual() -> None:
    assert norm_of([]) == Norm(0, 0.0, 0.0)


def test_quarters_begin_at_whole_ones() -> None:
    assert quarter_of(datetime(2026, 6, 1, 12, 44, 59, tzinfo=UTC)) == datetime(
        2026, 6, 1, 12, 30, tzinfo=UTC
    )
    assert quarter_of(datetime(2026, 6, 1, 12, 45, tzinfo=UTC)) == datetime(2026, 6, 1, 12, 45, tzinfo=UTC)
