"""Days and periods in the program's time zone, remembered because a batch asks for the same ones again and again."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from shared.program.values.period import Period, anniversary

ExpireAt = Literal["day", "month", "year"]
"""At the end of which day points expire: that on which they have lasted long enough, or the last of its month or
year."""

REMEMBERED = 4096
"""Days that each function remembers; a year of history is 366. They are asked for by the parts of a period, which the
interpreter itself can hash."""
NO_TIME = timedelta()

NEW_YEAR = date(2000, 1, 1)
"""Where the calendar's years begin."""


def end_of_day(moment: datetime, zone: ZoneInfo) -> datetime:
    """The end of the local day of a moment, in UTC."""
    return _end_of_day_after(moment.astimezone(zone).date(), 0, NO_TIME, zone, "day")


def end_of_day_after(moment: datetime, period: Period, zone: ZoneInfo, *, at: ExpireAt = "day") -> datetime:
    """The end of the local day on which `period` after `moment` falls, or with `at` of its month or year, in UTC:
    points and codes live through their last day. Hours are meant exactly."""
    if at == "day" and not period.months and period.rest < timedelta(days=1):
        return period.after(moment, zone)
    return _end_of_day_after(moment.astimezone(zone).date(), period.months, period.rest, zone, at)


@lru_cache(maxsize=REMEMBERED)
def _end_of_day_after(day: date, months: int, rest: timedelta, zone: ZoneInfo, at: ExpireAt) -> datetime:
    noon = datetime.combine(day, time(12), zone)
    last = Period(months, rest).after(noon, zone).astimezone(zone).date()
    if at == "month":
        return midnight(date(last.year + last.month // 12, last.month % 12 + 1, 1), zone)
    if at == "year":
        return midnight(date(last.year + 1, 1, 1), zone)
    return midnight(last + timedelta(days=1), zone)


def window_start(moment: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """The start of the first local day from which `period` leads to the day of `moment` or beyond, in UTC: where a
    rolling window begins. (28 February 2023 does not lead to 29 February 2024 within a year.)"""
    return _window_start(moment.astimezone(zone).date(), period.months, period.rest, zone)


@lru_cache(maxsize=REMEMBERED)
def _window_start(day: date, months: int, rest: timedelta, zone: ZoneInfo) -> datetime:
    period = Period(months, rest)
    noon = datetime.combine(day, time(12), zone)
    first = period.before(noon, zone).astimezone(zone).date()
    while _day_after(first, period, zone) < day:
        first += timedelta(days=1)
    return midnight(first, zone)


def _day_after(day: date, period: Period, zone: ZoneInfo) -> date:
    return period.after(datetime.combine(day, time(12), zone), zone).astimezone(zone).date()


def year_start(moment: datetime, born: date, zone: ZoneInfo) -> datetime:
    """The start of the local day on which the year of `moment` began, in UTC, where years begin on the day and month of
    `born`: for the calendar a first of January. Who was born on 29 February has other years begin on the 28th."""
    return _year_start(moment.astimezone(zone).date(), born, zone)


def next_year_start(moment: datetime, born: date, zone: ZoneInfo) -> datetime:
    """The start of the year after that of `moment`."""
    day = _year_start(moment.astimezone(zone).date(), born, zone).astimezone(zone).date()
    return midnight(anniversary(born, day.year + 1), zone)


@lru_cache(maxsize=REMEMBERED)
def _year_start(day: date, born: date, zone: ZoneInfo) -> datetime:
    this = anniversary(born, day.year)
    return midnight(this if this <= day else anniversary(born, day.year - 1), zone)


def day_start(moment: datetime, zone: ZoneInfo) -> datetime:
    """The start of the local day of `moment`, in UTC."""
    return midnight(moment.astimezone(zone).date(), zone)


@lru_cache(maxsize=REMEMBERED)
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The start of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def is_end_of_day(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a local day ends then, which is not always at midnight: clocks may be put on at that hour."""
    return end_of_day(moment - timedelta(microseconds=1), zone) == moment


def last_day(end: datetime, zone: ZoneInfo) -> date:
    """The last local day on which something that ends at `end` can be used."""
    return (end - timedelta(microseconds=1)).astimezone(zone).date()
