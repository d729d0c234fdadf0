"""(h) How fast history is simulated: orders of a year, under the default program and one that gives double, and under
one that differs from it everywhere.

python -m tests.benchmarks.simulation [activities] [customers] [processes]     alone
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from random import Random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.application.simulation.simulating import Task
from services.rewards.entrypoints.simulation.preparing import SLICES
from services.rewards.entrypoints.simulation.simulator import LETTERS, simulate_in_processes, slices
from shared.contracts.activity import Activity, Facts
from shared.contracts.codec import encode
from shared.postgres.engine import create_engine
from shared.program import program_text
from tests.benchmarks.report import Figure
from tests.support.stack import running

ACTIVITIES = 200_000
ACTIVITIES_PER_CUSTOMER = 20
START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
FILL = 20_000
COLUMNS = ("customer_id", "number", "taken_at", "record")
GOAL_PER_S = 1_000_000 / 60
"""A million activities in a minute, on two cores."""
DOUBLE = (("points_per_unit: 1}", "points_per_unit: 2}"),)
PROPOSED = {
    "points alone differ": DOUBLE,
    "everything differs": (*DOUBLE, ("at: 200.01", "at: 150"), ("America/New_York", "Europe/Berlin")),
}
"""What the proposed program says instead. With tiers and days of its own nothing is played once for both."""


def history(activities: int, customers: int) -> Iterator[tuple[object, ...]]:
    """Rows of orders over a year: two lines each, facts as a customer has them after some orders."""
    random = Random(7)
    names = ["cus_" + "".join(random.choices(LETTERS, k=24)) for _ in range(customers)]
    for number in range(activities):
        at = START + YEAR * number / activities
        customer = random.choice(names)
        yield customer, number, at, encode(_order(number, customer, at))


def _order(number: int, customer: str, at: datetime) -> Activity:
    line = {"category": "Kitchen", "quantity": 2, "unit_price": "12.30"}
    return Activity(
        id=blake2b(str(number).encode(), digest_size=16).hexdigest(),
        customer_id=customer,
        type="order.completed",
        time=at,
        received=at,
        facts=Facts(
            currency="USD",
            events=5,
            orders=3,
            orders_12m=3,
            spend=Decimal("147.60"),
            spend_30d=Decimal("49.20"),
            spend_12m=Decimal("147.60"),
            first_order_at=START,
            last_order_at=at,
            order_interval_days=20.5,
            stage="active",
            score=61,
            segments=["active-customers", "repeat"],
        ),
        source="benchmark",
        event_id=f"order-{number}",
        data={
            "order_id": str(number),
            "currency": "USD",
            "total": "49.20",
            "channel": "web",
            "lines": [{"sku": "A-1", "name": "Mug", **line}, {"sku": "B-7", "name": "Tea", **line}],
        },
    )


async def fill(engine: AsyncEngine, activities: int, customers: int) -> None:
    """Store the history as the stream would have left it."""
    rows = history(activities, customers)
    async with engine.begin() as connection:
        for month in range(13):
            at = START + timedelta(days=31 * month)
            await connection.execute(text("SELECT rewards.add_activity_month(:at)"), {"at": at})
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        while chunk := list(islice(rows, FILL)):
            await driver.copy_records_to_table(
                "activities", schema_name="rewards", records=chunk, columns=COLUMNS
            )
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE rewards.activities"))


async def simulation(activities: int = ACTIVITIES, customers: int = 0, processes: int = 0) -> list[Figure]:
    """Activities simulated a second, on an embedded PostgreSQL of its own."""
    async with running("postgres", services=()) as stack:
        url = stack.postgres.url
        engine = create_engine(url, role="regulars_rewards")
        await fill(engine, activities, customers or activities // ACTIVITIES_PER_CUSTOMER)
        await engine.dispose()
        figures = []
        for name, changes in PROPOSED.items():
            rate = await _rate(url, activities, changes, processes or os.cpu_count() or 1)
            words = f"(h) history simulated, two programs: {name}"
            figures.append(Figure(words, rate, "activities/s", goal=round(GOAL_PER_S)))
    return figures


async def _rate(url: str, activities: int, changes: Sequence[tuple[str, str]], processes: int) -> float:
    live = proposed = program_text(None)
    for before, after in changes:
        assert before in proposed
        proposed = proposed.replace(before, after)
    task = Task(
        live=live,
        live_version=1,
        proposed=proposed,
        since=None,
        until=START + YEAR,
        end=activities,
        slices=slices(SLICES),
        families=[],
        owners={},
        apart=[],
    )
    began = time.perf_counter()
    found = await simulate_in_processes(url, "regulars_rewards", task, processes)
    took_s = time.perf_counter() - began
    assert found.contrast.activities == activities
    assert found.contrast.proposed.earned == 2 * found.contrast.live.earned > 0
    return activities / took_s


if __name__ == "__main__":
    for figure in asyncio.run(simulation(*(int(word) for word in sys.argv[1:]))):
        print(f"{figure.what}: {figure.value:,.0f} {figure.unit}")
