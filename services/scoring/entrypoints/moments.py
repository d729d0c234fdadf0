"""`?at=`: answers about one customer are given as of any moment; those about many tell of now, and refuse it."""

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.params import Depends as Dependency

from shared.http.problems import ProblemError, invalid_request
from shared.http.types import Instant

At = Annotated[
    Instant | None, Query(description="Show it as it stood at this moment (RFC 3339); now if left out.")
]

ONE_BY_ONE = "ask for each customer: GET /v1/customers/{customer}?at=…"


def _refuse(remedy: str) -> Dependency:
    def refuse(request: Request) -> None:
        if "at" in request.query_params:
            detail = f"is for answers about one customer; this one tells of now: {remedy}"
            raise invalid_request(ProblemError("", "not_as_of", detail, parameter="at"))

    made: Dependency = Depends(refuse)
    return made


NOT_AS_OF = _refuse(ONE_BY_ONE)
"""A dependency of routes about many customers: `at` is refused, where it would seem to have been heeded."""

NO_METRICS_AS_OF = _refuse("the days until then are `to`, and the customer's own figures " + ONE_BY_ONE)
"""The same for sums over days."""

NO_ALERTS_AS_OF = _refuse("with state=all each alert says when it was raised and closed")
"""The same for alerts, which keep only the last who took them on."""
