"""Occasions: what silence, or a date that comes up, does for a customer, as the program's campaigns ask for it.

A silence lasts from the last event of its type, by customers from whom there was one; a ticket's from when the customer
last spoke; a renewal is counted back from the beginning of its day in the program's time zone. Each has one moment at
which it is due. It is told when that has come, if it is still so then: nobody is missed who has come back, and nobody
is reminded of a renewal that is past.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.scoring.domain.state import State
from services.scoring.domain.state.subscriptions import ACTIVE
from shared.program.model.program import Program
from shared.program.values.calendar import midnight
from shared.program.values.period import Period
from shared.program.vocabulary.occasions import AHEAD, UNANSWERED, awaited, counts_silence

SETTLED: Final = timedelta(hours=1)
"""So long after a silence was due it is looked at once more: an event that was on its way when it was told, and ended
it, would begin the next silence without anybody's notice. No transaction takes so long, and clocks differ by less."""

_UTC = ZoneInfo("UTC")
_DAY = timedelta(days=1)
_MONTH_DAYS_MIN, _MONTH_DAYS_MAX = 28, 31

LAST: Final[Mapping[str, Callable[[State], datetime | None]]] = {
    "order.completed": lambda state: state.last_order_at,
    "login.recorded": lambda state: state.engagement.logins.last_at,
    "page.viewed": lambda state: state.engagement.views.last_at,
    "product.used": lambda state: state.engagement.used.last_at,
    "email.opened": lambda state: state.emails.opened.last_at,
    "email.clicked": lambda state: state.emails.clicked.last_at,
    "push.opened": lambda state: state.engagement.pushes_opened.last_at,
    "social.followed": lambda state: state.engagement.follows.last_at,
    "social.liked": lambda state: state.engagement.likes.last_at,
    "social.mentioned": lambda state: state.engagement.mentions.last_at,
    "referral.made": lambda state: state.engagement.referrals.last_at,
    "review.posted": lambda state: state.feedback.reviews.last_at,
    "subscription.renewed": lambda state: state.subscriptions.last_renewed_at,
}
"""When a customer last did something of which the absence may be noticed: `WATCHED` of
`shared.program.vocabulary.occasions`, and the shop's own events."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a campaign begins on, and how long the silence is, or how long ahead the date."""

    on: str
    after: Period

    @property
    def name(self) -> str:
        """The two in one word or two: `login.missing P14D`."""
        return f"{self.on} {self.after}"


@dataclass(frozen=True, slots=True)
class Due:
    """An occasion of one customer, and its moment.

    `mark` tells it from the customer's others. `identity` is the same for whichever customer it is found: parts of it,
    or None where the event at `root` (of that type, at that time) gives it. `over_at`: from then on it is too late.
    """

    occasion: Occasion
    at: datetime
    mark: str
    data: dict[str, Any]
    root: tuple[str, datetime] | None = None
    identity: tuple[str, ...] | None = None
    over_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether its moment has come, and has not gone."""
        return self.at <= now and (self.over_at is None or now < self.over_at)


@dataclass(frozen=True, slots=True)
class Begun:
    """The event with which a silence began: its key, and the identifier under which it came."""

    key: str
    subject: str


@dataclass(frozen=True, slots=True)
class Watch:
    """All occasions that the program asks for. `awaited` (by event type how its last time is known, and how long a
    silence is at least) and `longest` are there to decide quickly that nothing is to be done."""

    occasions: tuple[Occasion, ...] = ()
    zone: ZoneInfo = _UTC
    awaited: tuple[tuple[Callable[[State], datetime | None], timedelta], ...] = field(init=False)
    longest: timedelta = field(init=False)
    tickets: bool = field(init=False)
    renewals: bool = field(init=False)

    def __post_init__(self) -> None:
        shortest: dict[str, timedelta] = {}
        longest = timedelta()
        for one in self.occasions:
            type_ = awaited(one.on)
            if type_ is not None:
                least = one.after.rest + one.after.months * _MONTH_DAYS_MIN * _DAY - _DAY
                shortest[type_] = min(shortest.get(type_, least), max(least, timedelta()))
                longest = max(longest, one.after.rest + one.after.months * _MONTH_DAYS_MAX * _DAY + _DAY)
        quick = tuple((_last(type_), least) for type_, least in sorted(shortest.items()))
        found: dict[str, object] = {"awaited": quick, "longest": longest}
        found |= {"tickets": any(one.on == UNANSWERED for one in self.occasions)}
        found |= {"renewals": any(one.on == AHEAD for one in self.occasions)}
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, program: Program) -> "Watch":
        """What the campaigns of a program begin on."""
        asked = {
            Occasion(one.on, one.after)
            for one in program.campaigns
            if counts_silence(one.on) and one.after is not None
        }
        return cls(tuple(sorted(asked, key=lambda one: one.name)), program.time_zone)

    @property
    def digest(self) -> str:
        """The same as long as the occasions, and the calendar that they are counted on, are."""
        told = [self.zone.key if self.occasions else "", *(one.name for one in self.occasions)]
        return blake2b("\0".join(told).encode(), digest_size=16).hexdigest()


NOTHING_WATCHED = Watch()


def last_of(state: State, type_: str) -> datetime | None:
    """When the customer last did something of this type."""
    return _last(type_)(state)


def _last(type_: str) -> Callable[[State], datetime | None]:
    def of_own(state: State) -> datetime | None:
        tally = state.custom.get(type_)
        return None if tally is None else tally.last_at

    return LAST.get(type_, of_own)


def to_look_at(before: State, after: State, watch: Watch, now: datetime) -> bool:
    """Whether events have made something due earlier than was known, or begun what nobody waits for yet.

    A silence that goes on is looked at when it was to be due; that it has been broken since, is seen then. So most
    events change nothing here.
    """
    if not watch.occasions:
        return False
    for last_in, shortest in watch.awaited:
        last = last_in(after)
        if last is None or last == (known := last_in(before)):
            continue
        if after.is_history(last + watch.longest):
            continue  # long over when it was imported
        if known is None or last < known or now - known >= shortest:
            return True
    if watch.tickets and after.tickets is not before.tickets and _waiting(after) - _waiting(before):
        return True
    if not watch.renewals:
        return False
    if after.business is before.business and after.subscriptions is before.subscriptions:
        return False
    return bool(_renewals(after) - _renewals(before))


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a customer found: what is to be told, the marks of all that stands, and when to look next."""

    told: list[Due]
    marks: list[str]
    next_at: datetime | None


