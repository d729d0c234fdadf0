"""Periods: ISO 8601 durations with calendar arithmetic, so that P1M after 31 January is the last day of February."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import isodate
from dateutil.relativedelta import relativedelta


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A length of calendar time: months, then an exact rest (days count 24 hours of local time)."""

    months: int = 0
    rest: timedelta = timedelta()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The period that an ISO 8601 duration such as `P12M`, `P30D` or `PT15M` names.

        Raises `ValueError` when it is not one, is negative, or uses fractions of months or years.
        """
        try:
            parsed = isodate.parse_duration(text)
        except (isodate.ISO8601Error, TypeError) as error:
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as P30D or P12M") from error
        months = getattr(parsed, "years", 0) * 12 + getattr(parsed, "months", 0)
        rest = parsed if isinstance(parsed, timedelta) else parsed.tdelta
        if months != int(months):
            raise ValueError(f"{text!r} has a fraction of a month; use days")
        if months < 0 or rest < timedelta():
            raise ValueError(f"{text!r} is negative")
        return cls(int(months), rest)

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment this long after `moment`, counted on the calendar and clock of `zone`; in UTC."""
        return self._shift(moment, zone, 1)

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment this long before `moment`, counted likewise."""
        return self._shift(moment, zone, -1)

    def _shift(self, moment: datetime, zone: ZoneInfo, sign: int) -> datetime:
        if not self.months and not self.rest.days:
            return moment + sign * self.rest  # hours and minutes are exact, whatever the clocks do
        local = moment.astimezone(zone)
        if self.months:
            local += relativedelta(months=sign * self.months)
        shifted = local + sign * self.rest
        return shifted.astimezone(moment.tzinfo)

    def __bool__(self) -> bool:
        return bool(self.months or self.rest)
