"""Months on the calendar, and the periods that benefits come in: against dateutil, and against counting one by one."""

from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from services.rewards.domain.tiering.recurring import begins, period_of
from shared.program.values.period import Period
from tests.unit.program.test_period import NEW_YORK

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
EVERY = [Period(months=1), Period(months=3), Period(rest=timedelta(days=1)), Period(1, timedelta(days=10))]


@given(moment=moments, months=st.integers(-1200, 1200))
def test_months_are_those_of_the_calendar(moment: datetime, months: int) -> None:
    """Given a moment and a number of months; when they are added, or taken away; then dateutil says the same."""
    period = Period(months=abs(months) or 1)
    local = moment.astimezone(NEW_YORK)

    assert period.after(moment, NEW_YORK) == (local + relativedelta(months=period.months)).astimezone(UTC)
    assert period.before(moment, NEW_YORK) == (local - relativedelta(months=period.months)).astimezone(UTC)


@given(
    anchor=moments,
    days=st.integers(-40, 1500),
    seconds=st.integers(0, 86_399),
    every=st.sampled_from(EVERY),
    guess=st.integers(0, 60),
)
def test_a_moment_lies_in_the_period_that_has_begun_last(
    anchor: datetime, days: int, seconds: int, every: Period, guess: int
) -> None:
    """Given periods from an anchor on; when a moment's is asked for, with any guess; then it has begun, and the next
    has not; before the anchor there is none."""
    moment = anchor + timedelta(days=days, seconds=seconds)

    number = period_of(anchor, every, moment, NEW_YORK, about=guess)

    if moment < anchor:
        assert number == -1
    else:
        assert begins(anchor, every, number, NEW_YORK) <= moment
        assert begins(anchor, every, number + 1, NEW_YORK) > moment
