"""Direct routes: what callers see is what FastAPI would have answered."""

import unicodedata
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import REGISTRY
from pydantic import TypeAdapter, ValidationError

from shared.http.direct import DirectRoute, read_body
from shared.http.problems import not_found
from shared.http.types import ShortText
from tests.support.http import client_of, service


class AwayError(Exception):
    """What a service has a handler for."""


class FarAwayError(AwayError):
    """A kind of it."""


async def _say_away(_: Request, error: Exception) -> Response:
    return Response(type(error).__name__, 503)


def app_with_direct_routes() -> FastAPI:
    """The trial service with `POST /direct`, which fails as its body says, and `/direct/{part}`."""
    app = service()
    router = APIRouter(route_class=DirectRoute)

    @router.post("/direct")
    async def direct(request: Request) -> Response:
        match body := await read_body(request.receive):
            case b"problem":
                raise not_found("Nothing here.")
            case b"invalid":
                raise RequestValidationError([{"type": "missing", "loc": ("body", "points"), "msg": ""}])
            case b"fault":
                raise LookupError
            case b"away":
                raise FarAwayError
            case _:
                return Response(body, 201)

    @router.post("/direct/{part}")
    async def part(request: Request) -> Response:
        return Response(request.path_params["part"])

    @app.post("/framework")
    async def framework() -> None:
        raise FarAwayError

    app.include_router(router)
    app.add_exception_handler(AwayError, _say_away)
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with client_of(app_with_direct_routes()) as client:
        yield client


def answered(status: int) -> float:
    """How many answers of this status the metrics count for the route."""
    labels = {"method": "POST", "route": "/direct", "status": str(status)}
    return REGISTRY.get_sample_value("regulars_http_request_seconds_count", labels) or 0.0


async def test_it_answers_and_is_counted_by_its_route(client: httpx.AsyncClient) -> None:
    """Given a direct route; when it is asked; then its answer comes, with a request id, and the metrics name it."""
    before = answered(201)
    answer = await client.post("/direct", content=b"hello")

    assert (answer.status_code, answer.content) == (201, b"hello")
    assert answer.headers["x-request-id"]
    assert answered(201) == before + 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"problem", 404, "not_found"), (b"invalid", 422, "invalid_request"), (b"fault", 500, "internal_error")],
)
async def test_what_it_raises_is_answered_as_elsewhere(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    """Given a problem, a refused body and a fault of ours; when raised; then each is its problem document, and
    counted."""
    before = answered(status)
    answer = await client.post("/direct", content=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answered(status) == before + 1


@pytest.mark.parametrize("path", ["/direct", "/framework"])
async def test_a_kind_of_an_error_is_answered_like_that_error(client: httpx.AsyncClient, path: str) -> None:
    """Given a handler for an error; when a kind of that error is raised; then it answers, here and elsewhere."""
    answer = await client.post(path, content=b"away")
    assert (answer.status_code, answer.text) == (503, "FarAwayError")


async def test_other_methods_and_paths_go_to_the_framework(client: httpx.AsyncClient) -> None:
    """Given a direct route; when it is asked by another method, with a slash too many, or with a parameter in its path;
    then 405, 404, and the parameter's answer."""
    other = await client.put("/direct", content=b"hello")

    assert (other.status_code, other.json()["code"]) == (405, "method_not_allowed")
    assert other.headers["allow"] == "POST"
    assert (await client.post("/direct/", content=b"hello")).status_code == 404
    assert (await client.post("/direct/one", content=b"")).text == "one"


def test_a_line_has_no_character_of_unicodes_controls() -> None:
    """Given every character of the first planes; when it is part of a short text; then it is refused exactly when
    Unicode calls it a control."""
    short = TypeAdapter(ShortText)

    def is_refused(character: str) -> bool:
        try:
            short.validate_python(f"a{character}")
        except ValidationError:
            return True
        return False

    controls = {chr(code) for code in range(0x3000) if unicodedata.category(chr(code)) == "Cc"}
    assert {chr(code) for code in range(0x3000) if is_refused(chr(code))} == controls
