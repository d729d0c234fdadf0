"""Days that come round: a customer's birthday, and the anniversaries of the first order and of the registration.

Anniversaries begin with the day in the program's time zone, a birthday in the customer's own, where it is known. Who
was born on 29 February has it on the 28th in other years.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from services.scoring.domain.state import State
from shared.program.values.calendar import day_start, midnight
from shared.program.values.period import anniversary

BIRTHDAY: Final = "customer.birthday"
ANNIVERSARY: Final = "customer.anniversary"
MEMBERSHIP: Final = "membership.anniversary"


class ComingDay(Struct, frozen=True):
    """One of them: its type, when it begins, and which one it is (a year of the calendar, or how many have passed)."""

    type: str
    at: datetime
    number: int
    data: dict[str, Any]


class Root(Struct, frozen=True):
    """What comes round each year: the day on which it first was, in its zone."""

    type: str
    day: date
    zone: ZoneInfo

    def in_year(self, year: int) -> ComingDay:
        """The day in that year."""
        on = anniversary(self.day, year)
        at = midnight(on, self.zone)
        years = year - self.day.year
        if self.type == BIRTHDAY:
            return ComingDay(self.type, at, year, {"on": on.isoformat()})
        return ComingDay(self.type, at, years, {"years": years})

    def after(self, moment: datetime) -> Iterator[ComingDay]:
        """Those that begin after a moment, the next one first; none before a year has passed."""
        year = max(moment.astimezone(self.zone).year, self.day.year + 1)
        while year < date.max.year:
            day = self.in_year(year)
            if day.at > moment:
                yield day
            year += 1


def roots(state: State, birthday: date | None, zone: ZoneInfo) -> list[Root]:
    """What comes round for a customer; `zone` is the program's."""
    found = []
    if birthday is not None:
        found.append(Root(BIRTHDAY, birthday, _own_zone(state, zone)))
    if state.first_order_at is not None:
        found.append(Root(ANNIVERSARY, state.first_order_at.astimezone(zone).date(), zone))
    if state.registered_at is not None:
        found.append(Root(MEMBERSHIP, state.registered_at.astimezone(zone).date(), zone))
    return found


def known_since(received: datetime, zone: ZoneInfo) -> datetime:
    """From when on days are told of what was learnt then: from that day on, its own beginning included."""
    return day_start(received, zone) - timedelta(microseconds=1)


def days_between(found: list[Root], after: datetime, until: datetime) -> list[ComingDay]:
    """Those that begin after the one moment and not after the other, in their order."""
    days = []
    for root in found:
        for day in root.after(after):
            if day.at > until:
                break
            days.append(day)
    return sorted(days, key=lambda day: (day.at, day.type))


def next_day_at(found: list[Root], moment: datetime) -> datetime | None:
    """When the next of them begins."""
    return min((next(root.after(moment)).at for root in found), default=None)


def same_roots(before: State, after: State) -> bool:
    """Whether nothing has changed on which such days depend."""
    return (
        before.first_order_at == after.first_order_at
        and before.registered_at == after.registered_at
        and before.profile.get(BIRTHDAY) == after.profile.get(BIRTHDAY)
        and before.time_zone == after.time_zone
    )


def _own_zone(state: State, zone: ZoneInfo) -> ZoneInfo:
    if state.time_zone is None:
        return zone
    try:
        return ZoneInfo(state.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # what was told is no zone
        return zone
