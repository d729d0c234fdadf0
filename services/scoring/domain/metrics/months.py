"""Calendar months in the program's zone, as whole numbers: the month after is one more."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Month = int
"""Twelve times the year, and the number of the month from 0: January 2026 is 24312."""

NO_MONTH: Month = 12
"""January of the year 1: stands for "never" where a month must be stored."""

LAST_MONTH: Month = 9999 * 12 + 11


def month_of(moment: datetime, zone: ZoneInfo) -> Month:
    """The month in which `moment` falls in `zone`."""
    local = moment.astimezone(zone)
    return local.year * 12 + local.month - 1


def begin_of(month: Month, zone: ZoneInfo) -> datetime:
    """The first moment of a month in `zone`, in UTC."""
    year, number = divmod(month, 12)
    return datetime(year, number + 1, 1, tzinfo=zone).astimezone(UTC)


def day_in(month: Month) -> date:
    """The first day of a month."""
    year, number = divmod(month, 12)
    return date(year, number + 1, 1)


def month_with(day: date) -> Month:
    """The month of a day."""
    return day.year * 12 + day.month - 1


def name_of(month: Month) -> str:
    """Such as `2026-01`."""
    year, number = divmod(month, 12)
    return f"{year:04d}-{number + 1:02d}"


def month_named(name: str) -> Month:
    """The month with a name such as `2026-01`. Raises `ValueError` when there is none."""
    return month_with(date.fromisoformat(f"{name}-01"))
