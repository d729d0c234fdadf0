"""What ingest counts. Labels have few values, and never one that may be personal."""

import re
from collections import Counter as Counts
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

from services.ingest.application.accepting import Rejection, Taken
from shared.bus.records import Outgoing
from shared.contracts.catalogue import CATALOGUE, CUSTOM_PREFIX

ACCEPTED = Counter("regulars_ingest_events_accepted_total", "Events taken.", ["type"])
REJECTED = Counter("regulars_ingest_events_rejected_total", "Events refused, by their first fault.", ["code"])
UNKNOWN = Counter(
    "regulars_ingest_unknown_fields_total", "Keys that the catalogue does not know.", ["type", "field"]
)
SPOOL_DEPTH = Gauge("regulars_ingest_spool_depth", "Events that wait in the spool for Kafka.")
SPOOLING = Gauge("regulars_ingest_spooling", "1 while this process puts events into the spool.")
PUBLISH_SECONDS = Histogram(
    "regulars_ingest_publish_seconds",
    "Time until a batch was durable.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
PUBLISH_RECORDS = Histogram(
    "regulars_ingest_publish_records", "Events in one publish.", buckets=(1, 5, 20, 100, 500, 2000, 5000)
)

FIELDS_PER_TYPE_MAX = 30
"""Unknown keys that get a label of their own, per event type; later ones are counted as `other`."""

_HARMLESS = re.compile(r"[a-z][a-z0-9_\[\].]{0,49}\Z", re.IGNORECASE)
_counters: dict[str, Counter] = {}
_labelled: dict[str, set[str]] = {}


def count_taken(taken: Taken) -> None:
    """Count what a request brought."""
    for type_, count in taken.accepted.items():
        _accepted(type_).inc(count)
    for (type_, field), count in taken.unknown.items():
        label = type_label(type_)
        UNKNOWN.labels(label, _field_label(label, field)).inc(count)
    if taken.rejected:
        count_refused(taken.rejected)


def count_refused(rejected: Iterable[Rejection]) -> None:
    """Count what was refused."""
    for code, count in Counts(each.faults[0].code for each in rejected).items():
        REJECTED.labels(code).inc(count)


def type_label(type_: str) -> str:
    """The event type as a label: the shop's own types share one."""
    return f"{CUSTOM_PREFIX}*" if type_.startswith(CUSTOM_PREFIX) else type_


def measured(
    publish: Callable[[Sequence[Outgoing]], Awaitable[None]],
) -> Callable[[Sequence[Outgoing]], Awaitable[None]]:
    """The same `publish`, its batches and durations recorded."""

    async def publish_measured(records: Sequence[Outgoing]) -> None:
        started = perf_counter()
        await publish(records)
        PUBLISH_SECONDS.observe(perf_counter() - started)
        PUBLISH_RECORDS.observe(len(records))

    return publish_measured


def _accepted(type_: str) -> Counter:
    counter = _counters.get(type_)
    if counter is None:
        counter = ACCEPTED.labels(type_label(type_))
        if type_ in CATALOGUE:  # the shop's own types are without number
            _counters[type_] = counter
    return counter


def _field_label(type_: str, field: str) -> str:
    known = _labelled.setdefault(type_, set())
    if field in known:
        return field
    if len(known) < FIELDS_PER_TYPE_MAX and _HARMLESS.match(field):
        known.add(field)
        return field
    return "other"
