"""(b) From accepted to points posted: orders per second through all three services."""

import time

import asyncpg

from tests.benchmarks.load import drive, request
from tests.benchmarks.orders import POPULATION, bodies, order_events
from tests.benchmarks.report import Figure
from tests.benchmarks.rivals import copy_limit, one_transaction_an_event
from tests.benchmarks.settling import posted, settle, until_posted
from tests.support.stack import Stack

WARM, ORDERS, BATCH, CONNECTIONS = 3_000, 40_000, 100, 4
RIVAL_ORDERS = 4_000


async def pipeline(stack: Stack) -> list[Figure]:
    """The figures of this part. The first one is orders/s, which (c) takes half of."""
    await _through(stack, WARM, "warm")
    await settle(stack)
    rate = await _through(stack, ORDERS, POPULATION)
    behind = await settle(stack)
    rival = await one_transaction_an_event(stack.postgres.url, RIVAL_ORDERS)
    limit = await copy_limit(stack.postgres.url)
    bus = stack.bus
    return [
        Figure(f"(b) accepted to points posted, {bus}", rate, "orders/s", goal=3000),
        Figure("(b) until deliveries has handled it all, too", ORDERS / (ORDERS / rate + behind), "orders/s"),
        Figure("(b) rival: one transaction an event", rival, "orders/s"),
        Figure("(b) against the rival", rate, "orders/s", ratio=rate / rival, of="rival", goal=5),
        Figure("(b) limit: the same rows by COPY", limit, "orders/s"),
        Figure("(b) against the limit", rate, "orders/s", ratio=rate / limit, of="limit", goal=0.3),
    ]


async def _through(stack: Stack, count: int, run: str) -> float:
    """Post so many orders as fast as they are taken; the clock stops when the last one's points are posted."""
    url = f"{stack.ingest}/v1/events"
    messages = [request(url, body) for body in bodies(order_events(count, run=run), BATCH)]
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        before = await posted(connection)
        start = time.perf_counter()
        result = await drive(url, messages, CONNECTIONS)
        if set(result.statuses) != {202}:
            raise RuntimeError(f"not every batch was accepted: {result.statuses}")
        accepted = time.perf_counter() - start
        await until_posted(connection, before + count)
        seconds = time.perf_counter() - start
        print(f"{stack.bus}: {count} orders accepted in {accepted:.1f} s, posted in {seconds:.1f} s")
        return count / seconds
    finally:
        await connection.close()
