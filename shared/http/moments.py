"""`?at=`: answers about one customer as of any moment. Where `at` is not heeded it is refused: an answer about now
would seem to be one about then."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.params import Depends as Dependency

from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import Instant

At = Annotated[
    Instant | None, Query(description="Show it as it stood at this moment (RFC 3339); now if left out.")
]


def not_as_of(detail: str) -> Problem:
    """The problem that an answer cannot be given for a moment."""
    return invalid_request(ProblemError("", "not_as_of", detail, parameter="at"))


def refuse_at(detail: str) -> Dependency:
    """A dependency of routes, or of a whole router: those that do not declare `at` refuse it."""

    # Asynchronous, else FastAPI has a thread do it, at the price of several statements.
    async def refuse(request: Request) -> None:
        if "at" not in request.query_params or request.method != "GET":
            return
        declared = request.scope["route"].dependant.query_params
        if all(parameter.alias != "at" for parameter in declared):
            raise not_as_of(detail)

    made: Dependency = Depends(refuse)
    return made
