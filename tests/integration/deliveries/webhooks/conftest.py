"""Webhooks on a real database: the consumer's fan-out, the sender, the API, and receivers on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.webhooks.client import SafeClient
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.application.consuming import OutcomeHandler
from services.deliveries.application.webhooks.fan_out import FanOut
from services.deliveries.domain.webhooks.addresses import parse_networks
from services.deliveries.entrypoints.webhooks import sender as webhook_sender
from services.deliveries.entrypoints.webhooks.sender import WebhookSender
from services.rewards.wiring.api import create_app
from shared.auth.keys import ensure_key
from shared.bus.records import Incoming
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC, Outcome
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.support.clock import ManualClock

TOKEN = "reg_" + "w" * 43
LOCAL = "127.0.0.0/8"


@dataclass
class Hooks:
    """The parts on one database, and the means to look inside."""

    engine: AsyncEngine
    clock: ManualClock
    api: httpx.AsyncClient
    settings: Settings
    numbers: Any

    def outcome(self, type_: str = "points.earned", *, historical: bool = False, **data: Any) -> Outcome:
        """A new outcome of the present moment."""
        number = next(self.numbers)
        return Outcome(
            id=f"activity-{number}/earned/base",
            customer_id="cus_1",
            type=type_,
            time=self.clock(),
            cause=f"activity-{number}",
            program_version=1,
            data=data or {"points": 49},
            historical=historical,
        )

    async def happen(self, *outcomes: Outcome) -> None:
        """Take outcomes as one batch of the stream."""
        handler = OutcomeHandler([FanOut(PostgresEndpoints(self.settings.secret), WebhookQueue())])
        records = [
            Incoming(OUTCOMES_TOPIC, 0, offset, each.customer_id, encode(each))
            for offset, each in enumerate(outcomes)
        ]
        async with self.engine.begin() as connection:
            await handler(connection, records, self.clock())

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the API, with a key of its own for what needs one."""
        headers = {"Idempotency-Key": f"key-{next(self.numbers)}", **options.pop("headers", {})}
        return await self.api.request(method, path, headers=headers, **options)

    async def add(self, url: str | None, *events: str, **more: Any) -> dict[str, Any]:
        """Add an endpoint that subscribes to everything, or to these."""
        body = {"url": url, "events": list(events) or ["*"], **more}
        answer = await self.ask("POST", "/v1/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def endpoint(self, id_: str) -> dict[str, Any]:
        """An endpoint as it stands."""
        answer = await self.ask("GET", f"/v1/webhooks/{id_}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def messages(self, endpoint: str, **query: Any) -> list[dict[str, Any]]:
        """An endpoint's messages, the newest first."""
        answer = await self.ask("GET", f"/v1/webhooks/{endpoint}/messages", params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def until(self, endpoint: str, state: str, number: int = 1) -> list[dict[str, Any]]:
        """Wait until an endpoint has so many messages in a state."""
        async with asyncio.timeout(10):
            while True:
                found = await self.messages(endpoint, state=state)
                if len(found) >= number:
                    return found
                await asyncio.sleep(0.02)

    async def until_disabled(self, endpoint: str) -> dict[str, Any]:
        """Wait until an endpoint is disabled."""
        async with asyncio.timeout(10):
            while True:
                found = await self.endpoint(endpoint)
                if found["state"] == "disabled":
                    return found
                await asyncio.sleep(0.02)

    async def until_tried(self, endpoint: str, attempts: int) -> dict[str, Any]:
        """Wait until the newest message has been tried so often, and the last try was noted."""
        async with asyncio.timeout(10):
            while True:
                (message, *_) = await self.messages(endpoint)
                answer = await self.ask("GET", f"/v1/webhooks/{endpoint}/messages/{message['id']}")
                found: dict[str, Any] = answer.json()
                if len(found["tries"]) >= attempts:
                    return found
                await asyncio.sleep(0.02)

    def sender(self, **options: Any) -> WebhookSender:
        """A sender of its own, as each worker process has one."""
        allowed = parse_networks(LOCAL)
        return WebhookSender(
            engine=self.engine,
            endpoints=PostgresEndpoints(self.settings.secret),
            messages=WebhookQueue(),
            client=SafeClient(allowed, **options),
            clock=self.clock,
            allowed=allowed,
        )

    @asynccontextmanager
    async def sending(self, **options: Any) -> AsyncIterator[WebhookSender]:
        """A sender that runs; its stop is waited for."""
        stop, sender = asyncio.Event(), self.sender(**options)
        task = asyncio.create_task(sender.run(stop))
        try:
            yield sender
        finally:
            stop.set()
            await task

    async def rows(self, statement: str, **bound: Any) -> list[Any]:
        """What a statement finds."""
        async with self.engine.begin() as connection:
            return list(await connection.execute(text(statement), bound))

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**by))


@pytest.fixture
async def hooks(
    settings: Settings, engine_for: EngineFor, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Hooks]:
    """Webhooks that may go to this machine."""
    monkeypatch.setattr(webhook_sender, "FRESH_S", 0.0)
    settings = settings.model_copy(update={"webhook_private_networks": LOCAL})
    async with engine_for(None).begin() as connection:
        await ensure_key(connection, TOKEN, clock())
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as api:
            yield Hooks(engine_for("regulars_deliveries"), clock, api, settings, count(1))
