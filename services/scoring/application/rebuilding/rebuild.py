"""Folds every customer anew, beside the stream: after the program or the code has changed what events amount to.

Texts that another engine, or an earlier edition of our rules, has read are read again first, so that the result is what
the same events would amount to today; of erased subjects the reading stays that there is.

Customers are taken in the order of their ids, some at a time, under the locks that the stream takes; how far a rebuild
has come is written in the same transaction. So it may be killed anywhere and goes on there, and two that run at once
share the work.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events import announce
from services.scoring.application.events.fold_again import portions
from services.scoring.application.ports import (
    ComingDays,
    Customers,
    Orders,
    Profile,
    Reader,
    Rules,
    Stale,
    Stored,
    Timeline,
)
from services.scoring.domain.assess import score_at
from services.scoring.domain.due.coming_days import same_roots
from services.scoring.domain.due.occasions import to_look_at
from services.scoring.domain.event import Event
from services.scoring.domain.fold.advance import Told, tell_anew
from services.scoring.domain.fold.evolve import Folded, fold
from services.scoring.domain.fold.person import person_of, same_terms, told_by
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State, encode_state
from services.scoring.domain.state.orders import NO_DATA, Order
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing

REBUILD_CUSTOMERS_MAX = 100
"""Customers in one transaction, fewer where they have many events: they are locked for a second at most."""

TEXTS_MAX = 1_000
"""Read again in one transaction, or those of one customer: about a millisecond each."""


class Rebuilding(Struct, frozen=True):
    """How far a rebuild has come: all customers up to the id `cursor` are done, `customers` of them, and `changed` of
    these were others than before. `finished_at` is None while there are more."""

    id: int
    cursor: str = ""
    customers: int = 0
    changed: int = 0
    finished_at: datetime | None = None


class Rebuilds(Protocol):
    """Where it is written how far a rebuild has come."""

    async def begin(self, connection: AsyncConnection, program: str, now: datetime) -> Rebuilding:
        """The rebuild under way with this program, or a new one; one with another program is given up."""

    async def lock(self, connection: AsyncConnection, rebuild_id: int) -> Rebuilding:
        """How far it has come, locked: one step at a time."""

    async def note(self, connection: AsyncConnection, rebuilding: Rebuilding) -> None:
        """How far it has come now."""


class Rebuild:
    """The use case."""

    def __init__(
        self,
        *,
        rebuilds: Rebuilds,
        customers: Customers,
        orders: Orders,
        timeline: Timeline,
        outbox: Outbox,
        stale: Stale,
        rules: Rules,
        coming: ComingDays,
        reader: Reader,
    ) -> None:
        self._coming = coming
        self._reader = reader
        self._rebuilds = rebuilds
        self._customers = customers
        self._orders = orders
        self._timeline = timeline
        self._outbox = outbox
        self._stale = stale
        self._rules = rules

    async def __call__(self, connection: AsyncConnection, rebuild_id: int, now: datetime) -> Rebuilding:
        """Fold the next customers in the caller's transaction, and answer how far that is."""
        before = await self._rebuilds.lock(connection, rebuild_id)
        if before.finished_at is not None:
            return before
        if not await self._customers.any_after(connection, before.cursor):
            # Without the lock of the rules: who looks at all customers takes that one first.
            after = replace(before, finished_at=now)
            await self._rebuilds.note(connection, after)
            return after
        await self._rules.hold(connection)
        settings = await self._rules.current(connection)
        locked = await self._customers.lock_after(connection, before.cursor, REBUILD_CUSTOMERS_MAX)
        stored = _first_of(locked)
        if not stored:
            return before  # merged away just now
        histories = await self._timeline.of(connection, stored.keys())
        stored = await self._read_again(connection, stored, histories)
        changed = await self._fold(connection, stored, histories, settings, rebuild_id=rebuild_id, now=now)
        after = replace(
            before,
            cursor=max(stored),
            customers=before.customers + len(stored),
            changed=before.changed + changed,
        )
        await self._rebuilds.note(connection, after)
        return after

    async def _read_again(
        self, connection: AsyncConnection, stored: dict[str, Stored], histories: dict[str, list[Event]]
    ) -> dict[str, Stored]:
        """Those of the customers whose texts were few enough; in their histories is what they say now."""
        outdated = {id_: self._reader.outdated(histories.get(id_, ())) for id_ in stored}
        chosen = next(portions({id_: len(events) for id_, events in outdated.items()}, TEXTS_MAX), [])
        events = [event for id_ in chosen for event in outdated[id_]]
        readings = await self._reader.read(connection, events) if events else {}
        changed: list[tuple[str, Event]] = []
        for id_ in chosen if readings else ():
            for place, event in enumerate(histories[id_]):
                if event.key in readings and readings[event.key] != event.reading:
                    histories[id_][place] = replace(event, reading=readings[event.key])
                    changed.append((id_, histories[id_][place]))
        if changed:
            await self._timeline.read_again(connection, changed)
        return {id_: stored[id_] for id_ in chosen}

    async def _fold(
        self,
        connection: AsyncConnection,
        stored: dict[str, Stored],
        histories: Mapping[str, list[Event]],
        settings: ScoreSettings,
        *,
        rebuild_id: int,
        now: datetime,
    ) -> int:
        """How many customers are others now."""
        books = await self._orders.of(connection, stored.keys())
        profiles: list[Profile] = []
        rewritten: dict[str, Folded] = {}
        outgoing: list[Outgoing] = []
        due: list[str] = []
        made = await asyncio.to_thread(_folded, stored, histories, settings)
        for customer_id, known in stored.items():
            folded = made[customer_id]
            if not folded.state.events:
                continue  # all events went to another customer; who they are now is not for a rebuild to say
            if _as_stored(folded.book) != books.get(customer_id, {}):
                rewritten[customer_id] = folded
            if _is_the_same(known, folded.state, settings):
                continue
            told = Told(known.stage, known.segments, known.score)
            step = tell_anew(known.state, folded.state, settings, told)
            if not same_terms(known.state, folded.state):
                step = replace(step, person=person_of(folded.state))
            # As the sweep left them: it follows the segments, and is sent to look at once.
            facts = replace(step.assessment.facts, segments=known.segments)
            profiles.append(Profile(customer_id, folded.state, facts, now))
            outgoing.append(announce.of_rebuild(customer_id, rebuild_id, step, now))
            if known.state.contacts != folded.state.contacts:
                telling = told_by(folded.state)
                outgoing += [
                    announce.of_person(customer_id, event, folded.state, step, now)
                    for event in histories[customer_id]
                    if event.key in telling
                ]
            if _is_to_look_at(known.state, folded.state, settings, now):
                due.append(customer_id)
        await self._save(connection, profiles, rewritten, now)
        await self._coming.note(connection, due, now, now)
        if profiles:
            await self._stale.note(connection, dict.fromkeys(one.id for one in profiles), now)
        await self._outbox.append(connection, outgoing)
        return len({profile.id for profile in profiles} | rewritten.keys())

    async def _save(
        self,
        connection: AsyncConnection,
        profiles: list[Profile],
        rewritten: dict[str, Folded],
        now: datetime,
    ) -> None:
        if profiles:
            await self._customers.save(connection, profiles, now)
        if rewritten:
            await self._orders.remove(connection, rewritten.keys())
            rows = [(id_, order) for id_, folded in rewritten.items() for order in folded.book.values()]
            await self._orders.add(connection, rows)


