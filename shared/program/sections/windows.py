"""The keys `from` and `until`: the days, in the program's time zone, on which something holds."""

import re
from datetime import date, datetime, timedelta

from shared.program.document.fields import Fields
from shared.program.values.calendar import midnight

KEYS = ("from", "until")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
YEAR_MIN, YEAR_MAX = 2000, 2200


def read_window(fields: Fields) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the day `from` to the end of the day `until`, both in UTC; None where it is open."""
    first, last = _day(fields, "from"), _day(fields, "until")
    if first is not None and last is not None and last < first:
        fields.fault("until", f"until is before from: {last} is before {first}.", "Exchange the two days.")
    return _midnight(fields, first), _midnight(fields, None if last is None else last + timedelta(days=1))


def _day(fields: Fields, key: str) -> date | None:
    node = fields.scalar(key)
    if node is None:
        return None
    try:
        day = date.fromisoformat(node.text) if _DAY.match(node.text) else None
    except ValueError:
        day = None
    if day is None or not YEAR_MIN <= day.year < YEAR_MAX:
        fields.fault(
            key, f"{key} needs a day, not {node.text!r}.", "Write year-month-day, such as 2026-11-27."
        )
        return None
    return day


def _midnight(fields: Fields, day: date | None) -> datetime | None:
    return None if day is None else midnight(day, fields.reading.zone)
