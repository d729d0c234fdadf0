"""The edge: request ids, body limits, deadlines, failures, metrics, access log."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY
from starlette.requests import Request

from shared.bus.interface import BusUnavailableError
from shared.http.deadline import Deadlines, extend_deadline
from shared.http.edge.access import AccessLog
from shared.http.edge.boundary import Boundary
from shared.http.problems import Problem
from shared.telemetry import logs
from tests.support.http import client_of, service

LIMIT = 2 * 1024 * 1024


async def test_a_request_id_is_given_back() -> None:
    """Given a caller with an id of its own; when it asks; then the answer carries the same."""
    async with client_of(service()) as client:
        answer = await client.get("/nowhere", headers={"X-Request-Id": "abc-1.2_3"})

    assert answer.headers["x-request-id"] == "abc-1.2_3"


@pytest.mark.parametrize("given", ["", 'a"b', "x" * 129, "a b"])
async def test_a_request_id_that_could_forge_log_lines_is_replaced(given: str) -> None:
    """Given an id with odd characters; when asked; then the answer carries one of ours."""
    async with client_of(service()) as client:
        answer = await client.get("/nowhere", headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 24


async def test_a_body_at_the_limit_passes() -> None:
    """Given exactly 2 MiB; when posted; then it is read."""
    async with client_of(service()) as client:
        answer = await client.post("/raw", content=b"x" * LIMIT)

    assert answer.json() == {"bytes": LIMIT}


async def test_a_body_above_the_limit_is_refused_by_its_length() -> None:
    """Given a byte more, declared; when posted; then 413."""
    async with client_of(service()) as client:
        answer = await client.post("/raw", content=b"x" * (LIMIT + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_above_the_limit_is_refused_in_chunks() -> None:
    """Given a stream that does not say its length; when it passes the limit; then 413."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    async with client_of(service()) as client:
        answer = await client.post("/raw", content=stream())

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """Given a client that sends half a body and then nothing; when the time is over; then 408, and the connection
    ends."""
    sent: list[MutableMapping[str, Any]] = []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> MutableMapping[str, Any]:
        return parts.pop() if parts else await asyncio.get_running_loop().create_future()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def never(*_: object) -> None:
        pytest.fail("the body is not whole")

    headers = [(b"content-type", b"application/json"), (b"content-length", b"50")]
    scope = {"type": "http", "method": "POST", "path": "/raw", "query_string": b"", "headers": headers}
    deadlines = Deadlines()
    edge = Boundary(never, access=AccessLog("trial", enabled=False), deadlines=deadlines, body_s=0.05)

    async with asyncio.timeout(5):
        await edge(scope, receive, send)
    deadlines.stop()

    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "body_too_slow"


def failing(error: Exception) -> FastAPI:
    """A service with a route that raises."""
    app = service()

    @app.get("/fail/{customer}")
    async def fail(customer: str) -> None:
        raise error

    return app


async def test_a_fault_of_ours_is_a_500_problem_that_tells_nothing() -> None:
    """Given a route with a bug; when asked; then a problem with the request id, without the bug's text."""
    async with client_of(failing(RuntimeError("ana@example.com owes 5"))) as client:
        answer = await client.get("/fail/c-1")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "ana" not in answer.text


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        FileNotFoundError(2, "no such socket"),
        TimeoutError(),
        BusUnavailableError("Kafka"),
        ConnectionResetError(),
    ],
)
async def test_a_dependency_that_is_away_is_a_503_with_retry_after(error: Exception) -> None:
    """Given the database or the bus away; when a route needs it; then 503 with Retry-After."""
    async with client_of(failing(error)) as client:
        answer = await client.get("/fail/c-1")

    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_ordinary_os_error_is_not_taken_for_a_dependency() -> None:
    """Given a disk that is full; when a route meets it; then it is our fault: 500."""
    async with client_of(failing(PermissionError(13, "no"))) as client:
        answer = await client.get("/fail/c-1")

    assert answer.status_code == 500


async def test_half_a_surrogate_that_reached_the_database_is_refused() -> None:
    """Given text that UTF-8 cannot hold, past the border; when it fails to encode; then 422."""
    try:
        "\ud800".encode()
    except UnicodeEncodeError as error:
        caught = error
    async with client_of(failing(caught)) as client:
        answer = await client.get("/fail/c-1")

    assert answer.status_code == 422


async def test_a_problem_carries_its_headers_and_extra_members() -> None:
    """Given a refusal with a balance; when raised; then both are in the answer."""
    problem = Problem(
        409,
        "insufficient_points",
        "Too few points",
        headers={"X-A": "b"},
        extra={"available": 3, "code": "no"},
    )
    async with client_of(failing(problem)) as client:
        answer = await client.get("/fail/c-1")

    assert answer.json()["available"] == 3
    assert answer.json()["code"] == "insufficient_points"
    assert answer.headers["x-a"] == "b"


