"""What (b) is measured against: the consumer one would write by hand, and the rows alone."""

import time
from decimal import Decimal

import asyncpg

from tests.benchmarks.orders import order_events


async def one_transaction_an_event(url: str, orders: int) -> float:
    """Orders/s of a hand-written consumer: one transaction an event, the least that is right.

    Inbox, customer, order, ledger entry and balance; no score, no stages, no rules, no bus in front.
    """
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            """
            DROP SCHEMA IF EXISTS rival CASCADE;
            CREATE SCHEMA rival;
            CREATE TABLE rival.inbox (source text, id text, PRIMARY KEY (source, id));
            CREATE TABLE rival.customers (
                id text PRIMARY KEY, orders int, spend numeric, points bigint);
            CREATE TABLE rival.orders (
                id text PRIMARY KEY, customer text, at timestamptz, total numeric, body text);
            CREATE TABLE rival.ledger (
                id bigserial PRIMARY KEY, customer text, order_id text UNIQUE, points bigint);
            """
        )
        events = order_events(orders, run="rival")
        start = time.perf_counter()
        for event in events:
            async with connection.transaction():
                data = event["data"]
                customer, total = data["customer"]["id"], Decimal(data["total"])
                fresh = await connection.fetchval(
                    "INSERT INTO rival.inbox VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
                    event["source"],
                    event["id"],
                )
                if fresh is None:
                    continue
                await connection.execute(
                    "INSERT INTO rival.orders VALUES ($1, $2, $3::text::timestamptz, $4, $5)",
                    data["order_id"],
                    customer,
                    event["time"],
                    total,
                    str(data),
                )
                await connection.execute(
                    "INSERT INTO rival.ledger (customer, order_id, points) VALUES ($1, $2, $3)",
                    customer,
                    data["order_id"],
                    int(total),
                )
                await connection.execute(
                    """INSERT INTO rival.customers VALUES ($1, 1, $2, $3) ON CONFLICT (id) DO UPDATE SET
                    orders = customers.orders + 1, spend = customers.spend + excluded.spend,
                    points = customers.points + excluded.points""",
                    customer,
                    total,
                    int(total),
                )
        return orders / (time.perf_counter() - start)
    finally:
        await connection.execute("DROP SCHEMA IF EXISTS rival CASCADE")
        await connection.close()


async def copy_limit(url: str, batch: int = 1000, orders: int = 10_000) -> float:
    """Orders/s when the rows that Regulars wrote for its newest orders are written again, by COPY alone.

    Every table of every schema that grew takes its share of rows, into an empty copy with the same indexes
    and constraints, in batches, one transaction a batch over all tables, on one connection.
    """
    connection = await asyncpg.connect(url)
    try:
        written = int(await connection.fetchval("SELECT count(*) FROM rewards.purchases"))
        await connection.execute("DROP SCHEMA IF EXISTS limits CASCADE; CREATE SCHEMA limits")
        tables = await connection.fetch(
            """SELECT schemaname, relname FROM pg_stat_user_tables
            WHERE schemaname IN ('platform', 'scoring', 'rewards') AND relname <> 'schema_version'"""
        )
        copies: list[tuple[str, list[list[asyncpg.Record]]]] = []
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
        start = time.perf_counter()
        for number in range(max(len(batches) for _, batches in copies)):
            async with connection.transaction():
                for copy, batches in copies:
                    if number < len(batches):
                        await connection.copy_records_to_table(
                            copy,
                            schema_name="limits",
                            records=batches[number],
                            columns=list(batches[number][0].keys()),
                        )
        return orders / (time.perf_counter() - start)
    finally:
        await connection.execute("DROP SCHEMA IF EXISTS limits CASCADE")
        await connection.close()
