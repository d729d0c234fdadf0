"""Quiet hours, in the customer's zone, also when clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.messages.quiet import QuietHours

NIGHT = QuietHours(time(21), time(8))
NEW_YORK, BERLIN, LORD_HOWE = (
    ZoneInfo("America/New_York"),
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Australia/Lord_Howe"),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "zone", "moment", "over"),
    [
        # Over midnight, on both sides of it, and at both ends: the first minute is quiet, the last moment is not.
        (NIGHT, NEW_YORK, "2026-06-01T12:00", "2026-06-01T12:00"),
        (NIGHT, NEW_YORK, "2026-06-02T01:00", "2026-06-02T12:00"),
        (NIGHT, NEW_YORK, "2026-06-02T11:59:59.999999", "2026-06-02T12:00"),
        (NIGHT, BERLIN, "2026-06-01T18:59:59", "2026-06-01T18:59:59"),
        (NIGHT, BERLIN, "2026-06-01T19:00", "2026-06-02T06:00"),
        # Within a day.
        (QuietHours(time(12), time(14)), BERLIN, "2026-06-01T09:59:59.999999", "2026-06-01T09:59:59.999999"),
        (QuietHours(time(12), time(14)), BERLIN, "2026-06-01T10:00", "2026-06-01T12:00"),
        (QuietHours(time(12), time(14)), BERLIN, "2026-06-01T12:00", "2026-06-01T12:00"),
        # The night in which clocks go forward is an hour shorter, that in which they go back an hour longer.
        (NIGHT, NEW_YORK, "2026-03-08T04:00", "2026-03-08T12:00"),
        (NIGHT, NEW_YORK, "2026-11-01T02:00", "2026-11-01T13:00"),
        # An end that the clock jumps over (02:30 in New York on 8 March) is the jump, at 03:00 there.
        (QuietHours(time(22), time(2, 30)), NEW_YORK, "2026-03-08T06:00", "2026-03-08T07:00"),
        # An hour that is shown twice is quiet twice (01:00 to 02:00 in New York on 1 November).
        (QuietHours(time(1), time(1, 30)), NEW_YORK, "2026-11-01T05:10", "2026-11-01T05:30"),
        (QuietHours(time(1), time(1, 30)), NEW_YORK, "2026-11-01T06:10", "2026-11-01T06:30"),
        # Lord Howe changes by half an hour, at 02:00 to 02:30.
        (QuietHours(time(22), time(2, 15)), LORD_HOWE, "2026-10-03T14:00", "2026-10-03T15:30"),
    ],
)
def test_the_end_of_quiet_hours(hours: QuietHours, zone: ZoneInfo, moment: str, over: str) -> None:
    assert hours.over(utc(moment), zone) == utc(over)


MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@given(
    begin=MINUTES,
    end=MINUTES,
    zone=st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE, ZoneInfo("UTC"), ZoneInfo("Pacific/Apia")]),
    hours_on=st.integers(0, 3 * 365 * 24),
    seconds=st.integers(0, 3599),
)
def test_it_is_the_first_moment_that_is_not_quiet(
    begin: time, end: time, zone: ZoneInfo, hours_on: int, seconds: int
) -> None:
    """Whatever the hours, the zone and the moment: the answer is not quiet, nothing before it is loud, and it is less
    than a day and an hour away."""
    if begin == end:
        return
    hours = QuietHours(begin, end)
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours_on, seconds=seconds)
    over = hours.over(start, zone)
    assert start <= over <= start + timedelta(hours=25)
    assert not hours.hold(over, zone)
    if over > start:
        assert hours.hold(start, zone)
        assert hours.hold(over - timedelta(seconds=1), zone)
