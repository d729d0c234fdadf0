"""Receivers of webhooks as they come in life: good ones, and those that hang, cut off, drip, or answer nonsense."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from standardwebhooks import Webhook

Act = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """A server on a real socket; `act` answers, and may be exchanged at any time."""

    act: Act
    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://{self.host}:{self.port}/hook"

    def ids(self) -> list[str]:
        """The `webhook-id` of each request."""
        return [request.headers["webhook-id"] for request in self.requests]

    async def until(self, count: int, timeout_s: float = 10.0) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(timeout_s), self._came:
            await self._came.wait_for(lambda: len(self.requests) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while request := await _read(reader):
                self.requests.append(request)
                async with self._came:
                    self._came.notify_all()
                await self.act(request, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


def answers(status: int = 204, body: bytes = b"", **headers: str) -> Act:
    """An ordinary answer. Header names are written with underscores."""

    async def act(_: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return act


def writes(*pieces: bytes, pause_s: float = 0.0, close: bool = True) -> Act:
    """Raw bytes, with a pause between, then the end of the connection."""

    async def act(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if close:
            writer.close()

    return act


async def hangs(_: Request, __: asyncio.StreamWriter) -> None:
    """Never an answer."""
    await asyncio.sleep(3_600)


@asynccontextmanager
async def receiving(act: Act | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver(act or answers(), scheme="https" if tls else "http")
    open_tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(receiver._serve(reader, writer))
        open_tasks.add(task)
        task.add_done_callback(open_tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(open_tasks):
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


def verified(secret: str, request: Request) -> object:
    """What a receiver makes of a request with the library of Standard Webhooks; the clock is the test's, so the time
    is checked apart."""
    webhook = Webhook(secret)
    at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = webhook.sign(request.headers["webhook-id"], at, request.body.decode())
    assert expected in request.headers["webhook-signature"].split(" ")
    return msgspec.json.decode(request.body)