def waiting() -> FastAPI:
    """A service with a deadline of 0.2 s and routes that take longer."""
    app = service(deadline_s=0.2)

    @app.get("/hang")
    async def hang() -> None:
        await asyncio.sleep(30)

    @app.get("/long")
    async def long(request: Request) -> dict[str, bool]:
        extend_deadline(request, 5)
        await asyncio.sleep(0.5)
        return {"done": True}

    return app


async def test_a_request_past_its_deadline_is_answered_503() -> None:
    """Given a route that waits for something that never comes; when the deadline passes; then 503."""
    async with asyncio.timeout(3), client_of(waiting()) as client:
        answer = await client.get("/hang")

    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")


async def test_a_route_may_take_longer_when_it_says_so() -> None:
    """Given a route that extends its deadline; when it takes longer; then it is answered."""
    async with client_of(waiting()) as client:
        answer = await client.get("/long")

    assert answer.json() == {"done": True}


async def test_a_cancelled_request_stays_cancelled() -> None:
    """Given a request that the server cancels; when it unwinds; then it is not taken for a deadline."""
    async with client_of(waiting()) as client:
        task = asyncio.create_task(client.get("/hang"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def requests_seen(method: str, route: str, status: int) -> float:
    """How many requests the metrics have counted."""
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("regulars_http_request_seconds_count", labels) or 0.0


async def test_metrics_name_the_template_of_the_route() -> None:
    """Given a path with a customer; when asked; then the metrics know the template, not the customer."""
    before = requests_seen("GET", "/customers/{customer}", 200)
    async with client_of(service()) as client:
        await client.get("/customers/c-42")
        metrics = (await client.get("/metrics")).text

    assert requests_seen("GET", "/customers/{customer}", 200) == before + 1
    assert "c-42" not in metrics


@pytest.mark.parametrize("options", [{}, {"prefix": "/v9"}])
async def test_metrics_name_the_whole_template_of_an_included_route(options: dict[str, str]) -> None:
    """Given a router, taken in with or without a prefix; when asked; then the whole template is counted."""
    app = service()
    router = APIRouter(prefix="/inner")

    @router.get("/thing/{number}")
    async def thing(number: int) -> int:
        return number

    app.include_router(router, **options)  # type: ignore[arg-type]
    route = options.get("prefix", "") + "/inner/thing/{number}"
    before = requests_seen("GET", route, 200)
    async with client_of(app) as client:
        answer = await client.get(route.format(number=7))

    assert answer.json() == 7
    assert requests_seen("GET", route, 200) == before + 1


async def test_the_access_log_has_one_line_without_the_customer(capsys: pytest.CaptureFixture[str]) -> None:
    """Given logging; when a customer is asked for; then one JSON line says so without naming them."""
    logs.configure("trial", "info")
    async with client_of(service()) as client:
        await client.get("/customers/ana@example.com?q=ana", headers={"X-Request-Id": "r-1"})

    written = capsys.readouterr().out
    [line] = [json.loads(each) for each in written.splitlines() if '"request"' in each]
    assert line["route"] == "/customers/{customer}"
    assert line["request_id"] == "r-1"
    assert line["status"] == 200
    assert "ana" not in written


async def test_a_failure_is_logged_with_frames_but_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a bug whose message holds an address; when it is logged; then places are there, the address is not."""
    logs.configure("trial", "info")
    async with client_of(failing(ValueError("no such 'ana' <ana@example.com>"))) as client:
        await client.get("/fail/c-1", headers={"X-Request-Id": "r-2"})

    written = capsys.readouterr().out
    [line] = [json.loads(each) for each in written.splitlines() if "unhandled_error" in each]
    assert line["request_id"] == "r-2"
    assert line["exception"][0]["type"] == "ValueError"
    assert any("test_boundary" in frame for frame in line["exception"][0]["frames"])
    assert "ana" not in written


def scope_of(method: str, path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A request as a server hands it to the application."""
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "server": ("trial", 80),
        "headers": list(headers),
    }  # fmt: skip


async def test_a_request_leaves_no_rings_behind() -> None:
    """Given requests that are over; when the collector looks; then nothing waited for it: rings cost 20 µs each."""
    app = service()
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    async with app.router.lifespan_context(app):
        await app(scope_of("GET", "/customers/c-1"), receive, send)
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                await app(scope_of("GET", "/customers/c-1"), receive, send)
            unreachable = gc.collect()
        finally:
            gc.enable()

    assert statuses.count(200) == 51
    assert unreachable < 50


async def test_a_client_that_leaves_while_sending_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a client that disconnects in mid-body; when noticed; then nothing is answered, no error logged."""
    logs.configure("trial", "info")
    app = service()
    messages = iter(
        [{"type": "http.request", "body": b'{"a', "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: object) -> None:
        sent.append(message)

    scope = scope_of("POST", "/spend", (b"content-length", b"30"), (b"content-type", b"application/json"))
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)  # type: ignore[arg-type]

    assert sent == []
    assert '"error"' not in capsys.readouterr().out
