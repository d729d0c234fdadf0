"""Periods: ISO 8601 durations with calendar arithmetic, so that P1M after 31 January is the last day of February."""

import re
from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo


def anniversary(first: date, year: int) -> date:
    """The day in `year` on which the month and day of `first` come round: 28 February where there is no 29th."""
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


@lru_cache(maxsize=8192)  # one moment is asked about several times; the zone's arithmetic is not free
def day_of(moment: datetime, zone: ZoneInfo) -> int:
    """The number of the calendar day on which `moment` falls in `zone`, as `date.toordinal` counts."""
    return moment.astimezone(zone).toordinal()


YEARS_MAX = 100
"""Longer periods mean for ever, and would leave the calendar."""

_DURATION = re.compile(
    r"P(?=[0-9T])(?:(?P<years>[0-9]{1,9})Y)?(?:(?P<months>[0-9]{1,9})M)?"
    r"(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?\Z"
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A length of calendar time: months, then an exact rest (days count 24 hours of local time)."""

    months: int = 0
    rest: timedelta = timedelta()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The period that an ISO 8601 duration such as `P12M`, `P30D` or `PT15M` names.

        Raises `ValueError` when it is not one, has a sign or fractions, or is longer than a hundred years.
        """
        match = _DURATION.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as P30D or P12M")
        count = {unit: int(many) for unit, many in match.groupdict(default="0").items()}
        months = count["years"] * 12 + count["months"]
        seconds = count["hours"] * 3600 + count["minutes"] * 60 + count["seconds"]
        days = count["weeks"] * 7 + count["days"]
        if months / 12 + days / 365 + seconds / 31_536_000 > YEARS_MAX:
            raise ValueError(f"{text!r} is longer than {YEARS_MAX} years")
        return cls(months, timedelta(days=days, seconds=seconds))

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment this long after `moment`, counted on the calendar and clock of `zone`; in UTC."""
        if moment.tzinfo is UTC:
            length = _length(day_of(moment, zone), self.months, self.rest, zone)
            if length is not None:
                return moment + length
        return self._shift(moment.astimezone(zone), 1)

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment this long before `moment`, counted likewise."""
        return self._shift(moment.astimezone(zone), -1)

    def _shift(self, local: datetime, sign: int) -> datetime:
        if not self.months and not self.rest.days:
            return local.astimezone(UTC) + sign * self.rest  # hours are exact, whatever the clocks do
        if self.months:
            local = _add_months(local, sign * self.months)
        return (local + sign * self.rest).astimezone(UTC)

    def __str__(self) -> str:
        """The period in ISO 8601, one text for one period: `P12M`, `P1DT12H`, `P14D` also for two weeks."""
        days, seconds = self.rest.days, self.rest.seconds
        parts = ((self.months, "M"), (days, "D"))
        date_part = "".join(f"{many}{unit}" for many, unit in parts if many)
        units = ((seconds // 3600, "H"), (seconds % 3600 // 60, "M"), (seconds % 60, "S"))
        time_part = "".join(f"{many}{unit}" for many, unit in units if many)
        return f"P{date_part}T{time_part}" if time_part else f"P{date_part or '0D'}"

    def __bool__(self) -> bool:
        return bool(self.months or self.rest)


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _add_months(local: datetime, months: int) -> datetime:
    """So many months later, or the last day of that month if it is too short. Counted a million times over in a
    simulation, at a twelfth of what dateutil takes."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    if local.day <= 28:  # every month has so many
        return local.replace(year=year, month=month + 1)
    last = 29 if month == 1 and isleap(year) else _DAYS[month]
    return local.replace(year=year, month=month + 1, day=min(local.day, last))


@lru_cache(maxsize=8192)  # asked after every order, for the same few days
def _length(day: int, months: int, rest: timedelta, zone: ZoneInfo) -> timedelta | None:
    """How long a period is that begins on that day, whenever on it; None where that depends on the time of day."""
    if rest.seconds or rest.microseconds:
        return None
    begin = datetime.fromordinal(day)
    try:
        end = _add_months(begin, months) + rest
        earlier, later = _offset(day, zone), _offset(end.toordinal(), zone)
    except (ValueError, OverflowError):  # beyond the calendar
        return None
    return None if earlier is None or later is None else end - begin + earlier - later


@lru_cache(maxsize=8192)
def _offset(day: int, zone: ZoneInfo) -> timedelta | None:
    """What the clocks of `zone` are ahead of UTC on a day; None on a day on which they are changed."""
    midnight = datetime.fromordinal(day).replace(tzinfo=zone)
    hours = [midnight + timedelta(hours=hour) for hour in range(25)]
    offsets = {one.replace(fold=fold).utcoffset() for one in hours for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None