def _first_of(locked: dict[str, Stored]) -> dict[str, Stored]:
    """As many of the first customers as may be read at once; the others' turn is the next step."""
    chosen = next(portions({customer_id: one.state.events for customer_id, one in locked.items()}), [])
    return {customer_id: locked[customer_id] for customer_id in chosen}


def _folded(
    stored: dict[str, Stored], histories: Mapping[str, list[Event]], settings: ScoreSettings
) -> dict[str, Folded]:
    return {customer_id: fold(histories.get(customer_id, ()), settings) for customer_id in stored}


def _is_to_look_at(before: State, after: State, settings: ScoreSettings, now: datetime) -> bool:
    """Whether a day that comes round, or an occasion, may come earlier than was known."""
    return not same_roots(before, after) or to_look_at(before, after, settings.watch, now)


def _is_the_same(known: Stored, state: State, settings: ScoreSettings) -> bool:
    """Whether a customer is who they were, also in a program that weighs the parts of the score differently."""
    if encode_state(state) != encode_state(known.state):
        return False
    assert state.last_at is not None
    return known.score is None or known.score == score_at(state, state.last_at, settings)


def _as_stored(book: dict[str, Order]) -> dict[str, Order]:
    """The orders without what the stored book does not keep."""
    return {
        order_id: replace(order, data=NO_DATA) if order.data is not NO_DATA else order
        for order_id, order in book.items()
    }
