"""Ingest as a whole, over HTTP, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.ingest.main import create_app
from shared.auth.keys import create_key, ensure_key
from shared.auth.scopes import Scope
from shared.bus.log.log import PostgresLog
from shared.bus.records import Incoming
from shared.contracts.codec import decode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.support.clock import ManualClock

TOKEN = "reg_test_key_with_every_scope"


class Ingest:
    """The running service as a sender sees it, and the database behind it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, engine_for: EngineFor) -> None:
        self.app = app
        self.client = client
        self._engine = engine_for(None)

    async def post(self, body: Any, *, query: str = "", **options: Any) -> httpx.Response:
        """Send events."""
        return await self.client.post(f"/v1/events{query}", json=body, **options)

    async def post_raw(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send bytes."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        return await self.client.post("/v1/events", content=body, headers=headers)

    async def log(self, schema: str = "platform", prefix: str = "log") -> list[Incoming]:
        """What is on the log (or in the spool), partition after partition."""
        log = PostgresLog(schema, prefix, 4)
        async with self._engine.connect() as connection:
            heads = await log.heads(connection)
            return await log.read(connection, dict.fromkeys(sorted(heads), 0), 10_000)

    async def records(self) -> list[EventRecord]:
        """The events on the stream."""
        return [decode(each.value, EventRecord) for each in await self.log() if each.topic == EVENTS_TOPIC]

    async def sql(self, statement: str, **values: Any) -> None:
        """Change the database behind the service's back."""
        async with self._engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def key(self, *scopes: Scope) -> str:
        """A new key with these scopes only."""
        async with self._engine.begin() as connection:
            created = await create_key(connection, name="test", scopes=scopes, now=ManualClock()())
        return created.token


Start = Callable[[Settings], AbstractAsyncContextManager[Ingest]]


@pytest.fixture
def start(engine_for: EngineFor, clock: ManualClock) -> Start:
    """Starts ingest with settings."""

    @asynccontextmanager
    async def starting(settings: Settings) -> AsyncIterator[Ingest]:
        async with engine_for(None).begin() as connection:
            await ensure_key(connection, TOKEN, clock())
        app = create_app(settings, clock)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://ingest", headers={"Authorization": f"Bearer {TOKEN}"}
            ) as client,
        ):
            yield Ingest(app, client, engine_for)

    return starting


@pytest.fixture
async def ingest(start: Start, settings: Settings) -> AsyncIterator[Ingest]:
    """Ingest with its streams in PostgreSQL."""
    async with start(settings) as running:
        yield running
