"""Brings the rollups of changed customers, and with them the sums behind the metrics, up to date.

The stream only notes who has changed, a row per batch. This use case, in the background, takes such notes, makes each
customer's rollup anew, and adds the difference to the sums: in one transaction, so that sums and rollups never
disagree. Whatever happens to a customer, late events, refunds, merges, comes out as the difference of two rollups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Orders, Rollups, Rules, Stale
from services.scoring.domain.metrics.measures import NOTHING, Measures
from services.scoring.domain.metrics.months import LAST_MONTH, NO_MONTH, Month, begin_of, month_of
from services.scoring.domain.metrics.rollup import (
    EMPTY_ROLLUP,
    Place,
    Rollup,
    RollupSettings,
    difference,
    roll_up,
)

CUSTOMERS_MAX = 25
"""How many customers one step counts: some 20 ms without a pause."""

NOTES_MAX = 100
"""Notes that one step looks at; each is a batch of the stream. Whoever is in several is counted once."""


@dataclass(slots=True)
class Differences:
    """What a pass adds to the sums, and to the counts of known fields by (segment, field)."""

    sums: dict[Place, Measures] = field(default_factory=dict)
    fields: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, before: Rollup, after: Rollup) -> None:
        """Add what one customer changes."""
        for place, measures in difference(before, after).items():
            self.sums[place] = self.sums.get(place, NOTHING) + measures
        if (before.segments, before.known_fields) == (after.segments, after.known_fields):
            return
        for one, many in ((before, -1), (after, 1)):
            for segment in ("", *one.segments):
                for name in one.known_fields:
                    self.fields[segment, name] = self.fields.get((segment, name), 0) + many


class RollUp:
    """The use case. Any number may run: whoever comes second finds nothing to do."""

    def __init__(
        self,
        *,
        stale: Stale,
        rollups: Rollups,
        orders: Orders,
        rules: Rules,
    ) -> None:
        self._stale = stale
        self._rollups = rollups
        self._orders = orders
        self._rules = rules
        self._adopted: RollupSettings | None = None
        """The settings that were found stored as those by which rollups are made."""

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Take some notes and customers who are due. Answers whether there may be more."""
        if not await self._rollups.lock(connection):
            return False
        settings = RollupSettings.of(await self._rules.current(connection))
        if settings != self._adopted:
            if await self._rollups.adopt(connection, settings.text):
                await self._stale.note_all(connection, now)
            else:  # believed only once they were found stored: a transaction that adopts them may still fail
                self._adopted = settings
        noted = await self._stale.take(connection, NOTES_MAX)
        due = await self._rollups.due(connection, now, CUSTOMERS_MAX)
        wanted: dict[str, Month | None] = dict.fromkeys(due, None)
        chosen = list(noted.items())[:CUSTOMERS_MAX]
        for customer_id, since in chosen:
            wanted[customer_id] = NO_MONTH if since is None else month_of(since, settings.zone)
        later = dict(list(noted.items())[CUSTOMERS_MAX:])
        if later:
            await self._stale.note(connection, later, now)
        if not wanted:
            return False
        differences = Differences()
        await self._roll_up(connection, dict(sorted(wanted.items())), settings, differences, now)
        await self._rollups.add(connection, differences.sums, differences.fields)
        return True

    async def _roll_up(
        self,
        connection: AsyncConnection,
        wanted: Mapping[str, Month | None],
        settings: RollupSettings,
        differences: Differences,
        now: datetime,
    ) -> None:
        """`wanted` says from which month on a customer's happenings are read; None: from none, as time alone passed."""
        before = await self._rollups.find(connection, wanted)
        counted = await self._rollups.customers(connection, wanted)
        books = await self._orders.of(connection, counted)
        sinces = {
            customer_id: since if customer_id in before else NO_MONTH
            for customer_id, since in wanted.items()
            if customer_id in counted
        }
        begins = {one: begin_of(since, settings.zone) for one, since in sinces.items() if since is not None}
        happenings = await self._rollups.happenings(connection, begins) if begins else {}
        made: dict[str, Rollup] = {}
        for customer_id, customer in counted.items():
            was, since = before.get(customer_id, EMPTY_ROLLUP), sinces[customer_id]
            rolled = roll_up(
                customer.first_at,
                books.get(customer_id, {}).values(),
                happenings.get(customer_id, ()),
                settings,
                now,
                before=was,
                since=LAST_MONTH if since is None else since,
            )
            becomes = replace(rolled, segments=customer.segments, known_fields=customer.known_fields)
            if becomes != was:
                made[customer_id] = becomes
                differences.add(was, becomes)
        gone = before.keys() - counted.keys()
        for customer_id in gone:
            differences.add(before[customer_id], EMPTY_ROLLUP)
        await self._rollups.save(connection, made, gone)


async def count_anew(
    connection: AsyncConnection, stale: Stale, rollups: Rollups, now: datetime, *, from_nothing: bool = False
) -> None:
    """Have everybody counted anew by whoever rolls up. The sums stay right while that is done, unless `from_nothing`
    removes them first."""
    if from_nothing:
        await rollups.wait(connection)
        await rollups.forget(connection)
    await stale.note_all(connection, now)
