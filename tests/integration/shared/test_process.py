"""Processes: how they start, how they end, and what their exit code says."""

import asyncio
import contextlib
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.http import free_port, service, serving

CLIENT_TIMEOUT_S = 60
LEAVES_EARLY = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
LEAVES_IN_MID_BODY = b"POST /spend HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"


@contextlib.asynccontextmanager
async def process(kind: str, port: int) -> AsyncIterator[Process]:
    """The trial process, killed at the end if it is still there."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.shared.trial_process",
        kind,
        str(port),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def until_alive(port: int) -> None:
    """Wait until the process answers."""
    async with asyncio.timeout(CLIENT_TIMEOUT_S), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/livez")
                return
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


async def slow_request(client: httpx.AsyncClient, port: int) -> "asyncio.Task[httpx.Response]":
    """A request that takes a second, being answered at this moment."""
    request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
    while (await client.get(f"http://127.0.0.1:{port}/slow-ones")).json() == 0:  # noqa: ASYNC110  # in another process
        await asyncio.sleep(0.01)
    return request


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_in_flight_finishes_when_the_process_is_stopped(number: signal.Signals) -> None:
    """Given a request that takes a second; when the process is told to stop; then it is answered whole, code 0."""
    port = free_port()
    async with process("api", port) as api, httpx.AsyncClient(timeout=CLIENT_TIMEOUT_S) as client:
        await until_alive(port)
        request = await slow_request(client, port)
        api.send_signal(number)
        answer = await request
        async with asyncio.timeout(20):
            out, err = await api.communicate()

    assert answer.json() == "whole"
    assert api.returncode == 0
    assert b'"event":"stopping"' in out
    assert err == b""


async def test_a_second_signal_ends_the_process_at_once() -> None:
    """Given a process that finishes a request; when told to stop twice; then it answers 503 and ends."""
    port = free_port()
    async with process("api", port) as api, httpx.AsyncClient(timeout=CLIENT_TIMEOUT_S) as client:
        await until_alive(port)
        request = await slow_request(client, port)
        api.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        api.send_signal(signal.SIGTERM)
        answer = await request
        async with asyncio.timeout(20):
            await api.communicate()

    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert api.returncode == 1


async def test_a_port_in_use_ends_the_process_with_a_code() -> None:
    """Given a port that is taken; when the process starts; then it ends non-zero and says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with process("api", taken.getsockname()[1]) as api, asyncio.timeout(CLIENT_TIMEOUT_S):
            out, _ = await api.communicate()

    assert api.returncode == 1
    assert b"address already in use" in out


async def test_a_worker_serves_health_and_finishes_its_batch() -> None:
    """Given a worker; when told to stop; then it was healthy, finishes what it does, and ends with code 0."""
    port = free_port()
    async with process("worker", port) as worker, httpx.AsyncClient() as client:
        await until_alive(port)
        ready = await client.get(f"http://127.0.0.1:{port}/readyz")
        metrics = await client.get(f"http://127.0.0.1:{port}/metrics")
        worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            out, _ = await worker.communicate()

    assert ready.status_code == 200
    assert "regulars_loop_lag_seconds" in metrics.text
    assert worker.returncode == 0
    assert b"batch finished" in out


@pytest.mark.parametrize("kind", ["crash", "return"])
async def test_a_worker_whose_loop_ends_takes_the_process_with_it(kind: str) -> None:
    """Given a worker whose loop raises or returns; when it does; then the process ends non-zero, logged cleanly."""
    async with process(kind, free_port()) as worker, asyncio.timeout(CLIENT_TIMEOUT_S):
        out, _ = await worker.communicate()

    assert worker.returncode == 1
    assert b"process_failed" in out
    assert b"ana@example.com" not in out


async def test_a_client_that_hangs_up_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Given clients that leave before the answer and in mid-body; when they do; then no error is logged."""
    app = service()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.2)
        return "x" * 1_000_000

    async with serving(app) as client:
        port = client.base_url.port
        for request in (LEAVES_EARLY, LEAVES_IN_MID_BODY):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.4)

    written = capsys.readouterr().out
    assert '"level":"error"' not in written
    assert '"level":"warning"' not in written
    assert '"status":499' in written


async def test_what_is_not_http_is_refused_and_harms_nothing() -> None:
    """Given bytes that are no HTTP, and a NUL in a header; when sent; then 400, and the next request is answered."""
    async with serving(service()) as client:
        for junk in (
            b"\x00\x01\x02\r\n\r\n",
            b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\x00b\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            writer.write(junk)
            assert b" 400 " in await reader.readline()
            writer.close()
            await writer.wait_closed()

        assert (await client.get("/livez")).status_code == 200
