"""`regulars listen`: shows what webhooks tell, and forwards it, signed, to a receiver under development."""

import asyncio
import contextlib
import os
import secrets
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import msgspec
import typer

from deploy.commands.calling import calling
from deploy.commands.installation import run
from deploy.errors import LocalError
from deploy.problems import in_words
from services.deliveries.domain.webhooks.signing import headers
from shared.auth.scopes import Scope
from shared.clock import system_clock

RIGHTS = frozenset({Scope.ADMIN_READ, Scope.ADMIN_WRITE})
LOOK_EVERY_S = 0.5
AWAY_S = 2.0
"""Between two attempts while the installation does not answer."""

FORWARD_S = 15.0


def listen(
    forward_to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where to post each event, signed, such as localhost:3000/hooks."),
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="TYPE", help="Only these, such as 'points.*'; repeat for several."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where rewards answers, if not on this machine.")] = None,
) -> None:
    """Show webhooks as they happen, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        run(_listen(events or ["*"], _address(forward_to), url))


def _address(forward_to: str | None) -> str | None:
    """With a scheme, if it was left out."""
    if forward_to is None or forward_to.startswith(("http://", "https://")):
        return forward_to
    return f"http://{forward_to}"


async def _listen(events: list[str], forward_to: str | None, url: str | None) -> None:
    name = f"listen-{os.getpid()}"
    async with (
        calling("rewards", url, name=name, scopes=RIGHTS) as (client, token),
        _listener(client, token, events) as listener,
        httpx.AsyncClient(timeout=FORWARD_S, trust_env=False) as receiver,
    ):
        secret = str(listener["secret"])
        typer.echo(f"Listening to {', '.join(events)}. Webhooks are signed with {secret}", err=True)
        while True:
            for event in await _take(client, token, listener["id"]):
                _show(event)
                if forward_to is not None:
                    typer.echo(await _forward(receiver, forward_to, event, secret))
            await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _listener(
    client: httpx.AsyncClient, token: str, events: list[str]
) -> AsyncIterator[dict[str, Any]]:
    """A listener of ours; it is deleted at the end, and would be forgotten by itself."""
    asked = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}
    body = {"events": events, "description": "regulars listen"}
    answer = await client.post("/v1/webhooks", json=body, headers=asked)
    if answer.status_code != httpx.codes.CREATED:
        raise LocalError(f"Rewards answered {answer.status_code}: {in_words(answer)}")
    made: dict[str, Any] = answer.json()
    try:
        yield made
    finally:
        with contextlib.suppress(httpx.TransportError):
            await asyncio.shield(client.delete(f"/v1/webhooks/{made['id']}", headers=asked))


async def _take(client: httpx.AsyncClient, token: str, listener: str) -> list[dict[str, Any]]:
    """What has happened since; waits while the installation is away. Raises `LocalError` when it has forgotten us."""
    while True:
        try:
            answer = await client.post(
                f"/v1/webhooks/{listener}/take", headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.TransportError:
            await asyncio.sleep(AWAY_S)
            continue
        if answer.status_code == httpx.codes.OK:
            items: list[dict[str, Any]] = answer.json()["items"]
            return items
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise LocalError(f"Rewards answered {answer.status_code}: {in_words(answer)}")
        await asyncio.sleep(AWAY_S)


async def _forward(receiver: httpx.AsyncClient, url: str, event: dict[str, Any], secret: str) -> str:
    """Post an event as a webhook would be; how that ended, in a line."""
    body = str(event["body"]).encode()
    raw = b64decode(secret.removeprefix("whsec_"))
    signed = headers(event["id"], system_clock(), body, [raw])
    try:
        answer = await receiver.post(
            url, content=body, headers={**signed, "Content-Type": "application/json"}
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"    {url} failed: {type(error).__name__}"
    return f"    {url} answered {answer.status_code}"


def _show(event: dict[str, Any]) -> None:
    data = msgspec.json.decode(event["body"])["data"]
    typer.echo(f"{event['at']}  {event['type']}  {msgspec.json.encode(data).decode()}")
