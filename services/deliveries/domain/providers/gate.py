"""What a provider may be given at a moment: its rate, and whether it is in trouble."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from services.deliveries.domain.providers.answers import Again, Receipt
from services.deliveries.domain.providers.breaker import Breaker, Circuit
from services.deliveries.domain.providers.pace import Pace


@dataclass(frozen=True, slots=True)
class Gate:
    """What is remembered of a provider between messages, shared by all workers."""

    arrival: datetime | None = None
    """Of its pace (`Pace.grant`)."""
    breaker: Breaker = field(default_factory=Breaker)
    code: str = ""
    """What its trouble is, while it is in trouble."""

    def cut(self, pace: Pace, now: datetime) -> "Gate":
        """As it is looked at: a clock that was set back is noticed once, and then forgotten."""
        arrival = pace.grant(self.arrival, now, 0)[1]
        return self if self.arrival is None or self.arrival <= arrival else replace(self, arrival=arrival)

    def room(self, pace: Pace, now: datetime, wanted: int) -> int:
        """How many messages it may be given now, of so many that are wanted."""
        return pace.grant(self.arrival, now, self.breaker.allowed(now, wanted))[0]

    def opens_at(self, pace: Pace, now: datetime) -> datetime:
        """When it may be given more, once its room is used up."""
        until = self.breaker.until
        blocked = self.breaker.circuit(now) in (Circuit.OPEN, Circuit.PROBED)
        return until if blocked and until is not None else now + pace.wait(self.arrival, now)

    def took(self, pace: Pace, now: datetime, count: int) -> "Gate":
        """After it was given so many."""
        if not count:
            return self
        arrival = pace.grant(self.arrival, now, count)[1]
        return replace(self, arrival=arrival, breaker=self.breaker.sending(now))

    def heard(self, receipt: Receipt, now: datetime, *, probe: bool) -> "Gate":
        """After its answer to one message."""
        if isinstance(receipt, Again) and receipt.down:
            return replace(self, breaker=self.breaker.failed(now, probe=probe), code=receipt.code)
        return replace(self, breaker=self.breaker.succeeded(), code="")
