"""What must hold before a service may start: newest tables, the right secret, an API key, the topics."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from deploy.errors import LocalError
from shared.auth.keys import ApiKey, any_key, create_key, ensure_key
from shared.auth.scopes import ALL_SCOPES
from shared.clock import Clock
from shared.postgres.engine import create_engine
from shared.postgres.migrating import migrate
from shared.settings import Settings
from shared.vault.secret import SecretError, check_secret

FIRST_KEY_NAME = "first"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`new_key`: the token of the key that this start made, because there was none."""

    new_key: str | None


async def prepare(settings: Settings, clock: Clock, tell: Callable[[str], None]) -> Prepared:
    """Bring the database up to date and make sure of secret and key; any number of times, from any machine.

    Raises:
        LocalError: The secret is wrong or missing, the key unusable, or the database refuses.
    """
    url = settings.database_url
    if url is None:
        raise LocalError(
            "DATABASE_URL is not set. `regulars up` brings a database of its own; everything else needs to be "
            "told which one to use."
        )
    tell("Bringing the tables up to date …")
    try:
        await migrate(url)
        new_key = await _secret_and_key(settings, url, clock, tell)
    except SecretError as error:
        raise LocalError(str(error)) from error
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise LocalError(f"The database could not be prepared: {error}") from error
    return Prepared(new_key=new_key)


async def _secret_and_key(
    settings: Settings, url: str, clock: Clock, tell: Callable[[str], None]
) -> str | None:
    engine = create_engine(url, role=None, pool_size=1, application="regulars-prepare")
    try:
        async with engine.begin() as connection:
            await check_secret(connection, settings.secret)
            if settings.api_key is not None:
                try:
                    key = await ensure_key(connection, settings.api_key, clock())
                except ValueError as error:
                    raise LocalError(str(error)) from error
                _tell_of_dead_key(key, clock(), tell)
                return None
            if await any_key(connection):
                return None
            made = await create_key(connection, name=FIRST_KEY_NAME, scopes=ALL_SCOPES, now=clock())
            return made.token
    finally:
        await engine.dispose()


def _tell_of_dead_key(key: ApiKey, now: datetime, tell: Callable[[str], None]) -> None:
    """It does not stop the start: other keys may be in use. But whoever relies on it should know why it fails."""
    if key.revoked_at is not None:
        tell(
            f"REGULARS_API_KEY ({key.id}) was revoked on {key.revoked_at:%Y-%m-%d}: it opens nothing. Set another."
        )
    elif key.expires_at is not None and key.expires_at <= now:
        tell(
            f"REGULARS_API_KEY ({key.id}) expired on {key.expires_at:%Y-%m-%d}: it opens nothing. Set another."
        )
