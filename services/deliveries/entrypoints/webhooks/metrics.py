"""What is measured of webhooks."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "regulars_webhook_attempts_total",
    "Tries to send a webhook, by how they ended: delivered, refused (another status), timeout, connection_refused, …",
    ["result"],
)
TOOK_S = Histogram(
    "regulars_webhook_attempt_seconds",
    "How long a try took.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20),
)
DELAY_S = Histogram(
    "regulars_webhook_delay_seconds",
    "From when a webhook was put in the queue until it was delivered.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3_600, 21_600, 86_400, 345_600),
)
ENDPOINTS = Gauge(
    "regulars_webhook_endpoints",
    "Endpoints: enabled, failing (of those, since their last success), disabled. The same in every worker.",
    ["state"],
)
DISABLED = Counter(
    "regulars_webhook_endpoints_disabled_total",
    "Endpoints that were disabled because they failed for days, or said that they are gone.",
    ["reason"],
)
