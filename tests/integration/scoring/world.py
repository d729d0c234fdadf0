"""Scoring on a real database, without its process: events go in, activity and rows come out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.customers.customers import PostgresCustomers
from services.scoring.adapters.customers.orders import PostgresOrders
from services.scoring.adapters.due.coming_days import PostgresComingDays
from services.scoring.adapters.events.inbox import PostgresInbox
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.events.timeline import PostgresTimeline
from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import PostgresIdentities
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.language.vader import Vader
from services.scoring.adapters.metrics.rollups import PostgresRollups
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.adapters.segments.memberships import PostgresMemberships
from services.scoring.application.due.membership import Membership
from services.scoring.application.due.sweep import Sweep
from services.scoring.application.events.take_in import TakeIn
from services.scoring.application.metrics.roll_up import RollUp
from services.scoring.application.ports import Reader, Rules
from services.scoring.application.rebuilding.rebuild import Rebuild
from services.scoring.domain.settings import ScoreSettings
from shared.bus.log.outbox import LogOutbox
from shared.bus.postgres.bus import platform_log
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import decode, encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.program.values.period import Period
from tests.conftest import SECRET
from tests.support.life import SETTINGS, STAGES
from tests.support.rules import FixedRules

PARTITIONS = 4


class World:
    """Feeds events to the handler as the worker would, each call a transaction."""

    def __init__(
        self,
        engine: AsyncEngine,
        now: datetime,
        settings: ScoreSettings = SETTINGS,
        *,
        churned_after: Period = STAGES.churned_after,
        reader: Reader | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.engine = engine
        self.now = now
        self.log = platform_log(PARTITIONS)
        self.outbox = LogOutbox(self.log)
        self.customers = PostgresCustomers()
        self.stale, self.rollups = PostgresStale(), PostgresRollups()
        self.reader = reader or TextReader(PersonalData(engine, SECRET), Vader())
        self._metric_rules = FixedRules(replace(settings, churned_after=churned_after))
        self.forget_rules()
        self.take_in = TakeIn(
            inbox=PostgresInbox(),
            identities=PostgresIdentities(),
            customers=self.customers,
            orders=PostgresOrders(),
            timeline=PostgresTimeline(),
            decisions=PostgresDecisions(),
            stale=self.stale,
            reader=self.reader,
            outbox=self.outbox,
            rules=rules or FixedRules(settings),
            coming=PostgresComingDays(),
        )

    async def feed(self, *records: EventRecord) -> None:
        """One batch."""
        await self.feed_raw([encode(record) for record in records])

    async def feed_raw(self, values: Sequence[bytes]) -> None:
        """One batch of whatever the stream holds."""
        batch = [Incoming(EVENTS_TOPIC, 0, offset, "key", value) for offset, value in enumerate(values)]
        async with self.engine.begin() as connection:
            await self.take_in(connection, batch, self.now)

    async def roll_up(self, now: datetime | None = None) -> None:
        """Bring rollups and metrics up to date."""
        while await self.roll_up_once(now or self.now):
            pass

    async def roll_up_once(self, now: datetime) -> bool:
        """One step of that; whether there may be more."""
        async with self.engine.begin() as connection:
            return await self._roll_up(connection, now)

    def forget_rules(self) -> None:
        """Whoever rolls up begins anew, as after a restart."""
        self._roll_up = RollUp(
            stale=self.stale, rollups=self.rollups, orders=PostgresOrders(), rules=self._metric_rules
        )

    def rebuild(self, rules: Rules, reader: Reader | None = None) -> Rebuild:
        """The use case that folds everybody anew by these rules, wired as the process does it."""
        return Rebuild(
            rebuilds=PostgresRebuilds(),
            customers=self.customers,
            orders=PostgresOrders(),
            timeline=PostgresTimeline(),
            outbox=self.outbox,
            stale=self.stale,
            rules=rules,
            coming=PostgresComingDays(),
            reader=reader or self.reader,
        )

    def sweep(self, settings: ScoreSettings = SETTINGS) -> Sweep:
        """The use case that notices what time alone does, by these settings."""
        return Sweep(
            customers=self.customers,
            outbox=self.outbox,
            rules=FixedRules(settings),
            membership=Membership(PostgresMemberships(), self.stale),
        )

    async def note_all(self, connection: AsyncConnection) -> None:
        """Have all rollups made anew."""
        await self.stale.note_all(connection, self.now)

    async def activity(self) -> list[Activity]:
        """Everything that was told, partition by partition."""
        async with self.engine.connect() as connection:
            heads = await self.log.heads(connection)
            records = await self.log.read(connection, dict.fromkeys(heads, 0), 10_000)
        return [decode(one.value, Activity) for one in records if one.topic == ACTIVITY_TOPIC]

    async def rows(self, sql: str, **bound: Any) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(sql), bound)]

    async def profiles(self) -> dict[frozenset[str], tuple[Any, ...]]:
        """Every customer without the id, which depends on who came first: by the events, the state and the orders."""
        customers = await self.rows("SELECT id, state FROM scoring.customers")
        profiles = {}
        for customer_id, state in customers:
            events = await self.rows(
                "SELECT encode(event_key, 'hex') FROM scoring.timeline WHERE customer_id = :id",
                id=customer_id,
            )
            orders = await self.rows(
                "SELECT order_id, event_key, placed_at, currency, total, refunded, cancelled, refunds::text"
                " FROM scoring.orders WHERE customer_id = :id ORDER BY order_id",
                id=customer_id,
            )
            profiles[frozenset(key for (key,) in events)] = (state, orders)
        return profiles
