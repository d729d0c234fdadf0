"""Whether fewer e-mails are opened than used to be."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.metrics.opens import DAYS, Fall, Mails, fallen, weeks_before

BY = Decimal(30)
USUAL = [Mails(1_000, 200)] * 4


@pytest.mark.parametrize(
    ("last", "before", "expected"),
    [
        (Mails(1_000, 100), USUAL, True),
        (Mails(1_000, 141), USUAL, False),  # less, and not by 30 %
        (Mails(1_000, 140), USUAL, True),
        (Mails(1_000, 300), USUAL, False),
        (Mails(199, 0), USUAL, False),  # too few to tell
        (Mails(200, 26), USUAL, False),  # by 35 %, and of so few by chance too often
        (Mails(1_000, 100), [Mails(1_000, 200), *[Mails(199, 40)] * 3], False),  # only one week is known
        (Mails(1_000, 100), [Mails(1_000, 200)] * 2, True),
        (Mails(1_000, 190), [Mails(1_000, 200)] * 3 + [Mails(1_000, 900)], False),  # one good campaign
        (Mails(1_000, 0), [Mails(1_000, 0)] * 4, False),  # openings are not counted at all
        (Mails(1_000, 0), [Mails(1_000, 1_500)] * 4, True),
        (Mails(0, 0), [Mails(0, 0)] * 4, False),
    ],
)
def test_the_last_week_beside_those_before(last: Mails, before: list[Mails], expected: bool) -> None:
    """Given five weeks; when the last is compared with the others; then it is told of when it fell, and no chance."""
    assert (fallen([last, *before], BY) is not None) is expected


def test_a_fall_says_what_was_usual() -> None:
    assert fallen([Mails(1_000, 100), *USUAL], BY) == Fall(Mails(1_000, 100), 0.2)


def test_a_shop_that_is_as_ever_is_hardly_ever_told_of() -> None:
    """Given shops whose customers open as they always did; when thousands of weeks are looked at; then at most one in
    a thousand is told of, and of a fall by half in a thousand e-mails nearly each."""
    dice = random.Random(11)

    def week(sent: int, share: float) -> Mails:
        return Mails(sent, sum(dice.random() < share for _ in range(sent)))

    same = sum(fallen([week(300, 0.2) for _ in range(5)], BY) is not None for _ in range(1_000))
    half = sum(
        fallen([week(1_000, 0.1), *(week(1_000, 0.2) for _ in range(4))], BY) is not None for _ in range(100)
    )
    assert same <= 1
    assert half >= 99


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=DAYS, max_size=DAYS))
def test_weeks_hold_each_day_once(counts: list[tuple[int, int]]) -> None:
    """Given days; when they are taken as weeks; then each day's openings are in one, and what was sent the day
    before."""
    today = date(2026, 6, 1)
    days = {today - timedelta(days=1 + ago): Mails(*pair) for ago, pair in enumerate(counts)}
    weeks = weeks_before(today, days)
    assert sum(week.opened for week in weeks) == sum(opened for _, opened in counts[:-1])
    assert sum(week.sent for week in weeks) == sum(sent for sent, _ in counts[1:])
