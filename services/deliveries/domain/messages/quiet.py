"""Quiet hours, on the clock that hangs where the customer lives, exact also on days when clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` up to, but not including, `end`; over midnight where `end` is the earlier time of day."""

    begin: time
    end: time

    def hold(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether the clock of `zone` shows a quiet hour at that moment."""
        shown = moment.astimezone(zone).time()
        if self.begin < self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end

    def over(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from `moment` on that is not quiet, in UTC."""
        moment = moment.astimezone(UTC)
        while self.hold(moment, zone):
            moment = self._next_end(moment, zone)
        return moment

    def _next_end(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The next moment after a quiet one at which the clock shows `end`, or has jumped over it."""
        local = moment.astimezone(zone)
        day = local.date()
        while True:
            for fold in (0, 1):  # an hour that is shown twice ends twice
                end = datetime.combine(day, self.end, zone).replace(fold=fold)
                at = end.astimezone(UTC)
                if at.astimezone(zone).time() != self.end:
                    at = _jump(at, zone)  # the clock never shows it on that day
                if at > moment:
                    return at
            day += timedelta(days=1)


def _jump(near: datetime, zone: ZoneInfo) -> datetime:
    """The moment within a day of `near` at which the clock of `zone` jumps forward, to the second."""
    before, after = near - timedelta(hours=24), near + timedelta(hours=24)
    offset = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
