"""Scoring on a real database, without its process: events go in, activity and rows come out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.customers import SqlCustomers
from services.scoring.adapters.decisions import SqlDecisions
from services.scoring.adapters.identities import SqlIdentities
from services.scoring.adapters.inbox import SqlInbox
from services.scoring.adapters.orders import SqlOrders
from services.scoring.adapters.personal import PersonalData
from services.scoring.adapters.reader import TextReader
from services.scoring.adapters.rollups import SqlRollups
from services.scoring.adapters.stale import SqlStale
from services.scoring.adapters.timeline import SqlTimeline
from services.scoring.adapters.vader import Vader
from services.scoring.application.ports import Reader
from services.scoring.application.roll_up import RollUp
from services.scoring.application.take_in import TakeIn
from services.scoring.domain.rollup import RollupSettings
from services.scoring.domain.settings import ScoreSettings
from shared.bus.outbox import LogOutbox
from shared.bus.postgres_bus import platform_log
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import decode, encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.program.period import Period
from tests.conftest import SECRET
from tests.support.life import SETTINGS, STAGES

PARTITIONS = 4


class World:
    """Feeds events to the handler as the worker would, each call a transaction."""

    def __init__(
        self,
        engine: AsyncEngine,
        now: datetime,
        settings: ScoreSettings = SETTINGS,
        churned_after: Period = STAGES.churned_after,
        reader: Reader | None = None,
    ) -> None:
        self.engine = engine
        self.now = now
        self.log = platform_log(PARTITIONS)
        self.outbox = LogOutbox(self.log)
        self.customers = SqlCustomers()
        rules = RollupSettings(settings.currency, settings.zone, churned_after)
        self.stale, self.rollups = SqlStale(), SqlRollups()
        self._rules = rules
        self.forget_rules()
        self.take_in = TakeIn(
            inbox=SqlInbox(),
            identities=SqlIdentities(),
            customers=self.customers,
            orders=SqlOrders(),
            timeline=SqlTimeline(),
            decisions=SqlDecisions(),
            stale=self.stale,
            reader=reader or TextReader(PersonalData(engine, SECRET), Vader()),
            outbox=self.outbox,
            settings=settings,
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
            stale=self.stale, rollups=self.rollups, orders=SqlOrders(), settings=self._rules
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
