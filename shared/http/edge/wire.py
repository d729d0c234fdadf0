"""HTTP/1.1 as it comes over the wire: what uvicorn makes of it, and what it does not look after.

What is no HTTP is refused with a problem, as every other bad request. A head (request line and headers) must come whole
in time, and may not be endless: anybody may send one, without a key. Nobody is upgraded to another protocol, and a
request that offers it is answered as any other (Java's client offers HTTP/2 with the first request to an address, and
the parser would throw away its body).
"""

import asyncio

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shared.http.problems import MEDIA_TYPE, Problem
from shared.telemetry.context import bind_request_id, new_request_id

HEAD_S = 30.0
"""A head that has not come whole by then is not waited for."""

SILENT_S = 75.0
"""As long a new connection may rest before its first request: load balancers open some ahead, and shall close first."""

HEAD_LIMIT_BYTES = 64 * 1024
"""Of a head, beyond what came with its beginning."""


def _malformed() -> Problem:
    return Problem(400, "malformed_request", "Malformed request", "This is not a request of HTTP/1.1.")


def _head_too_slow() -> Problem:
    return Problem(
        408, "headers_too_slow", "Headers too slow", f"The headers must arrive within {HEAD_S:g} seconds."
    )


def _head_too_large() -> Problem:
    return Problem(
        431,
        "headers_too_large",
        "Headers too large",
        f"Path, query and headers may have at most {HEAD_LIMIT_BYTES} bytes.",
    )


class Wire(HttpToolsProtocol):
    """One connection."""

    _head_begun = False
    _head_bytes = 0
    _arriving = 0
    _head_timer: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None
    _upgrading = False
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Somebody is there, who may ask something."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(SILENT_S, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more: whatever is still answered goes nowhere."""
        self._stop_waiting()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._arriving = len(data)
        self._parse(data)
        if self._head_begun and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refuse(_head_too_large())
        if self._head_timer is None and not self._refused and (self._head_begun or not self._is_busy()):
            self._await_head()

    def _parse(self, data: bytes) -> None:
        try:
            while data:
                data = self._parse_to_offer(data)
        except httptools.HttpParserError:
            self._refuse(_malformed())

    def _parse_to_offer(self, data: bytes) -> bytes:
        """What is left to be parsed: after an offered upgrade the same head again, without the offer, by a new parser,
        and what follows it."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as rest:
            if self._upgrading:
                return self._without_upgrade() + data[rest.args[0] :]
        return b""

    def _without_upgrade(self) -> bytes:
        self._upgrading = False
        line = b"%s %s HTTP/%s\r\n" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        head = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        return b"".join([line, *head, b"\r\n"])

    def on_message_begin(self) -> None:
        """A head begins; what came with it is not counted."""
        self._head_begun = True
        self._head_bytes = -self._arriving
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._upgrading = True
            return
        self._head_begun = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._upgrading:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _is_busy(self) -> bool:
        """Whether a request is on its way in or being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self._head_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._is_busy():
            self._await_head()
        elif self._head_begun:
            self._refuse(_head_too_slow())
        else:
            self.transport.close()  # nothing was asked

    def _refuse(self, problem: Problem) -> None:
        """Answer the problem and hang up; after the answer to the request before, if one is being made."""
        self._refused = True
        self._stop_waiting()
        if self._is_busy() and (not self.cycle.more_body or self.pipeline or self.cycle.response_started):
            self.cycle.keep_alive = False
            return
        request_id = new_request_id()
        bind_request_id(request_id)
        body = bytes(problem.response().body)
        head = {"content-type": MEDIA_TYPE, "x-request-id": request_id, "connection": "close"}
        lines = [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode() for name, value in head.items()]
        lines.append(b"content-length: %d\r\n\r\n" % len(body))
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, body]))
        self.transport.close()
