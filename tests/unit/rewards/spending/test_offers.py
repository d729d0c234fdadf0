"""Codes that are given to single customers."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from shared.program.model.offers import OfferTemplate
from shared.program.values.calendar import is_end_of_day, last_day
from shared.program.values.period import Period
from tests.unit.rewards.building import PROGRAM, Life, order, rulebook


@pytest.mark.parametrize(
    ("until", "ends"),
    [
        ("", datetime(2026, 8, 1, 4, tzinfo=UTC)),
        (", until: 2026-12-31", datetime(2026, 8, 1, 4, tzinfo=UTC)),
        (", until: 2026-06-30", datetime(2026, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_code_is_good_through_its_last_day_but_not_beyond_that_of_its_offer(
    until: str, ends: datetime
) -> None:
    """Given a code for 60 days; when its offer ends before that, in the program's zone; then so does the code."""
    rules = rulebook(PROGRAM.replace("valid_for: P60D", f"valid_for: P60D{until}"))

    life = Life(rules=rules).happen(order("5", "10", facts={"orders": 5}))

    (given,) = life.changes.offers
    assert given.valid_until == ends


def test_hours_are_meant_exactly() -> None:
    """Given a code for four hours; when it is issued; then it ends four hours later, not with the day."""
    rules = rulebook(PROGRAM.replace("valid_for: P60D", "valid_for: PT4H"))

    life = Life(rules=rules).happen(order("5", "10", facts={"orders": 5}))

    (given,) = life.changes.offers
    assert given.valid_until == given.issued_at + timedelta(hours=4)


ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Pacific/Apia", "America/Santiago", "Asia/Beirut", "America/Havana"]
)


@for_all(zone=ZONES.map(ZoneInfo), seconds=st.integers(0, 37 * 365 * 86_400), days=st.integers(1, 400))
def test_a_code_is_good_through_the_whole_day_on_which_its_time_ends(
    zone: ZoneInfo, seconds: int, days: int
) -> None:
    """Whenever, wherever and for however many days a code is given, also where clocks change at midnight; then it ends
    with the day so many days on: the first moment that is not of that day any more."""
    at = (datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)
    offer = OfferTemplate(id="o", valid_for=Period(rest=timedelta(days=days)))

    until = offer.good_until(at, zone)

    assert until is not None
    named = at.date() + timedelta(days=days)
    assert is_end_of_day(until, zone)
    if named != date(2011, 12, 30) or zone.key != "Pacific/Apia":  # a day that Samoa left out
        assert last_day(until, zone) == named
        assert until.astimezone(zone).date() > named
