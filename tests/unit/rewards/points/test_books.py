"""The books: which figure an entry counts in, what is owed when a day ends, and what was there before entries."""

from datetime import date

import pytest

from services.rewards.domain.points.books import Day, balances_before, books
from services.rewards.domain.state.accounts import Account

ISSUED, PENDING, AVAILABLE, RESERVED, DEBT, EXPIRED, REDEEMED, ADJUSTED, MERGED = (
    Account.ISSUED,
    Account.PENDING,
    Account.AVAILABLE,
    Account.RESERVED,
    Account.DEBT,
    Account.EXPIRED,
    Account.REDEEMED,
    Account.ADJUSTED,
    Account.MERGED,
)


def march(day: int) -> date:
    """A day of March."""
    return date(2026, 3, day)


@pytest.mark.parametrize(
    ("debit", "credit", "figures", "change"),
    [
        (ISSUED, AVAILABLE, {"earned": 7}, 7),
        (ISSUED, PENDING, {"earned": 7}, 7),
        (AVAILABLE, ISSUED, {"taken_back": 7}, -7),
        (DEBT, ISSUED, {"taken_back": 7}, -7),
        (EXPIRED, ISSUED, {"breakage": -7}, 0),
        (RESERVED, REDEEMED, {"spent": 7}, -7),
        (REDEEMED, AVAILABLE, {"returned": 7}, 7),
        (AVAILABLE, EXPIRED, {"expired": 7, "breakage": 7}, -7),
        (EXPIRED, AVAILABLE, {"renewed": 7, "breakage": -7}, 7),
        (ADJUSTED, AVAILABLE, {"adjusted": 7}, 7),
        (AVAILABLE, ADJUSTED, {"adjusted": -7}, -7),
        (AVAILABLE, RESERVED, {}, 0),
        (PENDING, AVAILABLE, {}, 0),
        (AVAILABLE, DEBT, {}, 0),
        (AVAILABLE, MERGED, {}, 0),
        (MERGED, AVAILABLE, {}, 0),
    ],
)
def test_each_movement_counts_in_its_figures(
    debit: Account, credit: Account, figures: dict[str, int], change: int
) -> None:
    """Given a day; when entries from one account to another are counted, and once more; then in these figures alone,
    and what is owed changes by what customers have more or less."""
    day, expected = Day(day=march(1)), Day(day=march(1))

    for times in (1, 2):
        day.add(debit, credit, 7)
        for figure, points in figures.items():
            setattr(expected, figure, points * times)
        assert day == expected
        assert day.change() == change * times


def test_what_is_owed_is_carried_from_day_to_day() -> None:
    """Given movements before a period, in it, and after it; when the books of the period are asked for; then every day
    of it is there, also one on which nothing moved, with what was owed when it ended."""
    moved = [
        (march(1), ISSUED, AVAILABLE, 100),
        (march(1), RESERVED, REDEEMED, 30),
        (march(3), ISSUED, AVAILABLE, 5),
        (march(3), AVAILABLE, EXPIRED, 1),
        (march(5), AVAILABLE, EXPIRED, 40),
        (march(6), ISSUED, AVAILABLE, 1000),
    ]

    assert books(march(3), march(5), moved) == [
        Day(day=march(3), earned=5, expired=1, breakage=1, owed=74),
        Day(day=march(4), owed=74),
        Day(day=march(5), expired=40, breakage=40, owed=34),
    ]
    assert [day.owed for day in books(march(5), march(5), moved)] == [34]


def test_balances_before_entries_are_those_after_them_undone() -> None:
    """Given balances and the entries that led to them; when these are undone; then each account has what it had; those
    that are not asked for are not told of."""
    now = {AVAILABLE: 60, RESERVED: 30, DEBT: -5}
    moved = [(ISSUED, AVAILABLE, 50), (AVAILABLE, RESERVED, 20), (DEBT, ISSUED, 5)]

    assert balances_before(now, moved) == {AVAILABLE: 30, RESERVED: 10, DEBT: 0}
    assert now == {AVAILABLE: 60, RESERVED: 30, DEBT: -5}
