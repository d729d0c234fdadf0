"""The database of a start: reached where a server is named, kept alive where it is ours."""

import asyncio
from collections.abc import Callable

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from deploy.errors import LocalError
from deploy.local.postgres.embedded import EmbeddedPostgres

CONNECT_S_MAX = 5.0
VERSION_MIN = 15
LOOK_EVERY_S = 0.5
START_AGAIN_S = 2.0


async def reach(url: str) -> None:
    """Connect once to the server at `url`.

    Raises:
        LocalError: The address is malformed, nobody answers, the login is refused, or the server is too old.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LocalError(
            "DATABASE_URL is not an address of a database; it looks like "
            "postgresql://user:password@host:5432/database"
        ) from error
    shown = parsed.render_as_string(hide_password=True)
    try:
        connection = await asyncpg.connect(
            parsed.set(drivername="postgresql").render_as_string(hide_password=False), timeout=CONNECT_S_MAX
        )
    except TimeoutError as error:
        raise LocalError(f"The database at {shown} (DATABASE_URL) does not answer.") from error
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LocalError(f"The database at {shown} (DATABASE_URL) cannot be used: {error}") from error
    try:
        version = connection.get_server_version().major
    finally:
        await connection.close()
    if version < VERSION_MIN:
        raise LocalError(
            f"The database at {shown} is PostgreSQL {version}; {VERSION_MIN} or newer is needed."
        )


async def keep_alive(postgres: EmbeddedPostgres, tell: Callable[[str], None]) -> None:
    """Start the embedded server again whenever it has died; runs until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if postgres.running() is not None:
            continue
        tell("PostgreSQL has died; starting it again")
        try:
            await postgres.start(tell)
        except LocalError as error:
            tell(f"PostgreSQL could not be started again: {error}")
            await asyncio.sleep(START_AGAIN_S)
        else:
            tell("PostgreSQL is ready again")
