"""What every answer must be, whatever was asked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.property.routes.requests import Operation, Request

PROBLEM = "application/problem+json"
OF_BODIES = {400, 413}
"""What a body may be refused with where none is described."""
MISSING = {"required", "missing"}
"""Codes of what is not there."""


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> Any:
        """The body, by the letter of the standard."""
        return json.loads(self.body, parse_constant=_refuse)


def faults_of(answer: Answer, request: Request) -> Iterator[str]:
    """What is wrong with an answer to a request."""
    operation = request.operation
    documented = operation.described["responses"].get(str(answer.status))
    if answer.status >= 500 and (answer.status != 503 or "retry-after" not in answer.headers):
        yield "the server failed"
    if documented is None and (operation.body or answer.status not in OF_BODIES):
        yield f"the document knows no {answer.status} here"
    if "x-request-id" not in answer.headers:
        yield "the request has no id"
    if answer.status >= 400 and "text/html" in (documented or {}).get("content", ()):
        if answer.media_type != "text/html":
            yield f"{answer.media_type} is no page"
    elif answer.status >= 400:
        yield from faults_of_problem(answer, request)
    elif documented is not None:
        yield from _faults_of_success(answer, operation, documented)


def faults_of_problem(answer: Answer, request: Request | None = None) -> Iterator[str]:
    """What a refusal lacks of a problem document that says where to look."""
    if answer.media_type != PROBLEM:
        yield f"{answer.media_type} is no problem document"
        return
    problem = answer.json()
    for name, kind in (("type", str), ("title", str), ("status", int), ("code", str), ("request_id", str)):
        if not isinstance(problem.get(name), kind):
            yield f"the problem has no {name}"
    if problem.get("status") != answer.status:
        yield "the problem tells of another status"
    if problem.get("request_id") != answer.headers.get("x-request-id"):
        yield "the problem tells of another request"
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        yield "nothing says how to authenticate"
    errors = problem.get("errors", [])
    if answer.status == 422 and not errors and "detail" not in problem:
        yield "nothing says what is wrong"
    if problem.get("code") == "invalid_request" and not errors:
        yield "nothing says where it is wrong"
    for error in errors:
        if not error.get("code") or not error.get("detail") or ("pointer" in error) == ("parameter" in error):
            yield f"{error} does not say where or what"
        if "pointer" in error and request is not None:
            yield from _faults_of_pointer(error, request.body)


def _faults_of_pointer(error: dict[str, str], body: bytes) -> Iterator[str]:
    """A pointer must lead to something that was sent; to something missing, at least its parent must."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    parts = [part.replace("~1", "/").replace("~0", "~") for part in error["pointer"].split("/")[1:]]
    for part in parts[:-1] if error["code"] in MISSING else parts:
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (LookupError, TypeError, ValueError):
            yield f"{error} points nowhere"
            return


def _faults_of_success(answer: Answer, operation: Operation, documented: dict[str, Any]) -> Iterator[str]:
    content = documented.get("content", {})
    if answer.status == 204 and answer.body:
        yield "there is a body where there cannot be one"
    if not content or answer.status == 204:
        return
    if answer.media_type not in content:
        yield f"the document knows no {answer.media_type} here"
    elif answer.media_type.endswith("json"):
        yield from operation.schemas.faults(answer.json(), content[answer.media_type].get("schema", {}))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
