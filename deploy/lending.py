"""API keys that a command makes for itself."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.auth.keys import CreatedKey, create_key, list_keys, revoke_key
from shared.auth.scopes import Scope
from shared.clock import Clock

LIFETIME = timedelta(days=7)


async def lend_key(engine: AsyncEngine, name: str, scopes: frozenset[Scope], clock: Clock) -> CreatedKey:
    """A key of this name that ends by itself; earlier ones of the name are revoked."""
    now = clock()
    async with engine.begin() as connection:
        for key in await list_keys(connection):
            if key.name == name and key.revoked_at is None:
                await revoke_key(connection, key.id, now)
        return await create_key(connection, name=name, scopes=scopes, now=now, expires_at=now + LIFETIME)
