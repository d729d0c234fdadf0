"""Instruments that every service has. One process, one registry: `/metrics` shows this process alone."""

from prometheus_client import Counter, Gauge, Histogram

REQUEST_SECONDS = Histogram(
    "regulars_http_request_seconds",
    "Time from the first byte of a request to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)

UNHANDLED_ERRORS = Counter(
    "regulars_http_unhandled_errors_total", "Requests answered 500: each one is a bug.", ["route"]
)

DEPENDENCY_FAILURES = Counter(
    "regulars_http_dependency_failures_total",
    "Requests answered 503 because a dependency was away.",
    ["route"],
)

LOOP_LAG_SECONDS = Gauge(
    "regulars_loop_lag_seconds",
    "How late the event loop woke at the last look: time spent computing without a pause.",
)
