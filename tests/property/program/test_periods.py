"""Periods: what is counted once for a day holds for every moment of it, also where clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.program.values.period import Period

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "America/New_York",
        "Australia/Lord_Howe",  # half an hour of summer time
        "Africa/Casablanca",  # clocks changed four times a year
        "Asia/Kathmandu",
        "Pacific/Apia",  # left out a whole day
    )
]
CHANGES = [
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
]
"""Some moments at which clocks are changed."""

years = st.timedeltas(timedelta(), timedelta(days=365 * 120)).map(datetime(1975, 1, 1, tzinfo=UTC).__add__)
near = st.timedeltas(timedelta(days=-3), timedelta(days=3))
moments = years | st.tuples(st.sampled_from(CHANGES), near).map(lambda pair: pair[0] + pair[1])
periods = st.sampled_from(
    ["P0D", "P1D", "P60D", "P180D", "P1M", "P12M", "P14M3D", "P1DT12H", "PT3H", "P100Y"]
)


@given(moments, periods.map(Period.parse), st.sampled_from(ZONES))
def test_a_period_ends_by_the_calendar_and_clock_of_its_zone(
    moment: datetime, period: Period, zone: ZoneInfo
):
    """Given a moment in UTC; when a period is counted from it; then it ends when it does counted from the same moment
    as the clocks of the zone show it."""
    ends = period.after(moment, zone)

    assert ends == period.after(moment.astimezone(zone), zone)
    assert ends.tzinfo is UTC
