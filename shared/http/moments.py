"""`?at=`: answers about one customer as of any moment. Where `at` is not heeded it is refused: an answer about now
would seem to be one about then."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Query, Request
from fastapi.routing import APIRoute

from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import Instant

At = Annotated[
    Instant | None, Query(description="Show it as it stood at this moment (RFC 3339); now if left out.")
]


def not_as_of(detail: str) -> Problem:
    """The problem that an answer cannot be given for a moment."""
    return invalid_request(ProblemError("", "not_as_of", detail, parameter="at"))


def refuse_unheeded_at(request: Request) -> None:
    """Raise the 422 problem if the request names `at` and its route does not declare it, whatever the method.

    `app.state.not_as_of` says by the beginning of a path what to ask instead; the longest counts, and where there is
    none `at` is passed over. Who asks without `at` pays a look at the query. For `Guard.admit`, which every route that
    needs a key goes through, also those that go round the framework.
    """
    query = request.scope["query_string"]
    if not query or "at" not in parse_qs(query.decode("latin-1"), keep_blank_values=True):
        return
    path: str = request.scope["path"]
    told = [begin for begin in request.app.state.not_as_of if path.startswith(begin)]
    route = request.scope["route"]
    if told and isinstance(route, APIRoute) and not _heeds_at(route):
        raise not_as_of(request.app.state.not_as_of[max(told, key=len)])


def _heeds_at(route: APIRoute) -> bool:
    return any(parameter.alias == "at" for parameter in route.dependant.query_params)
