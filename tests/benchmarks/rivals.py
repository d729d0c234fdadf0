"""What (b) is measured against: the consumer that one would write by hand, and the rows alone."""

import json
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from tests.benchmarks.orders import bodies, order_events

SCHEMA = """
    DROP SCHEMA IF EXISTS rival CASCADE;
    CREATE SCHEMA rival;
    CREATE TABLE rival.log (id bigserial PRIMARY KEY, value text);
    CREATE TABLE rival.position (one int PRIMARY KEY, id bigint);
    INSERT INTO rival.position VALUES (1, 0);
    CREATE TABLE rival.inbox (source text, id text, PRIMARY KEY (source, id));
    CREATE TABLE rival.customers (
        id text PRIMARY KEY, orders int, spend numeric, points bigint, tier text, last_order_at timestamptz);
    CREATE TABLE rival.orders (
        customer text, id text, at timestamptz, total numeric, body text, PRIMARY KEY (customer, id));
    CREATE INDEX ON rival.orders (customer, at);
    CREATE TABLE rival.ledger (id bigserial PRIMARY KEY, customer text, order_id text UNIQUE, points bigint);
    CREATE TABLE rival.lots (
        customer text, order_id text, expires_at timestamptz, remaining bigint, PRIMARY KEY (customer, order_id));
    CREATE TABLE rival.offers (customer text, milestone text, code text, PRIMARY KEY (customer, milestone));
"""


async def one_transaction_an_event(url: str, orders: int) -> float:
    """Orders/s of a hand-written consumer: one transaction an event, the least that gives the same answer.

    It reads a log row, notes the event, keeps order and customer, posts points and their lot, looks at tier and
    milestone, and moves its position. No HTTP, no sealing, no score, no stages, no rules that can be changed.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        values = [(body.decode(),) for body in bodies(order_events(orders, run="rival"), 1)]
        await connection.copy_records_to_table("log", schema_name="rival", columns=["value"], records=values)
        start = time.perf_counter()
        for _ in range(orders):
            async with connection.transaction():
                await _consume_one(connection)
        seconds = time.perf_counter() - start
        assert await connection.fetchval("SELECT count(*) FROM rival.ledger") == orders
        return orders / seconds
    finally:
        await connection.execute("DROP SCHEMA IF EXISTS rival CASCADE")
        await connection.close()


async def _consume_one(connection: Any) -> None:
    position, value = await connection.fetchrow(
        """SELECT l.id, l.value FROM rival.log l
        WHERE l.id > (SELECT id FROM rival.position WHERE one = 1 FOR UPDATE) ORDER BY l.id LIMIT 1"""
    )
    event = json.loads(value)
    data = event["data"]
    customer, order, total = data["customer"]["id"], data["order_id"], Decimal(data["total"])
    at = datetime.fromisoformat(event["time"])
    await connection.execute("UPDATE rival.position SET id = $1 WHERE one = 1", position)
    fresh = await connection.fetchval(
        "INSERT INTO rival.inbox VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
        event["source"],
        event["id"],
    )
    if fresh is None:
        return
    points = int(total)
    await connection.execute(
        "INSERT INTO rival.orders VALUES ($1, $2, $3, $4, $5)", customer, order, at, total, value
    )
    count = await connection.fetchval(
        """INSERT INTO rival.customers VALUES ($1, 1, $2, $3, 'member', $4) ON CONFLICT (id) DO UPDATE SET
        orders = customers.orders + 1, spend = customers.spend + excluded.spend,
        points = customers.points + excluded.points, last_order_at = excluded.last_order_at RETURNING orders""",
        customer,
        total,
        points,
        at,
    )
    await connection.execute(
        "INSERT INTO rival.ledger (customer, order_id, points) VALUES ($1, $2, $3)", customer, order, points
    )
    await connection.execute(
        "INSERT INTO rival.lots VALUES ($1, $2, CAST($3 AS timestamptz) + interval '12 months', $4)",
        customer,
        order,
        at,
        points,
    )
    year = await connection.fetchval(
        """SELECT sum(total) FROM rival.orders
        WHERE customer = $1 AND at > CAST($2 AS timestamptz) - interval '12 months'""",
        customer,
        at,
    )
    await connection.execute(
        "UPDATE rival.customers SET tier = $2 WHERE id = $1 AND tier <> $2",
        customer,
        "gold" if year > 200 else "member",
    )
    if count == 5:
        await connection.execute("INSERT INTO rival.offers VALUES ($1, 'fifth', md5($1))", customer)


async def copy_limit(url: str, batch: int = 1000, orders: int = 10_000) -> float:
    """Orders/s when the rows that Regulars wrote for its orders are written again, by COPY alone.

    Every table that grew takes its share of rows, into an empty copy with the same indexes and constraints, in
    batches, one transaction a batch over all tables, on one connection.
    """
    connection = await asyncpg.connect(url)
    try:
        copies = await _rows_of_all_tables(connection, batch, orders)
        start = time.perf_counter()
        for number in range(max(len(batches) for _, batches in copies)):
            async with connection.transaction():
                for copy, batches in copies:
                    if number < len(batches):
                        rows = batches[number]
                        await connection.copy_records_to_table(
                            copy, schema_name="limits", records=rows, columns=list(rows[0].keys())
                        )
        return orders / (time.perf_counter() - start)
    finally:
        await connection.execute("DROP SCHEMA IF EXISTS limits CASCADE")
        await connection.close()


async def _rows_of_all_tables(connection: Any, batch: int, orders: int) -> list[tuple[str, list[list[Any]]]]:
    """For each table an empty copy, and the rows that belong to so many orders, cut into batches."""
    written = int(await connection.fetchval("SELECT count(*) FROM rewards.purchases"))
    await connection.execute("DROP SCHEMA IF EXISTS limits CASCADE; CREATE SCHEMA limits")
    tables = await connection.fetch(
        """SELECT schemaname, relname FROM pg_stat_user_tables
        WHERE schemaname IN ('platform', 'scoring', 'rewards') AND relname <> 'schema_version'"""
    )
    copies = []
    for schema, name in tables:
        full = f'"{schema}"."{name}"'
        count = int(await connection.fetchval(f"SELECT count(*) FROM {full}"))
        share = min(count, round(orders * count / written))
        if share == 0:
            continue
        copy = f"{schema}_{name}"
        await connection.execute(f'CREATE TABLE limits."{copy}" (LIKE {full} INCLUDING ALL)')
        rows = await connection.fetch(f"SELECT * FROM {full} LIMIT {share}")
        per_batch = max(1, -(-share * batch // orders))
        copies.append((copy, [rows[at : at + per_batch] for at in range(0, share, per_batch)]))
    return copies
