"""What comes over the wire: no HTTP at all, heads that do not end, offers of other protocols, clients that leave."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from prometheus_client import REGISTRY

from shared.http.edge import wire
from shared.process import new_event_loop
from tests.support.http import service, serving

BODY = b'{"customer": "ana", "points": 5}'
HEAD = b"POST /spend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(
    BODY
)
SPEND = HEAD + b"\r\n" + BODY
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
LAST = GET + b"Connection: close\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
NO_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"get /livez HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/9.9\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    GET + b"no colon\r\n\r\n",
    GET + b"A: \x00\r\n\r\n",
    SPEND.replace(b"Length: ", b"Length: -"),
    SPEND.replace(b"Length: ", b"Length: 99999999999999999999"),
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + BODY,
    HEAD.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
    b"CONNECT shop.example:80 HTTP/1.1\r\nHost: x\r\n\r\n",
]


class Line:
    """A connection, and all that comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def leave(self) -> None:
        self._writer.write_eof()

    async def all(self) -> bytes:
        """What comes until the server hangs up."""
        async with asyncio.timeout(20):
            return await self._reader.read()

    async def statuses(self) -> list[int]:
        """Of the answers that come until the server hangs up."""
        return [int(part[:3]) for part in (await self.all()).split(b"HTTP/1.1 ")[1:]]


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(service()) as client:
        assert client.base_url.port is not None
        yield client.base_url.port


@pytest.mark.parametrize("sent", NO_HTTP)
async def test_what_is_no_http_is_refused_with_a_problem(port: int, sent: bytes) -> None:
    """Given a server; when something comes that is no request; then a problem says so, and it hangs up."""
    async with line_to(port) as line:
        line.send(sent)
        head, _, body = (await line.all()).partition(b"\r\n\r\n")

    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert f"x-request-id: {problem['request_id']}".encode() in head
    assert (problem["status"], problem["code"]) == (400, "malformed_request")


async def test_nonsense_behind_a_request_does_not_hide_its_answer(port: int) -> None:
    """Given a request with something behind it that is none; then the request is answered as ever, before it hangs up:
    nobody is told that it was refused."""
    async with line_to(port) as line:
        line.send(SPEND + SPEND + b"\x00nonsense\r\n")
        assert await line.statuses() == [201, 201]


@pytest.mark.parametrize("pieces", [1, 40, 10_000])
async def test_an_offer_of_another_protocol_is_passed_over(port: int, pieces: int) -> None:
    """Given a client that offers HTTP/2, as Java's does; when it posts, in pieces of any size, and asks more; then its
    body is read, and all is answered in HTTP/1.1."""
    sent = HEAD + OFFER + b"\r\n" + BODY + GET + OFFER + b"\r\n" + SPEND + LAST
    async with line_to(port) as line:
        for start in range(0, len(sent), pieces):
            line.send(sent[start : start + pieces])
            await asyncio.sleep(0)
        assert await line.statuses() == [201, 200, 201, 200]


async def test_any_number_of_offers_behind_each_other_are_passed_over(port: int) -> None:
    """Given hundreds of requests in one piece, each of which offers another protocol; then each is answered."""
    async with line_to(port) as line:
        line.send((GET + b"Connection: upgrade\r\nUpgrade: a\r\n\r\n") * 700 + LAST)
        assert await line.statuses() == [200] * 701


async def test_a_head_that_does_not_end_is_refused(port: int) -> None:
    """Given a client that sends headers and no end of them; then 431, long before they fill the memory."""
    async with line_to(port) as line:
        line.send(GET)
        await asyncio.sleep(0.05)
        for _ in range(8):
            line.send(b"A: " + b"a" * 10_000 + b"\r\n")
        assert await line.statuses() == [431]


async def test_large_heads_in_one_piece_are_not_taken_for_endless_ones(port: int) -> None:
    """Given many requests at once, of which the last is cut; when its rest comes; then all are answered."""
    async with line_to(port) as line:
        requests = (GET + b"A: " + b"a" * 5_000 + b"\r\n\r\n") * 20
        line.send(requests + LAST[:20])
        await asyncio.sleep(0.2)
        line.send(LAST[20:])
        assert await line.statuses() == [200] * 21


async def test_a_head_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given clients that say nothing, or begin and stop; when their time is over; then the one is hung up, and
    told 408; an answer that takes longer than that is not cut off."""
    monkeypatch.setattr(wire, "HEAD_S", 0.2)
    monkeypatch.setattr(wire, "SILENT_S", 0.3)
    async with (
        line_to(port) as silent,
        line_to(port) as slow,
        line_to(port) as blank,
        line_to(port) as next_one,
    ):
        slow.send(GET[:-7])
        blank.send(b"\r\n\r\n")
        next_one.send(GET + b"\r\n" + GET[:-7])
        assert await silent.all() == b""
        assert await slow.statuses() == [408]
        assert await blank.all() == b""
        assert await next_one.statuses() == [200, 408]


def test_a_client_that_leaves_is_no_fault_of_ours() -> None:
    """Given a client that asks many things at once and leaves; when the second is answered; then that goes nowhere, and
    counts as no failure of the server."""

    async def story() -> None:
        app, answered, numbers = service(), asyncio.Event(), count(1)

        @app.get("/late")
        async def late() -> str:
            await asyncio.sleep(0.1)
            if next(numbers) == 2:
                asyncio.get_running_loop().call_later(0.1, answered.set)
            return "late"

        async with serving(app) as client, line_to(client.base_url.port or 0) as line:
            line.send((GET.replace(b"livez", b"late") + b"\r\n") * 3)
            line.leave()
            await asyncio.wait_for(answered.wait(), 20)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:  # the loop of our processes
        runner.run(story())
    assert not REGISTRY.get_sample_value("regulars_http_unhandled_errors_total", {"route": "/late"})
