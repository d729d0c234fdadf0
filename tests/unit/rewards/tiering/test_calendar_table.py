"""Days that are not like others, as a table: clocks put forward and back, 29 February, month and year ends, Samoa."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.rewards.domain.earning.limits import within
from services.rewards.domain.state.member import Use
from shared.program.model.limit import Limit
from shared.program.values.calendar import end_of_day_after, window_start, year_start
from shared.program.values.period import Period, anniversary


def local(zone: str, *parts: int) -> datetime:
    """A moment by the clock on the wall there."""
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc,arg-type]


NEW_YORK, BERLIN, SYDNEY, APIA = "America/New_York", "Europe/Berlin", "Australia/Sydney", "Pacific/Apia"


@pytest.mark.parametrize(
    ("zone", "start", "period", "end"),
    [
        (NEW_YORK, (2026, 3, 7, 12), "P1D", (2026, 3, 9)),  # put forward on the 8th, which is their last day
        (NEW_YORK, (2026, 10, 31, 23, 59), "P1D", (2026, 11, 2)),  # put back on the 1st
        (BERLIN, (2026, 3, 28, 2, 30), "P1D", (2026, 3, 30)),  # at half past two, which the 29th has not
        (BERLIN, (2026, 10, 25, 12), "P1M", (2026, 11, 26)),
        (SYDNEY, (2026, 10, 3, 12), "P1D", (2026, 10, 5)),  # put forward where spring is in October
        (SYDNEY, (2026, 4, 4, 12), "P1D", (2026, 4, 6)),  # and back in April
        (APIA, (2011, 12, 29, 12), "P2D", (2012, 1, 1)),  # 30 December was left out
        (NEW_YORK, (2028, 2, 29, 12), "P1Y", (2029, 3, 1)),  # lasts through 28 February
        (NEW_YORK, (2027, 2, 28, 12), "P1Y", (2028, 2, 29)),  # not through the 29th
        (NEW_YORK, (2028, 1, 31, 12), "P1M", (2028, 3, 1)),  # through 29 February
        (NEW_YORK, (2027, 1, 31, 12), "P1M", (2027, 3, 1)),  # through the 28th
        (NEW_YORK, (2026, 12, 31, 23, 59), "P1D", (2027, 1, 2)),
        (SYDNEY, (2026, 12, 31, 23, 59), "P12M", (2028, 1, 1)),
    ],
)
def test_points_and_tiers_last_through_their_last_day(
    zone: str, start: tuple[int, ...], period: str, end: tuple[int, ...]
) -> None:
    """Given a start and a period; when what lasts so long ends; then at the midnight after its last local day."""
    found = end_of_day_after(local(zone, *start), Period.parse(period), ZoneInfo(zone))
    assert found == local(zone, *end)


@pytest.mark.parametrize(
    ("zone", "at", "begins"),
    [
        (NEW_YORK, (2028, 2, 29, 12), (2027, 3, 1)),  # 28 February 2027 leads to the 28th, not to the 29th
        (NEW_YORK, (2029, 2, 28, 12), (2028, 2, 28)),
        (NEW_YORK, (2027, 3, 14, 12), (2026, 3, 14)),  # the day on which clocks are put forward
        (BERLIN, (2027, 3, 28, 0, 30), (2026, 3, 28)),
        (SYDNEY, (2027, 1, 1, 0, 0), (2026, 1, 1)),
    ],
)
def test_the_window_of_a_year_begins_with_a_local_day(
    zone: str, at: tuple[int, ...], begins: tuple[int, ...]
) -> None:
    """Given a moment; when the last twelve months are looked at; then they begin at the midnight of the first day that
    leads there."""
    assert window_start(local(zone, *at), Period.parse("P12M"), ZoneInfo(zone)) == local(zone, *begins)


@pytest.mark.parametrize(
    ("born", "year", "day"),
    [
        (date(2004, 2, 29), 2027, date(2027, 2, 28)),
        (date(2004, 2, 29), 2028, date(2028, 2, 29)),
        (date(2004, 2, 28), 2028, date(2028, 2, 28)),
        (date(2004, 12, 31), 2027, date(2027, 12, 31)),
    ],
)
def test_birthdays_and_years_of_membership(born: date, year: int, day: date) -> None:
    """Given a day of birth or registration; when its year comes round; then on that day, 28 February for the 29th."""
    assert anniversary(born, year) == day
    zone = ZoneInfo(SYDNEY)
    assert year_start(local(SYDNEY, day.year, day.month, day.day), born, zone).astimezone(zone).date() == day


@pytest.mark.parametrize(
    ("zone", "first", "second", "allowed"),
    [
        (NEW_YORK, (2027, 2, 28, 9), (2027, 3, 28, 8, 59), False),
        (NEW_YORK, (2027, 2, 28, 9), (2027, 3, 28, 9), True),  # across the hour that is left out
        (NEW_YORK, (2027, 10, 10, 9), (2027, 11, 10, 8, 59), False),  # across the hour that comes twice
        (NEW_YORK, (2027, 10, 10, 9), (2027, 11, 10, 9), True),
        (BERLIN, (2028, 1, 29, 12), (2028, 2, 29, 12), True),
        (BERLIN, (2026, 12, 31, 12), (2027, 1, 31, 11), False),
        (SYDNEY, (2026, 12, 31, 12), (2027, 1, 31, 12), True),
    ],
)
def test_once_a_month_by_the_clock_on_the_wall(
    zone: str, first: tuple[int, ...], second: tuple[int, ...], allowed: bool
) -> None:
    """Given a rule that gives once a month; when the same comes again; then a month is one by the local clock."""
    uses = [Use("", local(zone, *first), "c", 1)]
    limit = Limit(times=1, per=Period.parse("P1M"))
    assert within(limit, uses, local(zone, *second), "", ZoneInfo(zone)) is allowed
