"""How long a preview takes over many customers: python -m tests.benchmarks.preview [customers]."""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import text

from services.scoring.adapters.copying import copy
from services.scoring.adapters.segments.memberships import encode_facts
from services.scoring.adapters.segments.previews import Previews
from shared.contracts.activity import Facts
from shared.postgres.engine import create_engine
from shared.program.conditions.condition import Condition, Scope
from tests.support.database import embedded_server

RULES = (
    "customer.orders == 1",
    "customer.spend_30d >= 500",
    "customer.stage == 'lapsed' && customer.spend > 1000",
    "customer.spend_percentile >= 80 && customer.recency_percentile >= 80 && customer.orders_percentile >= 60",
    "customer.last_order_at < timestamp('2026-01-01T00:00:00Z') || customer.score < 20",
    "'friction' in customer.tags && !(customer.stage in ['lapsed', 'at_risk'])",
    "customer.spend_30d > customer.spend_12m",
    "customer.spend * 2 >= 100000 && customer.orders > 95",
    "customer.spend / customer.orders >= 75",
)
START = datetime(2025, 1, 1, tzinfo=UTC)


def population(count: int) -> Iterator[tuple[str, str]]:
    """Ids and stored facts of so many customers, seeded."""
    draw = Random(4)
    for number in range(count):
        orders = min(100, int(draw.paretovariate(1.1)))
        first = START + timedelta(seconds=draw.randrange(31_536_000))
        last = first + timedelta(seconds=draw.randrange(20_000_000))
        spend = Decimal(draw.randrange(1000, 8000) * orders).scaleb(-2)
        yield (
            f"cus_{number:024x}",
            encode_facts(
                Facts(
                    currency="USD",
                    events=orders + 2,
                    orders=orders,
                    orders_12m=orders // 2,
                    spend=spend,
                    spend_12m=spend / 2,
                    spend_30d=spend / 8,
                    first_event_at=first,
                    last_event_at=last,
                    first_order_at=first,
                    last_order_at=last,
                    order_interval_days=draw.random() * 90 if orders > 1 else None,
                    stage=draw.choice(["onboarding", "active", "at_risk", "lapsed"]),
                    score=draw.randrange(100),
                    spend_percentile=draw.randrange(100),
                    orders_percentile=draw.randrange(100),
                    recency_percentile=draw.randrange(100),
                    tags=["friction"] if draw.random() < 0.05 else [],
                )
            ),
        )


async def measure(url: str, count: int) -> None:
    """Fill the table, then ask each rule three times and print the best and the worst."""
    engine = create_engine(url, role="regulars_scoring", pool_size=2)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        block = list(population(count))
        await copy(connection, "facts", ["customer_id", "facts"], block)
    admin = create_engine(url, role=None, pool_size=1)
    async with admin.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
            text("VACUUM ANALYZE scoring.facts")
        )
        size = await connection.scalar(text("SELECT pg_relation_size('scoring.facts')"))
    print(f"{count} customers, {(size or 0) / 2**20:.0f} MiB of facts")
    for rule in RULES:
        condition = Condition.compile(rule, Scope(event=None, nested=True))
        took = []
        for _ in range(3):
            begin = time.perf_counter()
            async with engine.begin() as connection:
                found = await Previews().of(connection, condition)
            took.append(time.perf_counter() - begin)
        print(f"{min(took):6.2f} s (worst {max(took):.2f})  {found.count:8}  {rule}")
    await engine.dispose()
    await admin.dispose()


def main() -> None:
    """Run with the number of customers of the command line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with embedded_server() as databases:

        async def run() -> None:
            async with databases.fresh() as url:
                await measure(url, count)

        asyncio.run(run())


if __name__ == "__main__":
    main()
