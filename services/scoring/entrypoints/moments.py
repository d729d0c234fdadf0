"""`?at=`: answers about one customer are given as of any moment; those about many tell of now, and refuse it."""

from shared.http.moments import At, refuse_at

__all__ = ["NOT_AS_OF", "NO_ALERTS_AS_OF", "NO_METRICS_AS_OF", "At"]

ONE_BY_ONE = "ask for each customer: GET /v1/customers/{customer}?at=…"
_OF_NOW = "is for answers about one customer; this one tells of now: "

NOT_AS_OF = refuse_at(_OF_NOW + ONE_BY_ONE)
"""A dependency of routes about many customers: `at` is refused, where it would seem to have been heeded."""

NO_METRICS_AS_OF = refuse_at(
    f"{_OF_NOW}the days until then are `to`, and the customer's own figures {ONE_BY_ONE}"
)
"""The same for sums over days."""

NO_ALERTS_AS_OF = refuse_at(_OF_NOW + "with state=all each alert says when it was raised and closed")
"""The same for alerts, which keep only the last who took them on."""
