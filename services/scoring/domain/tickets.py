"""Support tickets: which are open, how fast they were answered and resolved."""

from datetime import datetime

from msgspec import Struct

from services.scoring.domain.tally import NONE, Tally


class Ticket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ticket. `opened_at` is None when its opening is not known. `waiting_since`: when the customer last spoke
    and nobody has answered yet; None while it is the customer's turn. `resolved_at` is None while it is open."""

    opened_at: datetime | None = None
    key: str = ""
    priority: str = "normal"
    touched_at: datetime | None = None
    answered_at: datetime | None = None
    waiting_since: datetime | None = None
    resolved_at: datetime | None = None
    reopened: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it waits for a solution."""
        return self.resolved_at is None


class Tickets(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All tickets: counts and sums for ever, and the newest ones by their ids (`TICKETS_MAX`; resolved ones make room).

    `opened` counts tickets, `urgent` those of priority high or urgent, `reopened` reopenings. Seconds: `response_s`
    from opening to the first answer by an agent, summed over `answered` tickets; `resolution_s` from opening to the
    resolution that stands, summed over `timed` tickets. `resolved` counts tickets that stand resolved.
    """

    opened: Tally = NONE
    urgent: int = 0
    open: int = 0
    reopened: int = 0
    resolved: int = 0
    last_resolved_at: datetime | None = None
    answered: int = 0
    response_s: int = 0
    last_response_s: int | None = None
    timed: int = 0
    resolution_s: int = 0
    last_resolution_s: int | None = None
    newest: dict[str, Ticket] = {}


NO_TICKETS = Tickets()
