"""Support tickets: which are open, how fast they were answered and resolved."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.state.tally import NONE, Tally

TICKETS_MAX = 50
"""So many tickets of a customer are known one by one; resolved ones, longest untouched, make room first."""

URGENT = frozenset({"high", "urgent"})
_SECOND = timedelta(seconds=1)


class Ticket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ticket. `opened_at` and `key` (of the opening event) are missing when its opening is not known.
    `waiting_since`: when the customer last spoke and nobody has answered yet; None while it is the customer's turn.
    `resolved_at` is None while it is open."""

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
    """All tickets: counts and sums for ever, and the newest ones by their ids (`TICKETS_MAX`).

    `opened` counts tickets, `urgent` those of priority high or urgent, `reopened` reopenings. Seconds: `response_s`
    from opening to the first answer by an agent, summed over `answered` tickets; `resolution_s` from opening to the
    resolution that stands, summed over `timed` tickets. `resolved` counts tickets that stand resolved.
    """

    opened: Tally = NONE
    urgent: int = 0
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

    @property
    def open(self) -> int:
        """How many wait for a solution."""
        return sum(1 for one in self.newest.values() if one.is_open)

    @property
    def waiting_since(self) -> datetime | None:
        """Since when the customer has waited for an answer to one of them; None when to none."""
        return min((one.waiting_since for one in self.newest.values() if one.waiting_since), default=None)


NO_TICKETS = Tickets()


def opened(tickets: Tickets, ticket_id: str, at: datetime, day: int, *, priority: str, key: str) -> Tickets:
    """A new one; a second telling of one that is known changes nothing."""
    if ticket_id in tickets.newest:
        return tickets
    ticket = Ticket(opened_at=at, key=key, priority=priority, touched_at=at, waiting_since=at)
    return replace(
        tickets,
        opened=tickets.opened.plus(at, day),
        urgent=tickets.urgent + (priority in URGENT),
        newest=_with(tickets.newest, ticket_id, ticket),
    )


def replied(tickets: Tickets, ticket_id: str, at: datetime, *, by_agent: bool) -> Tickets:
    """Somebody spoke; of a ticket that is not known, nothing can be said."""
    ticket = tickets.newest.get(ticket_id)
    if ticket is None:
        return tickets
    if by_agent:
        return _answered(tickets, ticket_id, ticket, at)
    waiting = ticket.waiting_since or (at if ticket.is_open else None)
    return _put(tickets, ticket_id, replace(ticket, touched_at=at, waiting_since=waiting))


def resolved(tickets: Tickets, ticket_id: str, at: datetime, *, by_agent: bool) -> Tickets:
    """It is solved; by an agent, that is an answer too. Solved again, it changes nothing."""
    ticket = tickets.newest.get(ticket_id, Ticket(touched_at=at))
    if not ticket.is_open:
        return tickets
    if by_agent:
        tickets = _answered(tickets, ticket_id, ticket, at)
        ticket = tickets.newest[ticket_id]
    tickets = _put(tickets, ticket_id, replace(ticket, touched_at=at, waiting_since=None, resolved_at=at))
    tickets = replace(tickets, resolved=tickets.resolved + 1, last_resolved_at=at)
    if ticket.opened_at is None:
        return tickets
    took = (at - ticket.opened_at) // _SECOND
    return replace(
        tickets,
        timed=tickets.timed + 1,
        resolution_s=tickets.resolution_s + took,
        last_resolution_s=took,
    )


def reopened(tickets: Tickets, ticket_id: str, at: datetime) -> Tickets:
    """The solution was none: what it counted is taken back, and the customer waits."""
    ticket = tickets.newest.get(ticket_id)
    if ticket is not None and ticket.is_open:
        return tickets
    ticket = ticket or Ticket()
    again = replace(ticket, touched_at=at, waiting_since=at, resolved_at=None, reopened=ticket.reopened + 1)
    tickets = replace(_put(tickets, ticket_id, again), reopened=tickets.reopened + 1)
    if ticket.resolved_at is None:
        return tickets
    tickets = replace(tickets, resolved=tickets.resolved - 1)
    if ticket.opened_at is None:
        return tickets
    took = (ticket.resolved_at - ticket.opened_at) // _SECOND
    return replace(tickets, timed=tickets.timed - 1, resolution_s=tickets.resolution_s - took)


def _answered(tickets: Tickets, ticket_id: str, ticket: Ticket, at: datetime) -> Tickets:
    first = ticket.answered_at is None
    after = replace(
        ticket, touched_at=at, waiting_since=None, answered_at=at if first else ticket.answered_at
    )
    tickets = _put(tickets, ticket_id, after)
    if not first or ticket.opened_at is None:
        return tickets
    took = (at - ticket.opened_at) // _SECOND
    return replace(
        tickets,
        answered=tickets.answered + 1,
        response_s=tickets.response_s + took,
        last_response_s=took,
    )


def _put(tickets: Tickets, ticket_id: str, ticket: Ticket) -> Tickets:
    return replace(tickets, newest=_with(tickets.newest, ticket_id, ticket))


def _with(newest: dict[str, Ticket], ticket_id: str, ticket: Ticket) -> dict[str, Ticket]:
    kept = {**newest, ticket_id: ticket}
    if len(kept) > TICKETS_MAX:
        del kept[min(newest, key=lambda one: _standing(one, newest[one]))]
    return kept


def _standing(ticket_id: str, ticket: Ticket) -> tuple[bool, datetime, str]:
    assert ticket.touched_at is not None
    return ticket.is_open, ticket.touched_at, ticket_id
