"""Days and periods in the program's time zone, remembered because a batch asks for the same ones again and again."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.program.period import Period

REMEMBERED = 4096
"""Days that each function remembers; a year of history is 366."""


def end_of_day_after(moment: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """The end of the local day on which `period` after `moment` falls, in UTC: points live through their last day."""
    if not period.months and period.rest < timedelta(days=1):
        return period.after(moment, zone)  # hours are meant exactly
    return _end_of_day_after(moment.astimezone(zone).date(), period, zone)


@lru_cache(maxsize=REMEMBERED)
def _end_of_day_after(day: date, period: Period, zone: ZoneInfo) -> datetime:
    noon = datetime.combine(day, time(12), zone)
    last = period.after(noon, zone).astimezone(zone).date()
    return _midnight(last + timedelta(days=1), zone)


def window_start(moment: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """The start of the local day that lies `period` before `moment`, in UTC: where a rolling window begins."""
    return _window_start(moment.astimezone(zone).date(), period, zone)


@lru_cache(maxsize=REMEMBERED)
def _window_start(day: date, period: Period, zone: ZoneInfo) -> datetime:
    noon = datetime.combine(day, time(12), zone)
    return _midnight(period.before(noon, zone).astimezone(zone).date(), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def last_day(end: datetime, zone: ZoneInfo) -> date:
    """The last local day on which something that ends at `end` can be used."""
    return (end - timedelta(microseconds=1)).astimezone(zone).date()
