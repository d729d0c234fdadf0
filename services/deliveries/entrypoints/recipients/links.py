"""What the links in messages lead to: opens, clicks, unsubscribing, preferences. The signed link is the key."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from services.deliveries.adapters.metrics import RESPONSES
from services.deliveries.application.recipients.responding import Responding, cells
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.links import TOKEN_MAX, Link, Links, Use
from services.deliveries.entrypoints.recipients import pages
from services.deliveries.entrypoints.service import Service
from shared.postgres.faults import is_database_away
from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.versions.reading import NoProgramError

PIXEL: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""The smallest image there is: one transparent point."""

NOTE_WITHIN_S: Final = 2.0
"""Longer than that nobody waits for where a link leads."""

FORM_MAX: Final = 8_192
"""Bytes of a form."""

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_NOT_GOOD: Final[dict[int | str, dict[str, Any]]] = {
    404: {
        "description": "The link is none of ours, or what it was about is gone: a page says so.",
        "content": _HTML,
    }
}
_PAGES: Final = {
    **_NOT_GOOD,
    503: {
        "description": "The database is away: a page says so. Try again after `Retry-After`.",
        "content": _HTML,
    },
}

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="the signed part of the link, as it stands in the message")
]

R = TypeVar("R")

log = structlog.get_logger()


def link_routes(service: Service, links: Links, responding: Responding) -> APIRouter:
    """`/o`, `/c`, `/u` and `/p`, each with a token."""
    router = APIRouter(tags=["links in messages"])
    handler = _Handler(service, links, responding)

    @router.get(
        "/o/{token}",
        summary="The picture that tells that a message was opened",
        response_class=Response,
        responses={200: {"content": {"image/gif": {}}}},
    )
    async def opened(token: Token) -> Response:
        """Answers the picture whatever happens. Once noted, the message stays opened."""
        return await handler.opened(token)

    @router.get(
        "/c/{token}",
        summary="A link in a message",
        status_code=302,
        response_class=RedirectResponse,
        responses=_NOT_GOOD,
    )
    async def clicked(token: Token) -> Response:
        """Leads to where the link in the message led, and notes that it was followed. Leads nowhere else: the
        destination is signed."""
        return await handler.clicked(token)

    @router.head("/c/{token}", include_in_schema=False)
    async def looked_at(token: Token) -> Response:
        """Scanners look where a link leads without following it."""
        return handler.redirect(token)

    @router.get("/u/{token}", summary="A page to unsubscribe", response_class=HTMLResponse, responses=_PAGES)
    async def ask(token: Token) -> Response:
        """Changes nothing: a button on the page does."""
        return await handler.ask(token)

    @router.post("/u/{token}", summary="Unsubscribe at once", response_class=HTMLResponse, responses=_PAGES)
    async def unsubscribe(token: Token) -> Response:
        """One-click unsubscribing by the mail program (RFC 8058), or by the button of the page. No more
        marketing by the channel that this message came by; twice is as good as once."""
        return await handler.unsubscribe(token)

    @router.get(
        "/p/{token}", summary="A page to choose what one gets", response_class=HTMLResponse, responses=_PAGES
    )
    async def show(token: Token) -> Response:
        """The channels by which the customer can be reached, with what comes by each."""
        return await handler.show(token)

    @router.post("/p/{token}", summary="Choose what one gets", response_class=HTMLResponse, responses=_PAGES)
    async def choose(token: Token, request: Request) -> Response:
        """The form of the page: a field `channel.purpose` for all that is wanted, and `tracking`."""
        return await handler.choose(token, await request.body())

    return router


