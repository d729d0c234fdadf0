"""(a) Ingest: single events and batches of 100, against an empty FastAPI route and the raw producer."""

import asyncio
import json
import subprocess
import sys
import time

from aiokafka import AIOKafkaProducer

from shared.bus.records import Outgoing
from shared.bus.wiring import make_producer
from shared.contracts.events import EVENTS_TOPIC
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.benchmarks.load import drive, request
from tests.benchmarks.orders import bodies, order_events
from tests.benchmarks.report import Figure
from tests.support.stack import ROOT, Stack, free_ports

SINGLE, BATCHED, BATCH = 6_000, 40_000, 100
CONNECTIONS_SINGLE, CONNECTIONS_BATCH = 64, 8
WARM_EVENTS = 3_000
"""Before either is measured: so long a fresh Kafka spends more on compiling itself than on records. The raw producer,
which comes last, finds it warm as well."""


async def ingest(stack: Stack) -> list[Figure]:
    """The figures of this part."""
    empty = await _empty_route()
    singles = await _post(stack, SINGLE, 1, CONNECTIONS_SINGLE, "single")
    batches = await _post(stack, BATCHED, BATCH, CONNECTIONS_BATCH, "batch") * BATCH
    raw = await _raw_producer(stack)
    bus = stack.bus
    return [
        Figure(f"(a) empty FastAPI route, {CONNECTIONS_SINGLE} connections", empty, "requests/s"),
        Figure(
            f"(a) ingest single, {bus}",
            singles,
            "events/s",
            ratio=singles / empty,
            of="empty route",
            goal=0.5,
        ),
        Figure(f"(a) raw producer, {bus}", raw, "records/s"),
        Figure(
            f"(a) ingest in batches of {BATCH}, {bus}",
            batches,
            "events/s",
            ratio=batches / raw,
            of="raw producer",
            goal=0.6,
        ),
    ]


async def _post(stack: Stack, count: int, batch: int, connections: int, run: str) -> float:
    url = f"{stack.ingest}/v1/events"
    warm = [
        request(url, body)
        for body in bodies(order_events(max(WARM_EVENTS, 20 * batch), run=f"{run}-warm"), batch)
    ]
    await drive(url, warm, connections)
    messages = [
        request(url, body) for body in bodies(order_events(count, run=f"{run}-{time.time_ns()}"), batch)
    ]
    return (await drive(url, messages, connections)).per_second


async def _empty_route() -> float:
    """A bare FastAPI application with one route that does nothing, served the same way."""
    (port,) = free_ports(1)
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "tests.benchmarks.empty:app",
            "--port",
            str(port),
            "--log-level",
            "critical",
        ],
        cwd=ROOT,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        message = request(url, b"{}")
        for _ in range(100):
            try:
                await drive(url, [message] * 200, 8)
                break
            except OSError:
                await asyncio.sleep(0.1)
        return (await drive(url, [message] * SINGLE, CONNECTIONS_SINGLE)).per_second
    finally:
        server.terminate()
        server.wait()


async def _raw_producer(stack: Stack) -> float:
    """The same payloads handed straight to the bus, without HTTP, checks, or sealing."""
    values = [json.dumps(event).encode() for event in order_events(BATCHED, run="raw")]
    if stack.kafka is None:
        return await _raw_postgres(stack, values)
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka.bootstrap_servers, acks="all", enable_idempotence=True, linger_ms=5
    )
    await producer.start()
    try:
        start = time.perf_counter()
        sent = [
            await producer.send(EVENTS_TOPIC, value, key=b"%d" % (i % 2000)) for i, value in enumerate(values)
        ]
        await asyncio.gather(*sent)
        return len(values) / (time.perf_counter() - start)
    finally:
        await producer.stop()


async def _raw_postgres(stack: Stack, values: list[bytes]) -> float:
    settings = Settings(database_url=stack.postgres.url, partitions=4)
    engine = create_engine(stack.postgres.url, role="regulars_ingest", pool_size=2)
    producer = make_producer(settings, engine)
    await producer.start()
    try:
        records = [Outgoing(EVENTS_TOPIC, str(i % 2000), value) for i, value in enumerate(values)]
        start = time.perf_counter()
        for at in range(0, len(records), 1000):
            await producer.publish(records[at : at + 1000])
        seconds = time.perf_counter() - start
        return len(values) / seconds
    finally:
        await producer.stop()
        await engine.dispose()
