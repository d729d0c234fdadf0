"""`?at=`: answers about one customer as of any moment. Where `at` is not heeded it is refused: an answer about now
would seem to be one about then."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Query
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import Instant

At = Annotated[
    Instant | None, Query(description="Show it as it stood at this moment (RFC 3339); now if left out.")
]


def not_as_of(detail: str) -> Problem:
    """The problem that an answer cannot be given for a moment."""
    return invalid_request(ProblemError("", "not_as_of", detail, parameter="at"))


class RefuseAt:
    """Refuses `at` for every route that does not declare it, whatever the method. `details` says by the beginning of a
    path what to ask instead; the longest counts, and other paths heed no such thing.

    It stands before the routes, so that one which goes round the framework cannot pass `at` over either. Who asks
    without `at` pays a look at the query.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], details: Mapping[str, str]) -> None:
        self._app = app
        self._routes = routes
        self._details = sorted(details.items(), key=lambda each: -len(each[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "http" and scope["query_string"] and self._details:
            detail = self._refusal(scope)
            if detail is not None:
                await not_as_of(detail).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        if "at" not in parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True):
            return None
        detail = next((said for path, said in self._details if scope["path"].startswith(path)), None)
        route = next((one for one in self._routes if one.matches(scope)[0] is Match.FULL), None)
        if detail is None or not isinstance(route, APIRoute) or _heeds_at(route):
            return None
        scope["route"] = route
        return detail


def _heeds_at(route: APIRoute) -> bool:
    return any(parameter.alias == "at" for parameter in route.dependant.query_params)
