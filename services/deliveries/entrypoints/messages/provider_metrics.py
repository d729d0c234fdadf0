"""What is measured of providers."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "regulars_provider_attempts_total",
    "Messages given to providers, by how it ended: sent, or the code of refusing or putting off.",
    ["channel", "result"],
)
SECONDS = Histogram(
    "regulars_provider_seconds",
    "How long a provider took with a message.",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75),
)
OPEN = Gauge(
    "regulars_provider_circuit_open",
    "1 while a provider is left alone because it is in trouble. The same in every worker.",
    ["channel"],
)
SUPPRESSED = Counter(
    "regulars_addresses_suppressed_total",
    "Addresses that a provider said are no good: nothing more is sent to them.",
    ["channel"],
)
