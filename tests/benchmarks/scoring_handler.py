"""How much CPU the handler of scoring takes per event, on a real embedded PostgreSQL.

python -m tests.benchmarks.scoring_handler [events] [customers] [batch]     add PROFILE=1 for where the time goes
"""

import cProfile
import os
import pstats
import sys
import time
from datetime import timedelta

import uvloop
from sqlalchemy import text

from shared.bus.records import Incoming
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC
from shared.postgres.engine import create_engine
from tests.benchmarks.score_parts import BESIDE_ORDERS
from tests.integration.scoring.world import World
from tests.support.database import embedded_server
from tests.support.life import moment, record


def orders(events: int, customers: int) -> list[bytes]:
    """Orders of so many customers in turn, about one a day and customer, each with two lines and an e-mail address."""
    lines = [
        {"sku": f"SKU-{n}", "name": "A thing", "category": "Things", "quantity": n, "unit_price": "12.30"}
        for n in (1, 3)
    ]
    made = []
    for number in range(events):
        who = number % customers
        data = {
            "order_id": f"order-{number}",
            "currency": "USD",
            "total": "49.20",
            "channel": "web",
            "coupon": None,
            "lines": lines,
        }
        names = {"id": f"{who:032x}", "email": f"e{who:031x}"}
        made.append(
            encode(
                record(
                    "order.completed",
                    moment(seconds=number * 86_400 // customers),
                    data,
                    id=f"order-{number}",
                    identifiers=names,
                    sealed="x" * 120,
                    sealed_fields=["customer.id", "customer.email"],
                )
            )
        )
    return made


def mixed(events: int, customers: int) -> list[bytes]:
    """The same number of events of which two in three are orders and the others of nine kinds."""
    more = list(BESIDE_ORDERS.items())
    made = orders(events, customers)
    for number in range(2, events, 3):
        kind, data = more[number // 3 % len(more)]
        who = number % customers
        at = moment(seconds=number * 86_400 // customers)
        names = {"id": f"{who:032x}", "email": f"e{who:031x}"}
        made[number] = encode(record(kind, at, {**data}, id=f"other-{number}", identifiers=names))
    return made


async def feed(url: str, values: list[bytes], batch: int) -> float:
    """Feed everything and print the figures; answers events a second."""
    engine = create_engine(url, role="regulars_scoring")
    world = World(engine, moment(400))
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
    profile = cProfile.Profile() if os.environ.get("PROFILE") else None
    if profile:
        profile.enable()
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(values), batch):
        incoming = [
            Incoming(EVENTS_TOPIC, 0, start + n, "k", value)
            for n, value in enumerate(values[start : start + batch])
        ]
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
            await world.take_in(connection, incoming, world.now + timedelta(microseconds=start))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    count = len(values)
    print(
        f"{count} events in batches of {batch}: {count / wall:,.0f} a second,"
        f" {cpu / count * 1e6:.1f} us Python CPU and {wall / count * 1e6:.1f} us in all each"
    )
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        rows = await connection.execute(
            text(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, pg_total_relation_size(relid)"
                " FROM pg_stat_user_tables WHERE n_tup_ins > 0 ORDER BY 5 DESC LIMIT 8"
            )
        )
        for row in rows:
            print("  ", *row)
    await engine.dispose()
    return count / wall


def main() -> None:
    """Run with the numbers of the command line."""
    given = [int(argument) for argument in sys.argv[1:]]
    events, customers, batch = [*given, *[20_000, 2_000, 500][len(given) :]]
    values = orders(events, customers)
    with embedded_server() as databases:

        async def run() -> None:
            async with databases.fresh() as url:
                await feed(url, values, batch)

        uvloop.run(run())


if __name__ == "__main__":
    main()