def look(
    state: State, watch: Watch, marks: Collection[str], since: Mapping[str, datetime], now: datetime
) -> Look:
    """What is to be told of a customer at `now`, and when to look next.

    `marks` are those of the look before, by a clock that may have been ahead. `since` maps the name of each occasion to
    the moment from which on it is told: what was due earlier is not told, nor what was due before the history that
    shows it was imported.
    """
    told, standing, soon = [], [], list[datetime]()
    for due in pending(state, watch):
        begun = since.get(due.occasion.name)
        if begun is None:
            continue  # not introduced yet: everybody is looked at when it is
        if due.at > now:
            soon.append(due.at)
        elif due.at + SETTLED > now:
            soon.append(due.at + SETTLED)
        if not due.stands(now):
            if due.at > now and due.mark in marks:  # told by a clock that was ahead: it is not told once more
                standing.append(due.mark)
            continue
        standing.append(due.mark)
        if due.mark not in marks and due.at > begun and not state.is_history(due.at):
            told.append(due)
    told.sort(key=lambda due: (due.at, due.occasion.name, due.mark))
    return Look(told, sorted(standing), min(soon, default=None))


def pending(state: State, watch: Watch) -> Iterator[Due]:
    """Every occasion that the customer gives reason for, due or not."""
    for occasion in watch.occasions:
        type_ = awaited(occasion.on)
        if type_ is not None:
            yield from _silences(state, occasion, type_, watch.zone)
        elif occasion.on == UNANSWERED:
            yield from _unanswered(state, occasion, watch.zone)
        else:
            yield from _renewals_ahead(state, occasion, watch.zone)


def _silences(state: State, occasion: Occasion, type_: str, zone: ZoneInfo) -> Iterator[Due]:
    last = last_of(state, type_)
    if last is None:
        return
    at = occasion.after.after(last, zone)
    data = _told(occasion, last, at)
    yield Due(occasion, at, _mark(occasion, last.isoformat()), data, root=(type_, last))


def _unanswered(state: State, occasion: Occasion, zone: ZoneInfo) -> Iterator[Due]:
    for id_, ticket in state.tickets.newest.items():
        since = ticket.waiting_since
        if since is None:
            continue
        at = occasion.after.after(since, zone)
        data = {**_told(occasion, since, at), "ticket_id": id_, "priority": ticket.priority}
        root = None if ticket.opened_at is None else ("ticket.opened", ticket.opened_at)
        named = (id_, ticket.key, since.isoformat())
        yield Due(occasion, at, _mark(occasion, *named), data, root=root, identity=named)


def _renewals_ahead(state: State, occasion: Occasion, zone: ZoneInfo) -> Iterator[Due]:
    for what, ids, ordinal in sorted(_renewals(state)):
        day = date.fromordinal(ordinal)
        begins = midnight(day, zone)
        at = occasion.after.before(begins, zone)
        named = dict(zip(_NAMES[what], ids, strict=True))
        data: dict[str, Any] = {name: value for name, value in named.items() if value}
        data |= {"what": what, "renews_on": day.isoformat(), "after": str(occasion.after)}
        data["days"] = (begins - at) // _DAY
        names = (what, *ids, day.isoformat())
        # One of which the shop gave no id is known by its customer alone.
        identity = names if ids[0] else None
        yield Due(occasion, at, _mark(occasion, *names), data, identity=identity, over_at=begins)


_NAMES = {"contract": ("account_id", "contract_id"), "subscription": ("subscription_id", "plan")}


def _renewals(state: State) -> set[tuple[str, tuple[str, str], int]]:
    """Renewals that are known: of the contract, and of subscriptions that run."""
    found = set()
    business = state.business
    if business.renews_on is not None:
        found.add(("contract", (business.account_id or "", business.contract_id or ""), business.renews_on))
    for id_, one in state.subscriptions.newest.items():
        if one.state == ACTIVE and one.renews_on is not None:
            found.add(("subscription", (id_, one.plan or ""), one.renews_on))
    return found


def _waiting(state: State) -> set[tuple[str, datetime]]:
    return {(id_, one.waiting_since) for id_, one in state.tickets.newest.items() if one.waiting_since}


def _told(occasion: Occasion, since: datetime, at: datetime) -> dict[str, Any]:
    """What every silence tells."""
    return {"days": (at - since) // _DAY, "since": since.isoformat(), "after": str(occasion.after)}


def _mark(occasion: Occasion, *names: str) -> str:
    return blake2b("\0".join((occasion.name, *names)).encode(), digest_size=8).hexdigest()
