"""The edge of a service, in one pass: request id, limits of the body, deadline, errors, metrics, access log.

One pure ASGI middleware instead of five: each layer costs every request a few microseconds.
"""

import asyncio
import re
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.address import keep_slashes
from shared.http.deadline import Deadlines
from shared.http.edge.access import AccessLog
from shared.http.edge.bodies import (
    BODY_LIMIT_BYTES,
    body_too_large,
    body_too_slow,
    refuse_nul_in_address,
    refuse_unstorable_json,
)
from shared.http.edge.handlers import problem_for
from shared.telemetry.context import bind_request_id, new_request_id
from shared.telemetry.metrics import REQUEST_SECONDS

DEADLINE_S = 4.0
"""A request that is not answered by then waits for something that is away: it is answered 503."""

BODY_S = 30.0
"""A body that has not come by then is not waited for: whoever sends it slowly, or not at all, holds memory meanwhile,
and needs no key for it."""

CLIENT_CLOSED_REQUEST = 499
"""What the metrics say of a client that left before it had sent its body."""

_QUIET_ROUTES = frozenset({"/livez", "/readyz", "/health", "/metrics"})
_LENGTH_DIGITS_MAX = 19
"""Of a `Content-Length`: with the first of more it is far beyond any limit already."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}\Z")


class Boundary:
    """Wraps the application; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: AccessLog,
        deadlines: Deadlines,
        deadline_s: float = DEADLINE_S,
        limit_bytes: int = BODY_LIMIT_BYTES,
        body_s: float = BODY_S,
        checks_json: bool = True,
    ) -> None:
        self._app = app
        self._access = access
        self._deadlines = deadlines
        self._deadline_s = deadline_s
        self._limit_bytes = limit_bytes
        self._body_s = body_s
        self._checks_json = checks_json
        self._kinds: dict[tuple[str, str, int], tuple[Histogram, str | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens below."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        exchange = _Exchange(scope, receive, send)
        try:
            await self._answer(scope, receive, exchange)
        finally:
            self._record(scope, exchange, perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        try:
            keep_slashes(scope)
            refuse_nul_in_address(scope["path"], scope["query_string"])
            if exchange.has_body:
                replay = await self._read(exchange, receive)
                if replay is None:
                    exchange.status = CLIENT_CLOSED_REQUEST
                    return
                receive = replay
            await self._within_deadline(scope, receive, exchange)
        except Exception as error:  # the last line: everything becomes a problem document
            problem = problem_for(error, _route(scope))
            if exchange.started:
                # Half an answer is out: only a broken connection tells the client that it is not whole.
                raise
            await problem.response()(scope, receive, exchange.send)

    async def _within_deadline(self, scope: Scope, receive: Receive, exchange: "_Exchange") -> None:
        deadline = scope["regulars.deadline"] = self._deadlines.open(self._deadline_s, exchange)
        try:
            await self._app(scope, receive, exchange.send)
        except asyncio.CancelledError:
            # Cancelled by us alone: the answer was given meanwhile, or it is half out and must break.
            if not deadline.passed or deadline.task.uncancel() > 0:
                await exchange.give_up()  # the process ends: the server would answer 500 in our stead
                raise
            if not exchange.abandoned:
                raise TimeoutError from None
        finally:
            self._deadlines.close(deadline)
            # It leads back to the scope: a ring that only the collector would free.
            del scope["regulars.deadline"]

    async def _read(self, exchange: "_Exchange", receive: Receive) -> Receive | None:
        """The whole body, checked, as a `receive` that gives it at once; None when the client left meanwhile."""
        if exchange.content_length > self._limit_bytes:
            raise body_too_large(self._limit_bytes)
        deadline = self._deadlines.open(self._body_s, _NOBODY)
        try:
            body = await self._whole(receive)
        except asyncio.CancelledError:
            if not deadline.passed or deadline.task.uncancel() > 0:
                raise
            raise body_too_slow(self._body_s) from None
        finally:
            self._deadlines.close(deadline)
        if body is None:
            return None
        if exchange.is_json and self._checks_json:
            refuse_unstorable_json(body)
        return _replay(body, receive)

    async def _whole(self, receive: Receive) -> bytes | None:
        """All parts of the body, up to the limit; None when the client left."""
        parts: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limit_bytes:
                raise body_too_large(self._limit_bytes)
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _record(self, scope: Scope, exchange: "_Exchange", seconds: float) -> None:
        key = (scope["method"], _route(scope), exchange.status)
        kind = self._kinds.get(key)
        if kind is None:
            line = None if key[1] in _QUIET_ROUTES else self._access.kind(*key)
            kind = self._kinds[key] = (REQUEST_SECONDS.labels(*key), line)
        instrument, line = kind
        instrument.observe(seconds)
        if line is not None:
            self._access.add(line, exchange.request_id, seconds)


class _Exchange:
    """One request and its answer: what the headers said, and what has been sent."""

    __slots__ = (
        "_receive",
        "_scope",
        "_send",
        "abandoned",
        "content_length",
        "has_body",
        "is_json",
        "request_id",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        given = headers.get(b"x-request-id")
        self._scope = scope
        self._receive = receive
        self._send = send
        self.abandoned = False
        self.content_length = int(length[:_LENGTH_DIGITS_MAX]) if length.isdigit() else 0
        self.has_body = self.content_length > 0 or b"transfer-encoding" in headers
        self.is_json = self.has_body and b"json" in headers.get(b"content-type", b"").lower()
        self.started = False
        self.status = 500
        if given is not None and _REQUEST_ID.match(given):
            self.request_id = given.decode()
        else:
            self.request_id = new_request_id()
        bind_request_id(self.request_id)

    async def give_up(self) -> None:
        """Answer that something is away; what the request's own task still says is dropped."""
        if not self.started:
            self.abandoned = True
            bind_request_id(self.request_id)
            problem = problem_for(TimeoutError(), _route(self._scope))
            await problem.response()(self._scope, self._receive, self._pass_on)

    async def send(self, message: Message) -> None:
        """Pass an answer on, with the request's id in its headers."""
        if not self.abandoned:
            await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)


class _Nobody:
    """Answers nothing in a request's stead: it does so itself once it is cancelled."""

    async def give_up(self) -> None:
        """Nothing to do."""


_NOBODY = _Nobody()


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _route(scope: Scope) -> str:
    """The template of the route (`/v1/customers/{customer}`), so that no identifier reaches metrics or logs."""
    route = scope.get("route")
    if route is None:
        return "unmatched"
    # A router included with a prefix leaves the whole template elsewhere than the route.
    included = scope.get("fastapi", {}).get("effective_route_context")
    path: str = getattr(included or route, "path", "unmatched")
    return path