class _Handler:
    """What the routes do."""

    def __init__(self, service: Service, links: Links, responding: Responding) -> None:
        self._service = service
        self._links = links
        self._responding = responding

    async def opened(self, token: str) -> Response:
        link = self._links.read(Use.OPEN, token)
        if link is not None:
            message = link.message
            await self._note(
                "opened", lambda connection: self._responding.opened(connection, message, self._now())
            )
        return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})

    async def clicked(self, token: str) -> Response:
        link = self._links.read(Use.CLICK, token)
        if link is not None:
            message, destination = link.message, link.destination
            await self._note(
                "clicked",
                lambda connection: self._responding.clicked(connection, message, destination, self._now()),
            )
        return self.redirect(token)

    def redirect(self, token: str) -> Response:
        """To the destination; a page that says so when there is none."""
        link = self._links.read(Use.CLICK, token)
        if link is None or not link.destination:
            return pages.not_good()
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return RedirectResponse(link.destination, 302, headers=headers)

    async def ask(self, token: str) -> Response:
        link = self._links.read(Use.UNSUBSCRIBE, token)
        if link is None:
            return pages.not_good()

        async def page(connection: AsyncConnection) -> Response:
            to = await self._responding.store.addressee(connection, link.message)
            if to is None:
                return pages.not_good()
            return pages.ask_to_unsubscribe(await self._shop(connection), to.channel, self._preferences(link))

        return await self._in_transaction(page)

    async def unsubscribe(self, token: str) -> Response:
        link = self._links.read(Use.UNSUBSCRIBE, token)
        if link is None:
            return pages.not_good()

        counted: list[str] = []

        async def page(connection: AsyncConnection) -> Response:
            shop = await self._shop(connection)  # the outbox is written last
            to, changed = await self._responding.unsubscribe(connection, link.message, self._now())
            if changed:
                counted.append("unsubscribed")
            return (
                pages.not_good()
                if to is None
                else pages.unsubscribed(shop, to.channel, self._preferences(link))
            )

        answer = await self._in_transaction(page)
        for response in counted if answer.status_code == 200 else ():
            RESPONSES.labels(response).inc()
        return answer

    async def show(self, token: str) -> Response:
        link = self._links.read(Use.PREFERENCES, token)
        if link is None:
            return pages.not_good()
        return await self._in_transaction(lambda connection: self._page(connection, link))

    async def choose(self, token: str, body: bytes) -> Response:
        link = self._links.read(Use.PREFERENCES, token)
        if link is None or len(body) > FORM_MAX:
            return pages.not_good()
        fields = frozenset(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))
        if pages.WHOLE not in fields:  # whatever this is, nobody unticked all the boxes of our form in it
            return await self.show(token)

        async def save(connection: AsyncConnection) -> Response | None:
            program = await self._program(connection)
            to = await self._responding.store.addressee(connection, link.message)
            if to is None:
                return pages.not_good()
            rule = program.messages.consent
            choice = await self._responding.choice(connection, to, rule, _channels(program))
            wanted = {cell: f"{cell[0]}.{cell[1]}" in fields for cell in cells(choice.channels)}
            tracking = "tracking" in fields
            await self._responding.choose(
                connection, to, wanted, tracking=tracking, rule=rule, now=self._now()
            )
            return None

        refused = await self._in_transaction(save)
        if refused is not None:
            return refused
        return await self._in_transaction(lambda connection: self._page(connection, link, saved=True))

    async def _page(self, connection: AsyncConnection, link: Link, *, saved: bool = False) -> Response:
        program = await self._program(connection)
        to = await self._responding.store.addressee(connection, link.message)
        if to is None:
            return pages.not_good()
        choice = await self._responding.choice(connection, to, program.messages.consent, _channels(program))
        return pages.preferences(program.name, choice, saved=saved)

    async def _note(self, response: str, note: Callable[[AsyncConnection], Awaitable[bool]]) -> None:
        """Note it if that is possible: whoever reads a mail must not wait for a database that is away."""
        try:
            async with asyncio.timeout(NOTE_WITHIN_S), self._service.engine.begin() as connection:
                counts = await note(connection)
        except Exception as error:
            if not (isinstance(error, TimeoutError) or is_database_away(error)):
                raise
            log.warning("response_not_noted")
            RESPONSES.labels("lost").inc()
        else:
            if counts:
                RESPONSES.labels(response).inc()

    async def _in_transaction(self, page: Callable[[AsyncConnection], Awaitable[R]]) -> R | Response:
        try:
            async with self._service.engine.begin() as connection:
                return await page(connection)
        except (NoProgramError, ProgramError):
            return pages.away()
        except Exception as error:
            if not is_database_away(error):
                raise
            return pages.away()

    async def _program(self, connection: AsyncConnection) -> Program:
        return await self._service.programs.current(connection, self._now())

    async def _shop(self, connection: AsyncConnection) -> str:
        return (await self._program(connection)).name

    def _preferences(self, link: Link) -> str:
        return self._links.make(Use.PREFERENCES, link.message)

    def _now(self) -> datetime:
        return self._service.clock()


def _channels(program: Program) -> tuple[Channel, ...]:
    return tuple(Channel(name) for name in program.messages.channels)
