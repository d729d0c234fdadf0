"""Why who is who has changed."""

from dataclasses import dataclass
from datetime import datetime

from services.scoring.domain.event import Event


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought a change of identities about: an event, or a decision. `name` tells it from all others."""

    name: str
    at: datetime
    received: datetime
    historical: bool = False

    @classmethod
    def of(cls, event: Event) -> "Cause":
        """The event as a cause."""
        return cls(event.key, event.at, event.record.received, event.record.historical)
