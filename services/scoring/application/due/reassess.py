"""Looks at every customer once a day, and whenever a rule was saved: the windows of all facts end with today.

The pass goes by id, some customers a transaction, and stands in one row: whoever comes next goes on with it, after a
restart too. It also compares all customers with each other, before anybody is looked at.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.due.membership import Membership
from services.scoring.application.ports import Customers, Memberships, Pass, Rules
from services.scoring.domain.assess import assess
from services.scoring.domain.settings import ScoreSettings
from shared.bus.interface import Outbox
from shared.clock import Clock
from shared.program.values.period import day_of

PASS_CUSTOMERS_MAX = 500
SMALL = 100_000
"""So many customers with an order are compared anew also when they have doubled: the cuts of a few say little."""

COUNT_EVERY = timedelta(minutes=1)

CLOCKS_APART = timedelta(hours=1)
"""By less than that the clocks of workers differ. A pass that began later was begun by a clock that was wrong."""


class Reassess:
    """The use case. Any number may run: one at a time goes on with the pass."""

    def __init__(
        self,
        clock: Clock,
        *,
        customers: Customers,
        memberships: Memberships,
        rules: Rules,
        membership: Membership,
        outbox: Outbox,
    ) -> None:
        """`clock` tells a worker that is further in time from a clock that was set right since."""
        self._clock = clock
        self._customers = customers
        self._memberships = memberships
        self._rules = rules
        self._membership = membership
        self._outbox = outbox
        self._counted_at: datetime | None = None

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """One step. Answers whether there may be more to do at once."""
        await self._rules.hold(connection)
        settings = await self._rules.current(connection)
        state = await self._memberships.take_pass(connection)
        if state is None:
            return False
        if state.cause and now < state.begun_at <= self._clock() + CLOCKS_APART:
            return False  # somebody was at it who has read further: never back to the day before
        if await self._ranking_is_due(connection, settings, now):
            await self._rules.rank(connection, now)
            return True
        cause = _cause(settings, now)
        if state.cause != cause:
            state = Pass(cause, "", now, state.passed)
        if state.after_id is None:
            return False
        await self._go_on(connection, state, settings, now)
        return True

    async def _go_on(
        self, connection: AsyncConnection, state: Pass, settings: ScoreSettings, now: datetime
    ) -> None:
        assert state.after_id is not None
        stored = await self._customers.lock_after(connection, state.after_id, PASS_CUSTOMERS_MAX)
        if state.after_id == "":
            await self._memberships.note_pass(connection, state)  # the moment that it dates saved rules with
        looked_at = {
            customer_id: (one, assess(one.state, now, settings))
            for customer_id, one in stored.items()
            if one.state.events  # else all events proved to be somebody else's
        }
        told = await self._membership.follow(connection, looked_at, settings, now) if looked_at else []
        done = len(stored) < PASS_CUSTOMERS_MAX
        passed = settings.segments.sources if done else state.passed
        after = None if done else max(stored)
        await self._memberships.note_pass(connection, Pass(state.cause, after, state.begun_at, passed))
        if told:
            await self._outbox.append(connection, told)

    async def _ranking_is_due(
        self, connection: AsyncConnection, settings: ScoreSettings, now: datetime
    ) -> bool:
        ranking, zone = settings.ranking, settings.zone
        if ranking.at is not None and day_of(ranking.at, zone) < day_of(now, zone):
            return True
        if ranking.customers >= SMALL or (self._counted_at and now - self._counted_at < COUNT_EVERY):
            return False
        self._counted_at = now
        return await self._rules.ranked(connection) >= max(1, 2 * ranking.customers)


def is_done(state: Pass, settings: ScoreSettings, now: datetime) -> bool:
    """Whether everybody has been looked at today, by the rules and the ranking that count."""
    return state.after_id is None and state.cause == _cause(settings, now)


def _cause(settings: ScoreSettings, now: datetime) -> str:
    """What a pass is for; another one is due when this is another."""
    ranking = settings.ranking
    told = [day_of(now, settings.zone), ranking.at, list(settings.segments.sources.items())]
    return blake2b(msgspec.json.encode(told), digest_size=16).hexdigest()
