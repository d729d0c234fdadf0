"""Fixtures of scoring on a real database."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.scoring.wiring.api import create_app
from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.scoring.api import Api
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import moment


@pytest.fixture
def world(engine_for: EngineFor, clock: ManualClock) -> World:
    """An empty world."""
    return World(engine_for("regulars_scoring"), clock())


@pytest.fixture
async def api(
    settings: Settings, clock: ManualClock, world: World, engine_for: EngineFor
) -> AsyncIterator[Api]:
    """The application on a database of its own; the clock stands 40 days after the first event."""
    clock.set(moment(40))
    tokens = {}
    async with engine_for(None).begin() as connection:
        for name, scopes in {
            "all": frozenset(Scope),
            "impersonal": frozenset({Scope.PROFILES_READ}),
            "other": frozenset({Scope.REWARDS_READ}),
            "events": frozenset({Scope.EVENTS_WRITE}),
        }.items():
            made = await create_key(connection, name=name, scopes=scopes, now=clock(), expires_at=None)
            tokens[name] = made.token
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
            yield Api(client, world, settings, tokens)
