"""(g) Rewards alone: postings per second through the stream, and redemptions of one customer by all clients at once."""

import asyncio
import json
import time
from dataclasses import replace

import asyncpg

from tests.benchmarks.load import Result, drive, request
from tests.benchmarks.orders import bodies, order_events
from tests.benchmarks.redemptions import CLIENTS, give_points, tpcb
from tests.benchmarks.report import Figure
from tests.benchmarks.settling import posted, settle, tidy, until_posted
from tests.support.stack import Service, Stack, free_ports

ORDERS, BATCH, CONNECTIONS = 30_000, 100, 4
BACKLOG = ORDERS * 6 // 5
"""So many are there, of which `ORDERS` are measured, so that all partitions have some left until the end: the last ones
are one worker's alone, while pgbench's clients all work until it ends."""
HOT_REQUESTS = 4_000
TIMEOUT_S = 300
MADE = """
    SELECT (SELECT count(*) FROM rewards.entries) AS entries,
        (SELECT count(*) FROM rewards.purchases WHERE order_id IS NOT NULL) AS orders
"""


async def postings(stack: Stack) -> list[Figure]:
    """The figures of this part, beside pgbench's TPC-B on the same server."""
    tps = await tpcb(stack)
    stream, orders = await _stream(stack)
    await settle(stack)
    hot = await _hot_customer(stack)
    return [
        Figure(f"(g) pgbench TPC-B, {CLIENTS} clients", tps, "tps"),
        Figure("(g) orders through rewards alone, two workers", orders, "orders/s"),
        Figure(
            "(g) postings through the stream", stream, "postings/s", ratio=stream / tps, of="TPC-B", goal=5
        ),
        Figure(
            f"(g) redemptions of one customer, {CLIENTS} clients",
            hot.per_second,
            "reservations/s",
            ratio=hot.per_second / tps,
            of="TPC-B",
        ),
        Figure("(g) p99 of these", hot.percentile_ms(99), "ms"),
    ]


async def _stream(stack: Stack) -> tuple[float, float]:
    """Ledger entries and orders a second that two workers of rewards make of a backlog of activities.

    While they do, nobody else works: scoring has made the backlog, deliveries handles what came of it afterwards.
    pgbench, which they are compared with, had the machine to itself, too.
    """
    workers = _workers(stack)
    others = [stack.services[name] for name in ("scoring worker", "deliveries worker")]
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        await workers[0].kill()
        before = await posted(connection)
        url = f"{stack.ingest}/v1/events"
        events = order_events(BACKLOG, run=f"backlog{time.time_ns()}")
        await drive(url, [request(url, body) for body in bodies(events, BATCH)], CONNECTIONS)
        await _until(connection, "SELECT count(*) FROM scoring.timeline", BACKLOG)
        for other in others:
            await other.kill()
        await tidy(connection)
        for worker in workers:
            await worker.start()
        await until_posted(connection, before + 1)
        start = time.perf_counter()
        first = await connection.fetchrow(MADE)
        await until_posted(connection, before + ORDERS)
        last = await connection.fetchrow(MADE)
        seconds = time.perf_counter() - start
        await until_posted(connection, before + BACKLOG)
        for other in others:
            await other.start()
        return (last["entries"] - first["entries"]) / seconds, (last["orders"] - first["orders"]) / seconds
    finally:
        workers[1].stop()
        await connection.close()


def _workers(stack: Stack) -> list[Service]:
    """The worker of rewards and a second one, which shares the partitions with it: this machine has two cores."""
    worker = stack.services["rewards worker"]
    (port,) = free_ports(1)
    second = replace(
        worker,
        environment=worker.environment | {"REGULARS_WORKER_PORT": str(port)},
        port=port,
        log=worker.log.with_name("rewards-worker-2.log"),
        process=None,
    )
    return [worker, second]


async def _until(connection: "asyncpg.Connection[asyncpg.Record]", counting: str, more: int) -> None:
    """Wait until a count has stopped growing at `more` or above, which says that the backlog is complete."""
    deadline, last = time.perf_counter() + TIMEOUT_S, -1
    while time.perf_counter() < deadline:
        count = await connection.fetchval(counting)
        if count >= more and count == last:
            return
        last = count
        await asyncio.sleep(0.5)
    raise TimeoutError(f"{counting}: {last} of {more}")


async def _hot_customer(stack: Stack) -> Result:
    """All clients reserve points of the same customer: each waits for the row that the others hold."""
    run = f"hot{time.time_ns()}"
    await give_points(stack, run, members=1, each=HOT_REQUESTS * 500)
    url = f"{stack.rewards}/v1/redemptions"
    messages = [
        request(
            url,
            json.dumps({"customer": f"{run}-0", "points": 500, "order_id": f"{run}-{number}"}).encode(),
            {"Idempotency-Key": f"{run}-{number}"},
        )
        for number in range(HOT_REQUESTS)
    ]
    result = await drive(url, messages, CLIENTS)
    if set(result.statuses) != {201}:
        raise RuntimeError(f"not every reservation was made: {result.statuses}")
    return result
