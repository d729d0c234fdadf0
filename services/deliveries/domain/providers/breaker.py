"""A circuit breaker: a provider that is in trouble is left alone for a while, and then asked by one message.

Source of the pattern: M. Nygard, "Release It!". It is a value, not an object with a clock: it is kept in the row of the
provider, so that all workers share it and a restart does not forget it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAILURES_MAX: Final = 5
"""Failures of the provider in a row, after which it is left alone."""
OPEN_FOR: Final = timedelta(seconds=15)
"""The shortest time for which it is left alone; it doubles with every probe that fails."""
OPEN_MAX: Final = timedelta(minutes=10)
PROBE_WITHIN: Final = timedelta(minutes=2)
"""A probe that has not come back by then is given up (its worker was killed), and another message is sent as one."""


class Circuit(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    """The provider is used."""
    OPEN = "open"
    """It is left alone."""
    PROBING = "probing"
    """One message may find out."""
    PROBED = "probed"
    """One message is finding out."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is remembered of a provider's trouble."""

    failures: int = 0
    """In a row, since the last success."""
    until: datetime | None = None
    """Until when nothing is sent; None while the circuit is closed."""
    openings: int = 0
    """How often it opened in a row, without a success between."""
    probed: bool = False
    """Whether a probe is under way, until then."""

    def circuit(self, now: datetime) -> Circuit:
        """Where it stands at `now`. A clock that was set back does not keep it open for longer than `OPEN_MAX`."""
        if self.until is None:
            return Circuit.CLOSED
        if not now < self.until <= now + OPEN_MAX:
            return Circuit.PROBING
        return Circuit.PROBED if self.probed else Circuit.OPEN

    def allowed(self, now: datetime, wanted: int) -> int:
        """How many messages may be sent now."""
        match self.circuit(now):
            case Circuit.CLOSED:
                return wanted
            case Circuit.PROBING:
                return min(wanted, 1)
            case Circuit.OPEN | Circuit.PROBED:
                return 0

    def sending(self, now: datetime) -> "Breaker":
        """A message goes out: as a probe it keeps the others waiting until it is back."""
        return self if self.until is None else replace(self, until=now + PROBE_WITHIN, probed=True)

    def succeeded(self) -> "Breaker":
        """The provider answered as it should (that it refused one message for good is such an answer)."""
        return Breaker()

    def failed(self, now: datetime, *, probe: bool = False) -> "Breaker":
        """The provider is in trouble: it did not answer, or says that it cannot work at the moment.

        What was under way when the circuit opened does not keep it open for longer: only a `probe` does.
        """
        failures = self.failures + 1
        if self.until is None:
            if failures < FAILURES_MAX:
                return replace(self, failures=failures)
        elif not probe:
            return replace(self, failures=failures)
        pause = min(OPEN_FOR * 2 ** min(self.openings, 16), OPEN_MAX)
        return Breaker(failures, now + pause, self.openings + 1)
