"""Fixtures that every test may ask for: a clock, settings, and a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.garbage import keep_what_is_loaded
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.support.clock import ManualClock
from tests.support.database import TestDatabases, embedded_server

pytest_plugins = ["tests.support.kafka"]

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("regulars", deadline=None)
hypothesis.settings.load_profile("regulars")


def pytest_collection_finish() -> None:
    """The modules and the list of tests stay to the end: looking through them for garbage took a tenth of the time."""
    keep_what_is_loaded()


EngineFor = Callable[[str | None], AsyncEngine]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon UTC of 1 June 2026."""
    return ManualClock()


@pytest.fixture(scope="session")
def databases() -> Iterator[TestDatabases]:
    """The embedded PostgreSQL of this test process."""
    with embedded_server() as server:
        yield server


@pytest.fixture
async def database_url(databases: TestDatabases) -> AsyncIterator[str]:
    """The address (as superuser) of a fresh migrated database."""
    async with databases.fresh() as url:
        yield url


@pytest.fixture
async def engine_for(database_url: str) -> AsyncIterator[EngineFor]:
    """Makes engines on the fresh database under a role (None: superuser); disposed at the end."""
    engines: list[AsyncEngine] = []

    def make(role: str | None) -> AsyncEngine:
        engine = create_engine(database_url, role=role, pool_size=8, application="regulars-test")
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        await engine.dispose()


SECRET = "test-secret-" + "x" * 32


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of an installation on the fresh database, streams in PostgreSQL."""
    return Settings(
        database_url=database_url,
        secret=SecretStr(SECRET),
        home=tmp_path,
        partitions=4,
    )
