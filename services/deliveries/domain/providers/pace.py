"""How many messages a provider is given per second, over all workers."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate with a burst: the generic cell rate algorithm (ITU-T I.371), whose whole state is one moment.

    That moment, the theoretical arrival time, is kept in the row of the provider, so that any number of workers keep
    the rate together.
    """

    per_second: float
    """Messages per second in the long run; greater than zero."""
    burst: int
    """Messages that may go at once after a rest; at least one."""

    def grant(self, arrival: datetime | None, now: datetime, wanted: int) -> tuple[int, datetime]:
        """How many of `wanted` may go at `now`, and the moment to remember.

        `arrival` is what was remembered last. One that lies further ahead than a burst is long can only come from a
        clock that was set back; it is cut, so that nobody waits for an hour that happens twice.
        """
        each = timedelta(seconds=1 / self.per_second)
        full = now + each * self.burst
        start = min(max(arrival or now, now), full)
        granted = min(wanted, int((full - start) / each + 1e-9))
        return granted, start + each * granted

    def wait(self, arrival: datetime | None, now: datetime) -> timedelta:
        """How long until one more may go."""
        each = timedelta(seconds=1 / self.per_second)
        full = now + each * self.burst
        start = min(max(arrival or now, now), full)
        return max(start + each - full, timedelta(0))
