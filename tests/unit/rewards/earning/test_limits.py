"""How often a rule may give: to the microsecond, and by the shop's calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.earning.limits import within
from services.rewards.domain.state.member import Use
from shared.program.model.limit import Limit
from shared.program.values.period import Period
from tests.unit.program.test_period import NEW_YORK
from tests.unit.rewards.building import NOW

INSTANT = timedelta(microseconds=1)
MONTH_LATER, MONTH_BEFORE = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC)
MONTHLY = Period.parse("P1M")


def used(*moments: datetime, scope: str = "") -> list[Use]:
    """Uses at these moments."""
    return [Use(scope, at, "cause", 1, None) for at in moments]


@pytest.mark.parametrize(
    ("other", "free"),
    [
        (NOW, False),
        (MONTH_LATER - INSTANT, False),
        (MONTH_LATER, True),
        (MONTH_BEFORE + INSTANT, False),
        (MONTH_BEFORE, True),
    ],
)
def test_once_a_month_leaves_a_month_on_either_side(other: datetime, free: bool) -> None:
    assert within(Limit(times=1, per=MONTHLY), used(other), NOW, "", NEW_YORK) is free


def test_a_period_is_one_of_the_shops_calendar() -> None:
    """Given once a day, and a day of 23 hours; when it is used 23 hours and a half apart; then both are given."""
    daily, before = Limit(times=1, per=Period.parse("P1D")), datetime(2026, 3, 7, 17, tzinfo=UTC)
    after = before + timedelta(hours=23.5)  # clocks go forward in between

    assert within(daily, used(before), after, "", NEW_YORK)
    assert within(daily, used(after), before, "", NEW_YORK)


def test_a_day_when_clocks_go_back_has_25_hours() -> None:
    daily, before = Limit(times=1, per=Period.parse("P1D")), datetime(2026, 10, 31, 16, tzinfo=UTC)
    after = before + timedelta(hours=24.5)

    assert not within(daily, used(before), after, "", NEW_YORK)
    assert not within(daily, used(after), before, "", NEW_YORK)


def test_a_period_that_ends_as_a_use_comes_does_not_hold_it() -> None:
    """Given twice a month, used ten days before and a month after that; then another use is within the limit."""
    before = NOW - timedelta(days=10)
    uses = used(before, MONTHLY.after(before, NEW_YORK))

    assert within(Limit(times=2, per=MONTHLY), uses, NOW, "", NEW_YORK)


def test_uses_on_both_sides_count_where_one_period_holds_them_all() -> None:
    """Given twice a month, used three weeks before and after; then another use between is within the limit: no month
    holds three. With one more, eight days after, it is not."""
    twice, weeks = Limit(times=2, per=MONTHLY), timedelta(weeks=3)

    assert within(twice, used(NOW - weeks, NOW + weeks), NOW, "", NEW_YORK)
    assert not within(twice, used(NOW - weeks, NOW + timedelta(days=8), NOW + weeks), NOW, "", NEW_YORK)


@pytest.mark.parametrize(("times", "free"), [(1, False), (2, False), (3, True)])
def test_a_field_has_so_many_uses_of_each_value_ever(times: int, free: bool) -> None:
    limit = Limit(times=times, per="network")
    uses = used(NOW - 1000 * (MONTH_LATER - NOW), NOW, scope="x") + used(NOW, NOW, NOW, scope="y")

    assert within(limit, uses, NOW, "x", NEW_YORK) is free
