"""Errors over HTTP: RFC 9457 problem documents with a stable `code`.

Raise `Problem` anywhere below a route; the application answers it. Bodies carry the id of the request, never the
values that were refused, which may be personal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from shared.telemetry.context import current_request_id

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemError:
    """One thing that is wrong with a request.

    `pointer` is a JSON pointer into the body ("" is the body itself); for what is not in the body, `parameter` names
    the path or query parameter or the header.
    """

    pointer: str
    code: str
    detail: str
    parameter: str | None = None

    def document(self) -> dict[str, str]:
        """The entry of `errors[]`."""
        place = {"pointer": self.pointer} if self.parameter is None else {"parameter": self.parameter}
        return {**place, "code": self.code, "detail": self.detail}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818  # the name of the thing in RFC 9457
    """A refusal that the caller is meant to read.

    `code` is stable and part of the API; `title` is the same for every problem with that code; `detail` speaks of
    this one. `extra` adds members to the document, such as the balance that was too small.
    """

    status: int
    code: str
    title: str
    detail: str | None = None
    errors: Sequence[ProblemError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}"

    def document(self) -> dict[str, Any]:
        """The problem document, in the order in which one reads it."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [error.document() for error in self.errors]
        request_id = current_request_id()
        if request_id is not None:
            document["request_id"] = request_id
        return {**document, **{name: value for name, value in self.extra.items() if name not in document}}

    def response(self) -> Response:
        """The answer that carries this problem."""
        return Response(
            msgspec.json.encode(self.document()),
            status_code=self.status,
            headers=dict(self.headers),
            media_type=MEDIA_TYPE,
        )


def invalid_request(*errors: ProblemError, detail: str = "The request is not valid.") -> Problem:
    """422: the request is understood and its content is not acceptable; each error says where."""
    return Problem(422, "invalid_request", "Invalid request", detail, errors)


def malformed_json(detail: str = "The body is not valid JSON.") -> Problem:
    """400: the body could not be read as JSON at all."""
    return Problem(400, "malformed_json", "Malformed JSON", detail)


def not_found(detail: str | None = None) -> Problem:
    """404: nothing is there."""
    return Problem(404, "not_found", "Not found", detail)


def dependency_unavailable(
    detail: str = "A part of the system is away. Try again soon.", retry_after_s: int = 2
) -> Problem:
    """503: the database or the bus is away; the outcome of a write is unknown, so repeat it with the same identity."""
    return Problem(
        503,
        "dependency_unavailable",
        "Dependency unavailable",
        detail,
        headers={"Retry-After": str(retry_after_s)},
    )


def internal_error() -> Problem:
    """500: our fault; the log has the traceback under the request id."""
    return Problem(
        500, "internal_error", "Internal error", "Something failed on our side; it has been logged."
    )


_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}


def from_status(status: int, detail: str | None, headers: Mapping[str, str] | None) -> Problem:
    """The problem for a bare HTTP status, as the router raises them."""
    phrase = HTTPStatus(status).phrase
    code = _CODES.get(status, phrase.lower().replace(" ", "_").replace("-", "_"))
    said = None if detail == phrase else detail
    return Problem(status, code, phrase.capitalize(), said, headers=headers or {})
