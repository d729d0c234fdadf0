"""Fixtures of scoring on a real database."""

import pytest

from tests.conftest import EngineFor
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def world(engine_for: EngineFor, clock: ManualClock) -> World:
    """An empty world."""
    return World(engine_for("regulars_scoring"), clock())
