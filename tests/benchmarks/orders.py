"""The orders that the benchmarks post."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

CUSTOMERS = 2_000
POPULATION = "shop"
"""The customers of (b), whom (c) goes on with."""


def order_events(
    count: int,
    *,
    run: str,
    customers: int = CUSTOMERS,
    population: str | None = None,
    newcomer_every: int = 0,
) -> list[dict[str, Any]]:
    """So many orders of two lines each, over so many customers, a second apart, ending now.

    The customers are `run`'s own, or those of `population`. With `newcomer_every` of n, one more of them comes with
    each n-th order and one no longer does: so the first orders, upgrades and milestones keep coming as they came
    while so many customers made n orders each.
    """
    random = Random(run)
    start = datetime.now(UTC) - timedelta(seconds=count)
    customer = population or run
    return [
        _order(
            number,
            f"{customer}-{random.randrange(customers) + (number // newcomer_every + 1 if newcomer_every else 0)}",
            start + timedelta(seconds=number),
            run,
        )
        for number in range(count)
    ]


def _order(number: int, customer: str, moment: datetime, run: str) -> dict[str, Any]:
    return {
        "id": f"order-{run}-{number}",
        "source": "benchmark",
        "type": "order.completed",
        "time": moment.isoformat(),
        "data": {
            "customer": {"id": customer, "email": f"{customer}@example.com"},
            "order_id": f"{run}-{number}",
            "currency": "USD",
            "total": "49.20",
            "channel": "web",
            "coupon": None,
            "lines": [
                {"sku": "A-1", "name": "Mug", "category": "Kitchen", "quantity": 2, "unit_price": "12.30"},
                {"sku": "B-7", "name": "Tea", "category": "Food", "quantity": 4, "unit_price": "6.15"},
            ],
        },
    }


def bodies(events: list[dict[str, Any]], batch: int) -> Iterator[bytes]:
    """The events as request bodies: single events for `batch` 1, else arrays."""
    if batch == 1:
        for event in events:
            yield json.dumps(event).encode()
        return
    rest = iter(events)
    while chunk := list(islice(rest, batch)):
        yield json.dumps(chunk).encode()
