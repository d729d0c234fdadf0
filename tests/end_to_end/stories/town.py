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

import services.deliveries.wiring.worker as deliveries
import services.rewards.wiring.worker as rewards
import services.scoring.wiring.worker as scoring
from services.ingest.main import create_app as create_ingest
from services.rewards.entrypoints.worker import RewardsWorker
from services.rewards.wiring.api import create_app as create_rewards
from services.rewards.wiring.start import store_program
from services.scoring.entrypoints.worker import ScoringWorker
from services.scoring.wiring.api import create_app as create_scoring
from shared.auth.keys import ensure_key
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.support.clock import ManualClock
from tests.support.http import client_of
from tests.support.mailbox import Letter, Mailbox, mail_server
from tests.support.receiver import Receiver, answers, receiving

TOKEN = "reg_" + "s" * 43
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROUNDS_MAX = 60
"""So often what is due is done, before a town that comes to no rest is a fault."""
PATIENCE_S = 60.0
SMS_SECRET = "whsec_" + "c21zIA" * 8

_UNREAD = text("""
    SELECT count(*) FROM platform.log_heads h
    JOIN (VALUES ('scoring', 'regulars.events'), ('rewards', 'regulars.activity'),
        ('deliveries', 'regulars.outcomes')) AS g(name, topic) USING (topic)
    LEFT JOIN platform.log_positions p
        ON (p.group_name, p.topic, p.partition) = (g.name, h.topic, h.partition)
    WHERE h.next_offset > coalesce(p.position, 0)
    """)
# A letter that a sender has is on its way, and its next moment is the end of a lease.
_UNSENT = text("SELECT count(*) FROM deliveries.messages WHERE due_at <= :now OR state = 'sending'")
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
        *,
        admin: AsyncEngine,
        mailbox: Mailbox,
        sms: Receiver,
    ) -> None:
        self.clock = clock
        self.apis = apis
        self.mailbox = mailbox
        self.sms = sms
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

    async def skip_days(self, days: int) -> None:
        """At once, where nothing is due in between."""
        await self.pass_time(timedelta(days=days))

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

    async def ask(self, service: str, path: str) -> Any:
        """What a service answers."""
        answer = await self.apis[service].get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell(self, service: str, path: str, **body: Any) -> Any:
        """Have a service do something."""
        key = {"Idempotency-Key": f"story-{next(self._numbers)}"}
        answer = await self.apis[service].post(path, json=body, headers=key)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    async def points(self, who: str) -> int:
        """What somebody can spend."""
        return int((await self.ask("rewards", f"/v1/customers/{who}/points"))["available"])

    async def code(self, who: str, offer: str) -> str:
        """The newest code of an offer that somebody has."""
        offers = (await self.ask("rewards", f"/v1/customers/{who}/offers"))["items"]
        return str(max((each for each in offers if each["offer"] == offer), key=_issued)["code"])

    async def run(self, who: str, campaign: str) -> dict[str, Any]:
        """The one run of a campaign for somebody."""
        runs = (await self.ask("rewards", f"/v1/customers/{who}/campaigns"))["items"]
        (run,) = (run for run in runs if run["campaign"] == campaign)
        return dict(run)

    async def fates(self, who: str, campaign: str) -> list[tuple[str, str | None]]:
        """What became of a campaign's messages to somebody, and why, newest first."""
        messages = (await self.ask("rewards", f"/v1/deliveries?customer={who}&campaign={campaign}"))["items"]
        return [(message["state"], message["reason"]) for message in messages]

    async def redeem(self, who: str, code: str, total: str = "60.00") -> None:
        """An order with a code."""
        order_id = await self.order(who, total, coupon=code)
        order = {"order_id": order_id, "total": total}
        await self.tell("rewards", f"/v1/offers/{code}/redeem", customer=who, order=order)

    async def alert(self, who: str, kind: str) -> dict[str, Any]:
        """The one open alert of a kind about somebody."""
        (alert,) = (await self.ask("scoring", f"/v1/alerts?customer={who}&kind={kind}"))["items"]
        return dict(alert)

    async def close(self, alert: dict[str, Any], *, tell: bool) -> None:
        """Somebody of the shop has seen to it."""
        await self.tell("scoring", f"/v1/alerts/{alert['id']}/assign", to="support")
        await self.tell("scoring", f"/v1/alerts/{alert['id']}/close", note="Called them.", tell=tell)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Of any table."""
        async with self._admin.connect() as connection:
            return list(await connection.execute(text(statement), values))

    async def _do_what_is_due(self) -> None:
        """What the timed jobs of the workers do each second."""
        for job in (self._scoring.switch_program, *self._scoring.sweeps):
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


def _issued(offer: dict[str, Any]) -> str:
    return str(offer["issued_at"])


@asynccontextmanager
async def open_town(url: str, settings: Settings, clock: ManualClock) -> AsyncIterator[Town]:
    """A town on a fresh database, with the program that ships."""
    async with AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(mail_server())
        sms = await stack.enter_async_context(receiving(answers(202, b'{"id": "taken"}')))
        settings = settings.model_copy(
            update={
                "smtp_url": SecretStr(mailbox.url),
                "mail_from": "The Shop <hello@shop.example>",
                "sms_url": SecretStr(sms.url),
                "sms_secret": SecretStr(SMS_SECRET),
            }
        )
        admin = create_engine(url, role=None, pool_size=3)
        stack.push_async_callback(admin.dispose)
        async with admin.begin() as connection:
            await ensure_key(connection, TOKEN, clock())
        await store_program(settings, clock)
        apis = {}
        for name, app in (
            ("ingest", create_ingest),
            ("scoring", create_scoring),
            ("rewards", create_rewards),
        ):
            client = await stack.enter_async_context(client_of(app(settings, clock)))
            client.headers.update(HEADERS)
            apis[name] = client
        workers = scoring.create_worker(settings, clock), rewards.create_worker(settings, clock)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            # Their timed jobs are done by `settle`, each to its end, and not by the second.
            group.create_task(workers[0].stream.run(stop))
            group.create_task(workers[1]._stream.run(stop))
            group.create_task(deliveries.create_worker(settings, clock).run(stop))
            try:
                yield Town(clock, apis, workers, admin=admin, mailbox=mailbox, sms=sms)
            finally:
                stop.set()
        await workers[0].engine.dispose()
        await workers[1]._engine.dispose()
