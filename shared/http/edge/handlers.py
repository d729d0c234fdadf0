"""Turns every exception that reaches the edge into a problem document."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from shared.bus.interface import BusUnavailableError
from shared.http.edge.bodies import pointer_part
from shared.http.problems import (
    Problem,
    ProblemError,
    dependency_unavailable,
    from_status,
    internal_error,
    invalid_request,
    malformed_json,
)
from shared.http.shapes import with_hints
from shared.postgres.faults import is_database_away, is_unstorable
from shared.telemetry.metrics import DEPENDENCY_FAILURES, UNHANDLED_ERRORS

ERRORS_MAX = 100
"""A body with more errors than this is told of the first ones."""

_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}

log = structlog.get_logger()


def install_handlers(app: FastAPI) -> None:
    """Answer problems, refused requests and the router's own refusals as problem documents."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)


def problem_for(error: Exception, route: str) -> Problem:
    """The problem for an exception that nobody handled: a dependency that is away, or a fault of ours, logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BusUnavailableError) or is_database_away(error):
        DEPENDENCY_FAILURES.labels(route).inc()
        log.warning("dependency_unavailable", route=route, reason=type(error).__name__)
        return dependency_unavailable()
    if is_unstorable(error):
        # A type at the border should have refused it with a pointer; the log says where one is missing.
        log.error("unstorable_value", route=route, exc_info=error)
        return invalid_request(detail="A value in the request cannot be stored.")
    UNHANDLED_ERRORS.labels(route).inc()
    log.error("unhandled_error", route=route, exc_info=error)
    return internal_error()


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and isinstance(error.__cause__, ValueError | RecursionError):
        return malformed_json().response()  # not UTF-8, or nested beyond reason
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed(request))}
    return from_status(error.status_code, error.detail, headers).response()


def _allowed(request: Request) -> list[str]:
    """The methods of all routes with the request's path: the router names only those of the first."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in getattr(route, "methods", None) or ()})


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(each["type"] == "json_invalid" for each in errors):
        return malformed_json(_json_detail(errors)).response()
    if isinstance(error.body, bytes) and not _is_json(request.headers.get("content-type")):
        return _unsupported_media_type().response()
    body = getattr(request.scope.get("route"), "body_field", None)
    shown = (
        errors[:ERRORS_MAX] if body is None else with_hints(errors[:ERRORS_MAX], body.field_info.annotation)
    )
    return invalid_request(*(_error(each) for each in shown)).response()


def _error(error: Mapping[str, Any]) -> ProblemError:
    place, *parts = error["loc"]
    code = _CODES.get(error["type"], error["type"])
    detail = "is required" if code == "required" else str(error["msg"])
    if place == "body":
        return ProblemError("".join(pointer_part(part) for part in parts), code, detail)
    return ProblemError("", code, detail, parameter=".".join(str(part) for part in parts))


def _json_detail(errors: Sequence[Any]) -> str:
    context = errors[0].get("ctx", {})
    return f"The body is not valid JSON: {context.get('error', 'it cannot be read')} (at {errors[0]['loc'][-1]})."


def _is_json(content_type: str | None) -> bool:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _unsupported_media_type() -> Problem:
    return Problem(
        415,
        "unsupported_media_type",
        "Unsupported media type",
        "Send the body as JSON with the header Content-Type: application/json.",
        headers={"Accept-Post": "application/json"},
    )
