"""What `/readyz` asks of scoring."""

from collections.abc import Callable, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.http.health import Check


def api_checks(engine: AsyncEngine) -> Mapping[str, Check]:
    """The database answers, with our tables."""

    async def database() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT FROM scoring.customers LIMIT 1"))
        return None

    return {"database": database}


def worker_checks(
    engine: AsyncEngine, troubles: Mapping[str, Callable[[], str | None]]
) -> Mapping[str, Check]:
    """Beside the database, no part of the worker reports trouble (by name: why it waits at the moment)."""

    def check_of(trouble: Callable[[], str | None]) -> Check:
        async def check() -> str | None:
            return trouble()

        return check

    return {**api_checks(engine), **{name: check_of(trouble) for name, trouble in troubles.items()}}
