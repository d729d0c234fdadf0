"""One HTTP/1.1 connection to a receiver, a request at a time. It reads as little of an answer as it needs."""

import asyncio
from dataclasses import dataclass

import httptools

HEAD_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 64 * 1024
BODY_S = 2.0
"""After a status, for what comes with it."""


class ExchangeError(Exception):
    """There was no answer: the message is the word for why (`cut_off`, `not_http`)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: `body` is as much of it as was read, `retry_after` the header as it came."""

    status: int
    retry_after: bytes
    body: bytes


class Connection(asyncio.Protocol):
    """A connection that was made to a checked address."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answered: asyncio.Future[None] | None = None
        self._finished: asyncio.Future[None] | None = None
        self._reset()
        self.used = 0
        """Requests that were sent over it."""

    def _reset(self) -> None:
        self._status = 0
        self._retry_after = b""
        self._body = bytearray()
        self._head_bytes = 0

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def heard(self) -> bool:
        """Whether anything came back to the last request."""
        return self._head_bytes > 0

    async def exchange(self, request: bytes) -> Reply:
        """Send a request and wait for its status, and a moment for its body. Raises `ExchangeError`."""
        if self._transport is None or not self.is_open:
            raise ExchangeError("cut_off")
        loop = asyncio.get_running_loop()
        self._reset()
        self.used += 1
        self._parser = httptools.HttpResponseParser(self)
        self._answered, self._finished = loop.create_future(), loop.create_future()
        try:
            self._transport.write(request)
            await self._answered
            try:
                async with asyncio.timeout(BODY_S):
                    await self._finished
            except TimeoutError:
                self.close()
            return Reply(self._status, self._retry_after, bytes(self._body))
        except BaseException:
            self.close()  # what would come now belongs to no request
            raise
        finally:
            self._parser = self._answered = self._finished = None

    def close(self) -> None:
        """At once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    # -- what the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. Bytes that nobody has asked for end the connection."""
        if self._parser is None:
            self.close()
            return
        if not self._status:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("not_http")
        if not self._status and self._head_bytes > HEAD_BYTES_MAX:
            self._fail("not_http")

    def eof_received(self) -> None:
        """See `asyncio.Protocol`."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._end()

    # -- what the parser tells

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer."""
        if name.lower() == b"retry-after":
            self._retry_after = value

    def on_headers_complete(self) -> None:
        """The head is whole; an interim answer (1xx) is followed by the real one."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            _settle(self._answered)

    def on_body(self, body: bytes) -> None:
        """A piece of the body; what goes beyond `ANSWER_BYTES_MAX` is not read."""
        self._body += body[: ANSWER_BYTES_MAX - len(self._body)]
        if len(self._body) >= ANSWER_BYTES_MAX:
            self.close()
            _settle(self._finished)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if not self._status or self._parser is None:
            return
        if not self._parser.should_keep_alive():
            self.close()
        _settle(self._finished)

    def _end(self) -> None:
        """Nothing more comes."""
        if self._status:
            _settle(self._finished)
        else:
            self._fail("cut_off")

    def _fail(self, word: str) -> None:
        self.close()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ExchangeError(word))
        _settle(self._finished)


def _settle(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)
