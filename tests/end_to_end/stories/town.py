"""A shop and its customers, played through weeks: ingest, scoring, rewards and deliveries as they run, with their
streams in PostgreSQL, one clock that is set by hand, and a real mail server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import services.deliveries.main as deliveries
import services.ingest.main as ingest
import services.rewards.main as rewards
import services.scoring.main as scoring
from services.rewards.entrypoints.worker import RewardsWorker
from services.scoring.entrypoints.worker import ScoringWorker
from shared.auth.keys import ensure_key
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.support.clock import ManualClock
from tests.support.http import client_of
from tests.support.mailbox import Letter, Mailbox, mail_server

TOKEN = "reg_" + "s" * 43
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROUNDS_MAX = 60
"""So often what is due is done, before a town that comes to no rest is a fault."""
PATIENCE_S = 60.0

_UNREAD = text("""
    SELECT count(*) FROM platform.log_heads h
    JOIN (VALUES ('scoring', 'regulars.events'), ('rewards', 'regulars.activity'),
        ('deliveries', 'regulars.outcomes')) AS g(name, topic) USING (topic)
    LEFT JOIN platform.log_positions p
        ON (p.group_name, p.topic, p.partition) = (g.name, h.topic, h.partition)
    WHERE h.next_offset > coalesce(p.position, 0)
    """)
_UNSENT = text("SELECT count(*) FROM deliveries.messages WHERE due_at <= :now")
_STANDS = text("""
    SELECT topic, partition, next_offset, 0 FROM platform.log_heads
    UNION ALL SELECT state, 0, count(*), count(reason) FROM deliveries.messages GROUP BY state ORDER BY 1, 2
    """)


class Town:
    """What tests do and see. Customers go by the shop's ids; `c-ana` reads `c-ana@example.com`."""

    def __init__(
        self,
        clock: ManualClock,
        apis: dict[str, httpx.AsyncClient],
        workers: tuple[ScoringWorker, RewardsWorker],
        admin: AsyncEngine,
        mailbox: Mailbox,
    ) -> None:
        self.clock = clock
        self.apis = apis
        self.mailbox = mailbox
        self._scoring, self._rewards = workers
        self._admin = admin
        self._numbers = count(1)

    async def happen(
        self,
        type_: str,
        who: str,
        *,
        contact: dict[str, Any] | None = None,
        days_ago: int = 0,
        historical: bool = False,
        **data: Any,
    ) -> None:
        """Something happens to a customer now, or did days ago; or is told as history."""
        event = {
            "id": f"story-{next(self._numbers)}",
            "source": "shop",
            "type": type_,
            "time": (self.clock() - timedelta(days=days_ago)).isoformat(),
            "data": {"customer": {"id": who} | (contact or {}), **data},
        }
        path = "/v1/events?historical=true" if historical else "/v1/events"
        answer = await self.apis["ingest"].post(path, json=event)
        assert answer.status_code == 202, answer.text

    async def register(self, who: str, *, time_zone: str = "America/New_York", **more: Any) -> None:
        """Somebody registers, who may be written to."""
        contact = {
            "email": address(who),
            "first_name": who.removeprefix("c-").capitalize(),
            "time_zone": time_zone,
            "consent": {"email": True, "sms": True, "marketing": True},
        }
        await self.happen("customer.registered", who, contact=contact | more)

    async def order(self, who: str, total: str = "49.20", **more: Any) -> str:
        """Somebody buys something; the order's id."""
        order_id = f"o-{next(self._numbers)}"
        data = {"order_id": order_id, "currency": "USD", "total": total, **more}
        await self.happen("order.completed", who, **data)
        return order_id

    async def pass_days(self, days: int) -> None:
        """Day after day, each until nothing more is to be done."""
        for _ in range(days):
            await self.pass_time(timedelta(days=1))

    async def pass_time(self, by: timedelta) -> None:
        """The clock goes on, and everything that it makes due is done."""
        await self.settle()
        self.clock.advance(by)
        await self.settle()

    async def settle(self) -> None:
        """Let everything be done that is to be done now."""
        for _ in range(ROUNDS_MAX):
            await self._until_nothing(_UNREAD)
            before = await self._stands()
            await self._do_what_is_due()
            await self._until_nothing(_UNREAD)
            await self._until_nothing(_UNSENT)
            if await self._stands() == before:
                return
        raise AssertionError(f"it comes to no rest: {before}")

    def letters(self, who: str) -> list[Letter]:
        """What is in somebody's mailbox, oldest first."""
        return self.mailbox.to(address(who))

    def subjects(self, who: str) -> list[str]:
        """Of the letters in somebody's mailbox, oldest first."""
        return [str(letter.mail["Subject"]) for letter in self.letters(who)]

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Of any table."""
        async with self._admin.connect() as connection:
            return list(await connection.execute(text(statement), values))

    async def _do_what_is_due(self) -> None:
        """What the timed jobs of the workers do each second."""
        for job in (self._scoring.take_up, *self._scoring.sweeps):
            more = True
            while more:
                async with self._scoring.engine.begin() as connection:
                    more = await job(connection, self.clock())
        await self._rewards._due.once(asyncio.Event())
        assert not self._rewards._due.trouble

    async def _until_nothing(self, query: Any) -> None:
        async with asyncio.timeout(PATIENCE_S), self._admin.connect() as connection:
            while await connection.scalar(query, {"now": self.clock()}):
                await connection.rollback()
                await asyncio.sleep(0.01)

    async def _stands(self) -> list[Any]:
        async with self._admin.connect() as connection:
            return [tuple(row) for row in await connection.execute(_STANDS, {})]


def address(who: str) -> str:
    """The e-mail address of somebody."""
    return f"{who}@example.com"


@asynccontextmanager
async def open_town(url: str, settings: Settings, clock: ManualClock) -> AsyncIterator[Town]:
    """A town on a fresh database, with the program that ships."""
    async with AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(mail_server())
        settings = settings.model_copy(
            update={"smtp_url": SecretStr(mailbox.url), "mail_from": "The Shop <hello@shop.example>"}
        )
        admin = create_engine(url, role=None, pool_size=3)
        stack.push_async_callback(admin.dispose)
        async with admin.begin() as connection:
            await ensure_key(connection, TOKEN, clock())
        await rewards.store_program(settings, clock)
        apis = {}
        for service in (ingest, scoring, rewards):
            client = await stack.enter_async_context(client_of(service.create_app(settings, clock)))
            client.headers.update(HEADERS)
            apis[service.SERVICE] = client
        workers = scoring.create_worker(settings, clock), rewards.create_worker(settings, clock)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            # Their timed jobs are done by `settle`, each to its end, and not by the second.
            group.create_task(workers[0].stream.run(stop))
            group.create_task(workers[1]._stream.run(stop))
            group.create_task(deliveries.create_worker(settings, clock).run(stop))
            try:
                yield Town(clock, apis, workers, admin, mailbox)
            finally:
                stop.set()
        await workers[0].engine.dispose()
        await workers[1]._engine.dispose()
