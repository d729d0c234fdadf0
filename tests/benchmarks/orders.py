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
    count: int, *, run: str, customers: int = CUSTOMERS, step: timedelta = timedelta(seconds=1)
) -> list[dict[str, Any]]:
    """So many orders of two lines each, over so many customers of this run, a step apart, ending now."""
    random = Random(run)
    start = datetime.now(UTC) - count * step
    return [
        _order(number, f"{run}-{random.randrange(customers)}", start + number * step, run)
        for number in range(count)
    ]


def orders_going_on(count: int, *, run: str, each: int, step: timedelta) -> list[dict[str, Any]]:
    """So many orders more of the shop's population, a step apart, beginning now.

    One more customer comes with each `each`-th order, and one no longer does: so first orders, upgrades and milestones
    keep coming at the rate at which they came while `CUSTOMERS` made `each` orders each.
    """
    random = Random(run)
    start = datetime.now(UTC)
    return [
        _order(
            number,
            f"{POPULATION}-{number // each + 1 + random.randrange(CUSTOMERS)}",
            start + number * step,
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
