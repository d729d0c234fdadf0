"""(c) Milliseconds from the POST of an order until its points are seen, at half of the rate of (b), in its mix."""

import asyncio
import json
import time
from datetime import timedelta
from urllib.parse import urlsplit

from tests.benchmarks.load import Connection, Result, request
from tests.benchmarks.orders import CUSTOMERS, bodies, order_events, orders_going_on
from tests.benchmarks.pipeline import ORDERS
from tests.benchmarks.report import Figure
from tests.support.stack import Stack

SECONDS, PROBES_PER_SECOND, BATCH = 25, 6, 50
ASK_EVERY_S, ASK_SHARE = 0.02, 0.05
"""Adds half of it to what is measured; asking twice as often would take a tenth of a core. Who has waited for long asks
after a twentieth of that time again: else the more are waiting, the more would the asking itself hold them up."""


async def latency(stack: Stack, orders_per_second: float) -> list[Figure]:
    """The figures of this part."""
    rate = orders_per_second / 2
    stop = asyncio.Event()
    run = f"load{time.time_ns()}"
    url = f"{stack.ingest}/v1/events"
    events = orders_going_on(
        int(rate * (SECONDS + 10)), run=run, each=ORDERS // CUSTOMERS, step=timedelta(seconds=1 / rate)
    )
    messages = [request(url, body) for body in bodies(events, BATCH)]
    load = asyncio.create_task(_background(stack, messages, rate, stop))
    await asyncio.sleep(2)
    result = Result()
    probes = []
    for number in range(SECONDS * PROBES_PER_SECOND):
        probes.append(asyncio.create_task(_probe(stack, f"probe-{time.time_ns()}-{number}", result)))
        await asyncio.sleep(1 / PROBES_PER_SECOND)
    await asyncio.gather(*probes)
    stop.set()
    achieved = await load
    bus = stack.bus
    return [
        Figure(
            f"(c) POST to points seen at {achieved:,.0f} orders/s, {bus}, p50",
            result.percentile_ms(50),
            "ms",
        ),
        Figure(f"(c) p99, {bus}", result.percentile_ms(99), "ms", goal=250, at_most=True),
    ]


async def _background(stack: Stack, messages: list[bytes], rate: float, stop: asyncio.Event) -> float:
    """Batches of orders at this rate until told to stop, on an even beat; how many orders a second were sent."""
    connection = await _connect(stack.ingest)
    start = time.perf_counter()
    sent = 0
    for message in messages:
        if stop.is_set():
            break
        status, _ = await connection.send(message)
        if status != 202:
            raise RuntimeError(f"ingest answered {status}")
        sent += BATCH
        await asyncio.sleep(max(0.0, start + sent / rate - time.perf_counter()))
    connection.close()
    return sent / (time.perf_counter() - start)


async def _probe(stack: Stack, customer: str, result: Result) -> None:
    """One order of a new customer; asks for the points until they are there."""
    (event,) = order_events(1, run=customer, customers=1)
    event["data"]["customer"] = {"id": customer}
    ingest, rewards = await _connect(stack.ingest), await _connect(stack.rewards)
    start = time.perf_counter()
    await ingest.send(request(f"{stack.ingest}/v1/events", json.dumps(event).encode()))
    question = request(f"{stack.rewards}/v1/customers/{customer}/points")
    while True:
        status, body = await rewards.send(question)
        if status == 200 and json.loads(body)["available"] > 0:
            break
        waited = time.perf_counter() - start
        if waited > 30:
            raise TimeoutError(f"no points for {customer} after 30 s")
        await asyncio.sleep(max(ASK_EVERY_S, ASK_SHARE * waited))
    result.latencies_s.append(time.perf_counter() - start)
    ingest.close()
    rewards.close()


async def _connect(url: str) -> Connection:
    parts = urlsplit(url)
    connection = Connection(parts.hostname or "", parts.port or 80)
    await connection.open()
    return connection
