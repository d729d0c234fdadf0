"""Days of the program's time zone: when periods end and windows begin."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.program.values.calendar import end_of_day_after, last_day, window_start
from shared.program.values.period import Period

NEW_YORK = ZoneInfo("America/New_York")


def test_a_period_of_days_ends_with_the_local_day() -> None:
    """Given points of the evening in New York (the next day in UTC); when they live a year; then through that local
    day, also over a change of clocks."""
    evening = datetime(2026, 3, 1, 3, tzinfo=UTC)  # 28 February, 22:00

    ends = end_of_day_after(evening, Period.parse("P1M"), NEW_YORK)

    assert ends == datetime(2026, 3, 29, 4, tzinfo=UTC)  # 28 March is the last day, in summer time
    assert last_day(ends, NEW_YORK).isoformat() == "2026-03-28"


def test_a_period_of_hours_is_exact() -> None:
    """Given a period of two hours; when it ends; then to the second."""
    moment = datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC)

    assert end_of_day_after(moment, Period.parse("PT2H"), NEW_YORK) == moment + timedelta(hours=2)


def test_a_window_begins_with_a_local_day() -> None:
    """Given a window of 12 months; when it is late evening in New York; then it begins at midnight there a year ago."""
    moment = datetime(2026, 6, 2, 3, tzinfo=UTC)  # 1 June, 23:00

    assert window_start(moment, Period.parse("P12M"), NEW_YORK) == datetime(2025, 6, 1, 4, tzinfo=UTC)
