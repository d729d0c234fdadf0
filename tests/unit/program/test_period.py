"""Periods: calendar arithmetic where months and clocks are uneven."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.program.values.period import Period

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P30D", Period(rest=timedelta(days=30))),
        ("P12M", Period(months=12)),
        ("P1Y", Period(months=12)),
        ("P1Y2M3D", Period(14, timedelta(days=3))),
        ("P2W", Period(rest=timedelta(days=14))),
        ("PT15M", Period(rest=timedelta(minutes=15))),
        ("P1DT12H", Period(rest=timedelta(days=1, hours=12))),
        ("P0D", Period()),
    ],
)
def test_reads_iso_8601(text: str, period: Period) -> None:
    assert Period.parse(text) == period


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("P30D", "P30D"),
        ("P1Y2M3D", "P14M3D"),
        ("P2W", "P14D"),
        ("PT15M", "PT15M"),
        ("P1DT12H5M7S", "P1DT12H5M7S"),
        ("PT36H", "P1DT12H"),
        ("P0D", "P0D"),
    ],
)
def test_is_written_in_one_way(text: str, written: str) -> None:
    """Given a duration in any spelling; when its period is written; then in one way, which reads as the same."""
    assert str(Period.parse(text)) == written
    assert Period.parse(written) == Period.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "30D",
        "P",
        "PT",
        "P1",
        "1M",
        "P-1D",
        "-P1D",
        "P0.5M",
        "P1.5Y",
        "month",
        "P1M2",
        "P99999999999D",
        "P\uff11D",
    ],
)
def test_refuses_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|longer"):
        Period.parse(text)


def test_a_year_and_twelve_months_are_the_same() -> None:
    assert Period.parse("P1Y") == Period.parse("P12M")


def test_a_month_after_31_january_is_the_last_of_february() -> None:
    month = Period.parse("P1M")
    assert month.after(at("2026-01-31T12:00"), UTC_ZONE) == at("2026-02-28T12:00")
    assert month.after(at("2028-01-31T12:00"), UTC_ZONE) == at("2028-02-29T12:00")


def test_a_year_after_29_february_is_28_february() -> None:
    assert Period.parse("P1Y").after(at("2028-02-29T12:00"), UTC_ZONE) == at("2029-02-28T12:00")
    assert Period.parse("P4Y").after(at("2028-02-29T12:00"), UTC_ZONE) == at("2032-02-29T12:00")


def test_a_month_before_31_march_is_the_last_of_february() -> None:
    assert Period.parse("P1M").before(at("2026-03-31T12:00"), UTC_ZONE) == at("2026-02-28T12:00")


def test_days_keep_the_local_clock_across_the_change_to_summer_time() -> None:
    # 8 March 2026, 02:00 in New York is when clocks go forward: that day has 23 hours.
    before = at("2026-03-07T17:00")  # noon, UTC-5
    assert Period.parse("P1D").after(before, NEW_YORK) == at("2026-03-08T16:00")  # noon, UTC-4


def test_days_keep_the_local_clock_across_the_change_to_winter_time() -> None:
    before = at("2026-10-24T10:00")  # noon in Berlin, UTC+2
    assert Period.parse("P1D").after(before, BERLIN) == at("2026-10-25T11:00")  # noon, UTC+1


def test_hours_are_exact_across_a_change_of_clocks() -> None:
    assert Period.parse("PT24H").rest == timedelta(hours=24)
    assert Period.parse("PT12H").after(at("2026-03-08T00:00"), NEW_YORK) == at("2026-03-08T12:00")


def test_months_are_counted_on_the_local_calendar() -> None:
    # 1 March 03:00 UTC is still 28 February in New York; a month later there is 28 March.
    assert Period.parse("P1M").after(at("2026-03-01T03:00"), NEW_YORK) == at("2026-03-29T02:00")


def test_the_answer_is_in_utc() -> None:
    assert Period.parse("P1M").after(at("2026-01-01T00:00"), NEW_YORK).tzinfo is UTC


def test_nothing_is_false() -> None:
    assert not Period.parse("P0D")
    assert Period.parse("PT1S")
