"""Takes a batch of events in: each counts once, changes its customer, and is told on the activity stream."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events import announce
from services.scoring.application.events.affected import Affected, affected_by, coming_anew, told_of
from services.scoring.application.events.fold_again import fold_again
from services.scoring.application.identity.identify import Identify
from services.scoring.application.ports import (
    Arrival,
    ComingDays,
    Customers,
    Decisions,
    Identities,
    Inbox,
    Orders,
    Profile,
    Reader,
    Rules,
    Stale,
    Stored,
    Timeline,
)
from services.scoring.domain.due.coming_days import known_since
from services.scoring.domain.event import Event, place
from services.scoring.domain.fold.advance import Life, Step, go_on
from services.scoring.domain.fold.evolve import needs_history, order_named
from services.scoring.domain.identity.cause import Cause
from services.scoring.domain.identity.resolution import Resolution
from services.scoring.domain.segments.membership import SEGMENT, Crossing, crossings
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY
from services.scoring.domain.state.orders import Order
from shared.bus.interface import Outbox
from shared.bus.records import Incoming, Outgoing
from shared.contracts.codec import decode
from shared.contracts.events import EventRecord
from shared.program.values.period import day_of

Books = dict[str, dict[str, Order]]


class TakeIn:
    """The handler of `regulars.events`.

    Two workers may handle overlapping customers at the same time: whoever comes second waits at the first row that
    both need, and all take their locks in the same order (see `ports`).
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        identities: Identities,
        customers: Customers,
        orders: Orders,
        timeline: Timeline,
        decisions: Decisions,
        stale: Stale,
        reader: Reader,
        outbox: Outbox,
        rules: Rules,
        coming: ComingDays,
    ) -> None:
        self._coming = coming
        self._inbox = inbox
        self._identities = identities
        self.identify = Identify(identities, customers, decisions)
        self._customers = customers
        self._orders = orders
        self._timeline = timeline
        self._stale = stale
        self._reader = reader
        self._outbox = outbox
        self._rules = rules

    async def __call__(self, connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
        """Handle records in the caller's transaction. Raises `MalformedRecordError` when one is no event."""
        arrivals = await self._new_ones(connection, records)
        if not arrivals:
            return
        events = [arrival.event for arrival in arrivals.values()]
        resolution = await self.identify(connection, events, now)
        await self.apply(connection, resolution, Cause.of(max(events, key=place)), now, arrivals)

    async def apply(
        self,
        connection: AsyncConnection,
        resolution: Resolution,
        cause: Cause,
        now: datetime,
        arrivals: Mapping[str, Arrival],
    ) -> None:
        """Let customers be what a resolution makes of them: events, states, orders, and what is told of it. `cause` is
        what brought it about; `arrivals` are new events."""
        settings = await self._rules.current(connection)  # whoever changes them waits for our lock
        affected = affected_by([arrival.event for arrival in arrivals.values()], resolution)
        existing = affected.keys() | {merge.loser for merge in resolution.merges}
        stored = await self._customers.lock(connection, existing - resolution.created)
        for one in affected.values():
            one.stored = stored.get(one.id)

        await self._rearrange(connection, resolution)
        lives = await self._live(connection, affected, stored, settings)
        await self._timeline.add(
            connection, [(resolution.owners[key], arrival) for key, arrival in arrivals.items()]
        )
        stale = _stale_since(affected, resolution)
        await self._empty(connection, affected, lives)
        await self._save(connection, affected, lives, now, settings.zone)
        received = min((one.event.record.received for one in arrivals.values()), default=now)
        since = known_since(min(received, now), settings.zone)
        await self._coming.note(connection, coming_anew(affected, lives, settings.watch, now), since, now)
        await self._stale.note(connection, stale, now)
        await self._announce(connection, affected, lives, resolution, cause)

    async def _new_ones(self, connection: AsyncConnection, records: Sequence[Incoming]) -> dict[str, Arrival]:
        arrivals: dict[str, Arrival] = {}
        for record in records:
            event = Event.of(decode(record.value, EventRecord))
            arrivals.setdefault(event.key, Arrival(event, record.value))
        new = await self._inbox.take(connection, arrivals.keys())
        arrivals = {key: arrival for key, arrival in arrivals.items() if key in new}
        readings = await self._reader.read(connection, [arrival.event for arrival in arrivals.values()])
        for key, reading in readings.items():
            arrival = arrivals[key]
            arrivals[key] = Arrival(replace(arrival.event, reading=reading), arrival.record)
        return arrivals

    async def _rearrange(self, connection: AsyncConnection, resolution: Resolution) -> None:
        """Let events, identities and ids follow customers who proved to be one, and addresses their owners."""
        if resolution.moves:
            await self._timeline.rearrange(connection, resolution.moves)
        if resolution.merges:
            losers = [merge.loser for merge in resolution.merges]
            await self._orders.remove(connection, losers)
            await self._customers.remove(connection, losers)

    async def _empty(
        self, connection: AsyncConnection, affected: dict[str, Affected], lives: dict[str, Life]
    ) -> None:
        """Forget customers whose events all proved to be others'."""
        empty = [customer_id for customer_id, life in lives.items() if not life.state.events]
        if empty:
            await self._orders.remove(connection, empty)
            await self._customers.remove(connection, empty)
            for customer_id in empty:
                del affected[customer_id], lives[customer_id]

    async def _live(
        self,
        connection: AsyncConnection,
        affected: dict[str, Affected],
        stored: Mapping[str, Stored],
        settings: ScoreSettings,
    ) -> dict[str, Life]:
        """Every customer after the batch; `stored` are all that were there before it."""
        again = [one for one in affected.values() if one.begins_again]
        lives = await fold_again(connection, self._timeline, again, stored, settings) if again else {}
        in_order = [one for one in affected.values() if one.id not in lives]
        books = await self._books(connection, in_order)
        for one in in_order:
            state = one.stored.state if one.stored is not None else EMPTY
            lives[one.id] = go_on(state, books.get(one.id, {}), one.events, settings, one.told)
        return lives

    async def _books(self, connection: AsyncConnection, in_order: Iterable[Affected]) -> Books:
        """The orders that the events name; of customers who are new, there are none."""
        wanted: list[tuple[str, str]] = []
        for one in in_order:
            if one.stored is None:
                continue
            named = (order_named(event) for event in one.events)
            wanted += [(one.id, order_id) for order_id in named if order_id is not None]
        return await self._orders.find(connection, wanted) if wanted else {}

    async def _save(
        self,
        connection: AsyncConnection,
        affected: dict[str, Affected],
        lives: dict[str, Life],
        now: datetime,
        zone: ZoneInfo,
    ) -> None:
        new: list[Profile] = []
        changed: list[Profile] = []
        for one in affected.values():
            profile = _profile(one, lives[one.id], now, zone)
            (new if one.stored is None else changed).append(profile)
        if new:
            await self._customers.add(connection, new, now)
        if changed:
            await self._customers.save(connection, changed, now)
        await self._save_orders(connection, lives)

    async def _save_orders(self, connection: AsyncConnection, lives: dict[str, Life]) -> None:
        rewritten = [customer_id for customer_id, life in lives.items() if life.rewritten]
        if rewritten:
            await self._orders.remove(connection, rewritten)
        added: list[tuple[str, Order]] = []
        changed: list[tuple[str, Order]] = []
        for customer_id, life in lives.items():
            for order_id, order in life.book.items():
                before = life.stored.get(order_id)
                if before is None:
                    added.append((customer_id, order))
                elif before is not order:
                    changed.append((customer_id, order))
        if added:
            await self._orders.add(connection, added)
        if changed:
            await self._orders.save(connection, changed)

    async def _announce(
        self,
        connection: AsyncConnection,
        affected: dict[str, Affected],
        lives: dict[str, Life],
        resolution: Resolution,
        cause: Cause,
    ) -> None:
        """Write the activity last: the outbox locks what orders writers."""
        identifiers = await self._identifiers(connection, resolution)
        told: list[Outgoing] = []
        for one in affected.values():
            told += told_of(one, lives[one.id], identifiers.get(one.id, {}), cause, resolution)
        await self._outbox.append(connection, told)

    async def _identifiers(
        self, connection: AsyncConnection, resolution: Resolution
    ) -> dict[str, announce.Identifiers]:
        """All identifiers of the customers that got or lost one."""
        identifiers: dict[str, announce.Identifiers] = {}
        asked = {move.source for move in resolution.moves} | {move.target for move in resolution.moves}
        for pseudonym, identity in (resolution.added | resolution.changed).items():
            if identity.customer_id in resolution.created and pseudonym in resolution.added:
                kinds = identifiers.setdefault(identity.customer_id, {})
                kinds.setdefault(identity.kind, []).append(pseudonym)
            else:
                asked.add(identity.customer_id)
        if asked:
            identifiers |= await self._identities.of_customers(connection, asked)
        return identifiers


def _stale_since(affected: dict[str, Affected], resolution: Resolution) -> dict[str, datetime | None]:
    """Whose rollups are out of date, and from which of their events on: None when it may be any of them."""
    stale: dict[str, datetime | None] = {merge.loser: None for merge in resolution.merges}
    for one in affected.values():
        anywhere = one.disturbed or any(needs_history(event.record.type) for event in one.events)
        stale[one.id] = None if anywhere else one.events[0].at
    return stale


def _profile(one: Affected, life: Life, now: datetime, zone: ZoneInfo) -> Profile:
    """The customer to store. The stored time of the next check is left alone unless it would be too late: the sweep
    finds out when it comes too early, and the row's index entries need not be written anew for every order. Whose
    newest event is of a day that is over is looked at as soon as it is quiet: windows end with today."""
    assessment = life.steps[-1].assessment
    due = assessment.next_change_at
    if day_of(assessment.at, zone) < day_of(now, zone):
        due = assessment.at if due is None else min(due, assessment.at)
    known = one.stored.check_at if one.stored is not None else None
    keep = known is not None and (due is None or known <= due)
    crossed = _crossings(one.told.segments, life.steps)
    return Profile(one.id, life.state, assessment.facts, known if keep else due, crossed)


def _crossings(told: list[str], steps: Sequence[Step]) -> list[Crossing]:
    """From the segments told before to those of the last step, each entered when it was for the last time."""
    final = steps[-1].assessment
    if told == final.facts.segments:
        return []
    entered = {
        change.new: step.assessment.at
        for step in steps
        for change in step.changes
        if change.what == SEGMENT and change.new is not None
    }
    found = crossings(told, final.facts.segments, final.at)
    return [Crossing(one.segment, one.entered, entered.get(one.segment, one.at)) for one in found]
