"""What a stream worker shows of itself on `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

LAG = Gauge("regulars_consumer_lag", "Records that wait to be handled", ["topic", "partition"])
POSITION = Gauge("regulars_consumer_position", "Offset that is handled next", ["topic", "partition"])
UNREAD_SECONDS = Gauge(
    "regulars_partition_unread_seconds",
    "For how long records of a partition have waited without any being handled, whichever worker should read it",
    ["topic", "partition"],
)
BATCH_SECONDS = Histogram(
    "regulars_batch_seconds",
    "Seconds from a batch's first statement to its commit",
    ["topic"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
BATCH_RECORDS = Histogram(
    "regulars_batch_records",
    "Records handled in one transaction",
    ["topic"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000),
)
DEAD_LETTERS = Counter("regulars_dead_letters_total", "Records set aside", ["topic"])
RETRIES = Counter("regulars_batch_retries_total", "Attempts that failed with a transient fault", ["topic"])
RELAYED = Counter("regulars_relayed_records_total", "Records published from an outbox or spool", ["log"])
