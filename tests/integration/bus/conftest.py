"""The little service whose effects the bus tests count."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.postgres.engine import create_engine
from tests.integration.bus.probe import create_probe


@pytest.fixture
async def probe(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The database of the little service."""
    engine = create_engine(database_url, role=None, pool_size=10, application="regulars-test")
    await create_probe(engine)
    yield engine
    await engine.dispose()
