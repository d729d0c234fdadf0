"""A load client that costs little: prebuilt HTTP/1.1 requests over kept connections.

httpx would spend more of a core than the servers under test; both sides share the machine.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.stack import HEADERS


@dataclass
class Result:
    """Answers by status, and the time each took, in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers of 2xx per second."""
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return good / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many percent of the answers did not exceed."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def request(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of a GET, or of a POST when there is a body."""
    parts = urlsplit(url)
    method = "GET" if body is None else "POST"
    lines = [
        f"{method} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in {**HEADERS, **(headers or {})}.items()),
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Connection:
    """One kept connection to a server."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(*self._address, limit=1 << 22)

    async def send(self, message: bytes) -> tuple[int, bytes]:
        """The status and body of the answer."""
        self._writer.write(message)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        start = lowered.find(b"content-length:")
        body = b""
        if start >= 0:
            length = int(lowered[start + 15 : lowered.index(b"\r\n", start)])
            body = await self._reader.readexactly(length)
        return status, body

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def drive(url: str, messages: Iterable[bytes], connections: int) -> Result:
    """Send all messages over so many connections, each one waiting for its answer before the next."""
    parts = urlsplit(url)
    result = Result()
    queue: Iterator[bytes] = iter(messages)

    async def one() -> None:
        connection = Connection(parts.hostname or "", parts.port or 80)
        await connection.open()
        for message in queue:
            start = time.perf_counter()
            status, body = await connection.send(message)
            result.latencies_s.append(time.perf_counter() - start)
            result.statuses[status] = result.statuses.get(status, 0) + 1
            if status >= 400 and result.statuses[status] == 1:
                print(f"{url} answered {status}: {body[:500]!r}")
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    result.seconds = time.perf_counter() - start
    return result
