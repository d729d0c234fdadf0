"""Waiting in a benchmark: for orders in the ledger, and until nothing is left to do; without adding to the load."""

import asyncio
import time

import asyncpg
import httpx

from deploy.demo import metrics
from tests.support.stack import Stack

SHORTEST_S, LONGEST_S = 0.01, 1.0
TIMEOUT_S = 600
READERS = ("scoring worker", "rewards worker", "deliveries worker")
DUE = "SELECT count(*) FROM deliveries.messages WHERE due_at <= now()"


async def posted(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    """Orders whose points stand in the ledger."""
    return int(
        await connection.fetchval("SELECT count(*) FROM rewards.purchases WHERE order_id IS NOT NULL"),
    )


async def until_posted(connection: "asyncpg.Connection[asyncpg.Record]", wanted: int) -> None:
    """Wait until so many orders stand in the ledger; told within some ten milliseconds.

    Counting rows takes the processor from those who write them, so this asks seldom while much is missing: after half
    of the time that the rest will take at the rate so far.
    """
    start = time.perf_counter()
    first = there = await posted(connection)
    while there < wanted:
        waited = time.perf_counter() - start
        if waited > TIMEOUT_S:
            raise TimeoutError(f"only {there} of {wanted} orders were posted")
        rest = waited * (wanted - there) / (there - first) if there > first else 0.0
        await asyncio.sleep(min(LONGEST_S, max(SHORTEST_S, rest / 2)))
        there = await posted(connection)


async def settle(stack: Stack) -> float:
    """Wait until every worker has read everything and no message is due; then tidy up. Returns how many seconds the
    workers still took, to some 2 s."""
    start = time.perf_counter()
    workers = [each.url for name, each in stack.services.items() if name in READERS]
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        async with httpx.AsyncClient() as client:
            async with asyncio.timeout(TIMEOUT_S):
                await metrics.wait_until_caught_up(client, workers, lambda left: None)
        took = time.perf_counter() - start - metrics.CALM_LOOKS * metrics.LOOK_EVERY_S
        async with asyncio.timeout(TIMEOUT_S):
            while await connection.fetchval(DUE):  # nothing tells when the last one has gone
                await asyncio.sleep(metrics.LOOK_EVERY_S)
                took = time.perf_counter() - start
        await tidy(connection)
        return max(0.0, took)
    finally:
        await connection.close()


async def tidy(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Do what autovacuum would do during the next measurement, after so many orders in seconds."""
    await connection.execute("VACUUM (ANALYZE)")
    await connection.execute("CHECKPOINT")
