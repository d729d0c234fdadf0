"""How a command calls a service of the installation: where it answers, and with which key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from deploy.commands.installation import installation
from deploy.errors import LocalError
from deploy.lending import lend_key
from shared.auth.keys import revoke_key
from shared.auth.scopes import Scope
from shared.clock import system_clock
from shared.settings import Service, Settings


def own_url(service: Service) -> str:
    """Where a service answers on this machine."""
    settings = Settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # to ask
    port = getattr(settings, f"{service}_port")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def calling(
    service: Service, url: str | None, *, name: str, scopes: frozenset[Scope]
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client of a service, on this machine or at `url`, and a token with these scopes: of the key that is set, or of
    one of this installation, lent until the end under this name.

    Raises:
        LocalError: The service does not answer, or there is no key for another machine's.
    """
    async with httpx.AsyncClient(base_url=url or own_url(service), trust_env=url is not None) as client:
        try:
            await client.get("/livez", timeout=10)
        except httpx.TransportError as error:
            raise LocalError(
                f"{service.capitalize()} does not answer at {client.base_url} ({type(error).__name__}). Start it with "
                f"`regulars up` in another terminal, or say where it is: with --url, "
                f"or REGULARS_{service.upper()}_PORT as there."
            ) from error
        key = Settings().api_key
        if key is not None:
            yield client, key.get_secret_value()
            return
        if url is not None:
            wanted = " and ".join(sorted(scopes))
            raise LocalError(f"Set REGULARS_API_KEY to a key with the scope {wanted} of that installation.")
        async with installation() as (_, engine):
            lent = await lend_key(engine, name, scopes, system_clock)
            try:
                yield client, lent.token
            finally:
                async with engine.begin() as connection:
                    await revoke_key(connection, lent.id, system_clock())
