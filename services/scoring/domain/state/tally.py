"""How often something happened: in all, and by the day within the last 90, so that windows are exact at any moment."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

TALLY_DAYS = 90
"""The longest window of a tally, today included."""


class Tally(Struct, frozen=True, array_like=True):
    """How often in all, when last, and the counts of the days within `TALLY_DAYS` of the newest, ascending.

    Days are numbered as `date.toordinal` does, in the program's zone.
    """

    total: int = 0
    last_at: datetime | None = None
    days: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    def plus(self, at: datetime, day: int, times: int = 1) -> "Tally":
        """Once more, on the newest day so far; days that no window reaches any more are left out."""
        if self.days and self.days[-1] == day:
            counts = (*self.counts[:-1], self.counts[-1] + times)
            return Tally(self.total + times, at, self.days, counts)
        gone = _before(self.days, day - TALLY_DAYS + 1)
        return Tally(self.total + times, at, (*self.days[gone:], day), (*self.counts[gone:], times))

    def within(self, days: int, today: int) -> int:
        """How often in the last so many days (`TALLY_DAYS` at most), `today` included."""
        assert days <= TALLY_DAYS
        return sum(self.counts[_before(self.days, today - days + 1) :])


NONE = Tally()
"""Never."""


def _before(days: Sequence[int], day: int) -> int:
    """How many of the days are before `day`."""
    if not days or days[0] >= day:
        return 0
    return bisect_left(days, day)
