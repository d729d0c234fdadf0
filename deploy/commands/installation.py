"""The installation that a command works on: the one that runs, or its database started for the moment."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.errors import LocalError
from deploy.local.defaults import with_partitions, with_secret
from deploy.local.home import Home
from deploy.local.postgres.database import reach
from deploy.local.postgres.embedded import EmbeddedPostgres
from shared.postgres.engine import create_engine
from shared.postgres.migrating import migrate
from shared.settings import Settings

Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a command's work to its end."""
    return asyncio.run(work)


@asynccontextmanager
async def installation() -> AsyncIterator[tuple[Settings, AsyncEngine]]:
    """Complete settings, and an engine under the database's owner.

    Raises:
        LocalError: There is no installation where the settings point to.
    """
    settings = Settings()
    if settings.database_url is not None:
        await reach(settings.database_url)
        async with _engine(with_partitions(settings)) as answer:
            yield answer
        return
    home = Home(settings.home)
    postgres = EmbeddedPostgres(home.database)
    if not (home.folder / "lock").exists():
        raise LocalError(
            f"There is no installation in {home.folder} yet. Run `regulars up` first, set REGULARS_HOME to the "
            "folder of another one, or DATABASE_URL to its database."
        )
    settings = with_partitions(with_secret(settings, home)).model_copy(update={"database_url": postgres.url})
    if postgres.running() is not None:
        async with _engine(settings) as answer:
            yield answer
        return
    with home.locked():
        await postgres.start(_to_stderr)
        try:
            await migrate(postgres.url)
            async with _engine(settings) as answer:
                yield answer
        finally:
            await postgres.stop()


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[tuple[Settings, AsyncEngine]]:
    assert settings.database_url is not None
    engine = create_engine(settings.database_url, role=None, pool_size=2, application="regulars-cli")
    try:
        yield settings, engine
    finally:
        await engine.dispose()


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)
