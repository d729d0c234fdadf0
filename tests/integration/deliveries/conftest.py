"""Fixtures of deliveries on a real database."""

import pytest

from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.deliveries.world import World
from tests.support.clock import ManualClock


@pytest.fixture
async def world(engine_for: EngineFor, settings: Settings, clock: ManualClock) -> World:
    """Deliveries with a program in force that asks for no consent and knows no limits."""
    made = World(engine_for("regulars_deliveries"), engine_for(None), settings, clock)
    await made.program()
    return made
