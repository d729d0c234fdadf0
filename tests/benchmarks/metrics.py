"""How long metrics take over many orders: counting them anew, answering, and what noting costs the stream.

python -m tests.benchmarks.metrics [orders] [customers]     1,000,000 and 50,000 if left out
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import uvloop
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.adapters.copying import copy
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.domain.state import State, encode_state
from services.scoring.wiring.api import create_app
from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from shared.contracts.codec import encode
from shared.postgres.engine import create_engine
from shared.program import program_text
from shared.program.parse import load_program
from shared.settings import Settings
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.database import embedded_server
from tests.support.life import event, moment

DAYS = 730
NOW = moment(DAYS)
SEGMENTS = list(load_program(program_text(None)).segments)
CHUNK = 500
ORDER_COLUMNS = [
    "customer_id", "order_id", "event_key", "placed_at", "currency", "total", "refunded", "cancelled",
]  # fmt: skip
ASKED = (
    "/v1/metrics",
    "/v1/metrics?from=2024-06",
    "/v1/metrics?segment=vip",
    "/v1/metrics?by=segment",
    "/v1/cohorts?from=2024-06",
    "/v1/completeness",
)


def lives(
    customers: int, orders: int
) -> Iterator[tuple[str, State, str, list[tuple[datetime, str, str, bytes]]]]:
    """Customers with id, state, segments, and (time, order id, key, record) of their orders; seeded."""
    random = Random(1)
    each = orders // customers
    for number in range(customers):
        begin = random.uniform(0, DAYS - 30)
        told = []
        for count in range(each):
            at = moment(begin + (DAYS - begin) * random.random())
            lines = [{"sku": f"S-{random.randrange(500)}", "quantity": 1, "unit_price": "24.60"}] * 2
            data = {"order_id": f"{number}-{count}", "currency": "USD", "total": "49.20", "lines": lines}
            made = event("order.completed", at, data)
            told.append((made.at, f"{number}-{count}", made.key, encode(made.record)))
        state = State(events=each, first_at=min(told)[0], orders=each, profile={"customer.email": ""})
        yield f"cus_{number:024d}", state, " ".join(random.sample(SEGMENTS, 8)), told


async def fill(engine: AsyncEngine, customers: int, orders: int) -> None:
    """Write customers, orders and timelines, without the handler."""
    made = lives(customers, orders)
    while chunk := [one for _, one in zip(range(CHUNK), made, strict=False)]:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
            columns = ["id", "state", "stage", "orders", "spend", "segments", "updated_at"]
            rows = [(id_, encode_state(state), "active", 1, 1, names, NOW) for id_, state, names, _ in chunk]
            await copy(connection, "customers", columns, rows)
            columns = [
                "customer_id",
                "order_id",
                "event_key",
                "placed_at",
                "currency",
                "total",
                "refunded",
                "cancelled",
            ]
            placed = [
                (id_, order_id, bytes.fromhex(key), at, "USD", "49.20", 0, False)
                for id_, _, _, told in chunk
                for at, order_id, key, _ in told
            ]
            await copy(connection, "orders", ORDER_COLUMNS, placed)
            columns = ["customer_id", "at", "event_key", "type", "subject", "record"]
            events = [
                (id_, at, bytes.fromhex(key), "order.completed", "s", record.decode())
                for id_, _, _, told in chunk
                for at, _, key, record in told
            ]
            await copy(connection, "timeline", columns, events)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE scoring.orders, scoring.timeline, scoring.customers")


async def count(world: World, orders: int) -> None:
    """Count everybody anew."""
    async with world.engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        await world.stale.note_all(connection, NOW)
    wall, cpu = time.perf_counter(), time.process_time()
    await world.roll_up(NOW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sums = await world.rows(
        "SELECT count(*), sum(orders) FILTER (WHERE segment = '') FROM scoring.metric_sums"
    )
    print(
        f"counted anew: {orders:,} orders in {wall:.1f} s, {cpu / orders * 1e6:.1f} us Python each; sums: {sums[0]}"
    )


async def ask(url: str, engine: AsyncEngine, home: Path) -> None:
    """Ask everything twenty times."""
    settings = Settings(database_url=url, secret=SecretStr("x" * 40), home=home, partitions=4)
    clock = ManualClock()
    clock.set(NOW)
    async with engine.begin() as connection:
        made = await create_key(connection, name="b", scopes=frozenset(Scope), now=NOW, expires_at=None)
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {made.token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://b", headers=headers) as client:
            for path in ASKED:
                took = []
                for _ in range(20):
                    begin = time.perf_counter()
                    answer = await client.get(path)
                    took.append((time.perf_counter() - begin) * 1e3)
                    assert answer.status_code == 200, answer.text
                print(f"{path}: median {sorted(took)[10]:.1f} ms, slowest {max(took):.1f} ms")


async def note(engine: AsyncEngine) -> None:
    """What a note of 500 customers costs a batch."""
    stale = PostgresStale()
    who = {f"cus_{number:024d}": NOW + timedelta(seconds=number) for number in range(CHUNK)}
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        begin = time.perf_counter()
        for _ in range(200):
            await stale.note(connection, who, NOW)
        took = (time.perf_counter() - begin) / 200
        await connection.rollback()
    print(f"a note of {CHUNK} customers: {took * 1e3:.2f} ms, {took / CHUNK * 1e6:.2f} us each")


async def run(url: str, orders: int, customers: int) -> None:
    """Everything."""
    engine = create_engine(url, role="regulars_scoring")
    owner = create_engine(url, role=None)
    begin = time.perf_counter()
    await fill(owner, customers, orders)
    print(f"{orders:,} orders of {customers:,} customers written in {time.perf_counter() - begin:.0f} s")
    await count(World(engine, NOW), orders)
    with tempfile.TemporaryDirectory() as home:
        await ask(url, owner, Path(home))
    await note(engine)
    await engine.dispose()
    await owner.dispose()


def main() -> None:
    """Run with the numbers of the command line."""
    given = [int(argument) for argument in sys.argv[1:]]
    orders, customers = [*given, *[1_000_000, 50_000][len(given) :]]
    with embedded_server() as databases:

        async def on_a_database() -> None:
            async with databases.fresh() as url:
                await run(url, orders, customers)

        uvloop.run(on_a_database())


if __name__ == "__main__":
    main()
