"""`?at=`: answers about one customer are given as of any moment; those about many tell of now, and refuse it."""

from typing import Final

ONE_BY_ONE = "ask for each customer: GET /v1/customers/{customer}?at=…"
_OF_NOW = "is for answers about one customer; this one tells of now: "
_SUMS = f"{_OF_NOW}the days until then are `to`, and the customer's own figures {ONE_BY_ONE}"

NOT_AS_OF: Final = {
    "/v1/": _OF_NOW + ONE_BY_ONE,
    "/v1/metrics": _SUMS,
    "/v1/cohorts": _SUMS,
    "/v1/completeness": _SUMS,
    "/v1/alerts": _OF_NOW + "with state=all each alert says when it was raised and closed",
}
"""What the routes say that heed no `at`; alerts keep only the last who took them on."""
