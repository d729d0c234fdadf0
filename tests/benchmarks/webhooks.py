"""(w) Webhooks per second to 1,000 endpoints, and what the others notice when every tenth of them hangs."""

import asyncio
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.webhooks.client import SafeClient
from services.deliveries.adapters.webhooks.endpoints import PostgresEndpoints
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.domain.webhooks.addresses import parse_networks
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.payload import Addressed, Event, make_event
from services.deliveries.entrypoints.webhooks.sender import WebhookSender
from shared.clock import system_clock
from shared.postgres.engine import create_engine
from tests.benchmarks.report import Figure
from tests.support.database import embedded_server

ENDPOINTS, HANGING = 1_000, 100
BURST_EVENTS = 10
"""Of the throughput part, each to every endpoint."""

STEADY_S, STEADY_PER_S, STEADY_EACH_S = 15, 200, 0.05
SECRET = "a-secret-for-benchmarks-that-is-long-enough"
LOCAL = parse_networks("127.0.0.0/8")


async def webhooks() -> list[Figure]:
    """The figures of this part."""
    ports, receiver = _receivers()
    try:
        normal = await asyncio.to_thread(_round, ports, 0)
        troubled = await asyncio.to_thread(_round, ports, HANGING)
    finally:
        receiver.terminate()
        receiver.join()
    return [
        Figure(f"(w) webhooks, {ENDPOINTS:,} endpoints", normal.per_second, "webhooks/s"),
        Figure(
            f"(w) to the others, {HANGING} of {ENDPOINTS:,} hang",
            troubled.per_second,
            "webhooks/s",
            ratio=troubled.per_second / normal.per_second,
            of="all answering",
        ),
        Figure(f"(w) p99 of cause to answer, {STEADY_PER_S}/s", normal.p99_ms, "ms"),
        Figure(
            f"(w) p99 of the others, {HANGING} of {ENDPOINTS:,} hang",
            troubled.p99_ms,
            "ms",
            ratio=troubled.p99_ms / normal.p99_ms,
            of="all answering",
            goal=2,
            at_most=True,
        ),
    ]


class _Found(msgspec.Struct):
    per_second: float
    p99_ms: float


def _round(ports: Sequence[int], hanging: int) -> _Found:
    """One round on a database of its own, `hanging` of the endpoints being such."""
    with embedded_server() as server:
        return asyncio.run(_measure(server, ports, hanging))


async def _measure(server, ports: Sequence[int], hanging: int) -> _Found:  # type: ignore[no-untyped-def]
    async with server.fresh() as url:
        engine = create_engine(url, role="regulars_deliveries", pool_size=8, application="bench")
        try:
            ids = await _endpoints(engine, ports, hanging)
            async with _sending(engine):
                p99 = await _steady(engine, ids, ids[hanging:])
            await _forget(engine)
            async with _sending(engine):
                per_second = await _burst(engine, ids, ids[hanging:])
            return _Found(per_second, p99)
        finally:
            await engine.dispose()


async def _endpoints(engine: AsyncEngine, ports: Sequence[int], hanging: int) -> list[str]:
    """Endpoints, those that hang first."""
    store, now = PostgresEndpoints(SECRET), system_clock()
    ids = [f"whe_{number:024x}" for number in range(ENDPOINTS)]
    good, hangs = ports
    like = Endpoint(
        id="",
        url=None,
        name=None,
        description="",
        events=("*",),
        secret=b"s" * 32,
        previous_secret=None,
        previous_until=None,
        disabled_at=None,
        reason=None,
        failing_since=None,
        created_at=now,
    )
    async with engine.begin() as connection:
        for number, id_ in enumerate(ids):
            url = f"http://127.0.0.1:{hangs if number < hanging else good}/{number}"
            await store.add(connection, replace(like, id=id_, url=url), "bench")
    return ids


async def _steady(engine: AsyncEngine, ids: Sequence[str], others: Sequence[str]) -> float:
    """Each webhook to an endpoint chosen at random, at a steady pace: the p99 of cause to answer, in ms."""
    queue, chosen = WebhookQueue(), random.Random(1)
    began = time.monotonic()
    for step in range(int(STEADY_S / STEADY_EACH_S)):
        await asyncio.sleep(max(0.0, began + step * STEADY_EACH_S - time.monotonic()))
        events = [_event(f"steady/{step}/{number}") for number in range(int(STEADY_PER_S * STEADY_EACH_S))]
        addressed = [Addressed(chosen.choice(ids), event.id) for event in events]
        async with engine.begin() as connection:
            await queue.add(connection, events, addressed, system_clock())
    await _until_delivered(engine, others)
    took = text("""
        SELECT percentile_cont(0.99) WITHIN GROUP (
            ORDER BY extract(epoch FROM a.at - m.made_at) * 1000 + a.took_ms)
        FROM deliveries.webhook_messages m JOIN deliveries.webhook_attempts a USING (endpoint_id, event_id)
        WHERE m.endpoint_id = ANY(CAST(:ids AS text[])) AND a.status = 204
        """)
    async with engine.connect() as connection:
        return float((await connection.execute(took, {"ids": list(others)})).scalar_one())


async def _burst(engine: AsyncEngine, ids: Sequence[str], others: Sequence[str]) -> float:
    """Events that everybody wants, all at once: webhooks per second until the others have theirs."""
    events = [_event(f"burst/{number}") for number in range(BURST_EVENTS)]
    addressed = [Addressed(id_, event.id) for event in events for id_ in ids]
    began = time.monotonic()
    async with engine.begin() as connection:
        await WebhookQueue().add(connection, events, addressed, system_clock())
    await _until_delivered(engine, others)
    return len(others) * BURST_EVENTS / (time.monotonic() - began)


async def _until_delivered(engine: AsyncEngine, others: Sequence[str]) -> None:
    waiting = text(
        "SELECT 1 FROM deliveries.webhook_messages WHERE endpoint_id = ANY(CAST(:ids AS text[]))"
        " AND due_at IS NOT NULL LIMIT 1"
    )
    async with asyncio.timeout(120):
        while True:
            async with engine.connect() as connection:
                if (await connection.execute(waiting, {"ids": list(others)})).first() is None:
                    return
            await asyncio.sleep(0.05)


async def _forget(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in ("webhook_attempts", "webhook_messages", "webhook_events"):
            await connection.execute(text(f"DELETE FROM deliveries.{table}"))


def _event(identity: str) -> Event:
    return make_event(identity, "points.earned", datetime.now(UTC), "cus_1", {"points": 49})


@asynccontextmanager
async def _sending(engine: AsyncEngine) -> AsyncIterator[None]:
    """A sender that runs, as in a worker."""
    stop = asyncio.Event()
    sender = WebhookSender(
        engine=engine,
        endpoints=PostgresEndpoints(SECRET),
        messages=WebhookQueue(),
        client=SafeClient(LOCAL),
        clock=system_clock,
        allowed=LOCAL,
    )
    task = asyncio.create_task(sender.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def _receivers() -> tuple[tuple[int, int], multiprocessing.Process]:
    """A process with a receiver that answers, and one that hangs; their ports."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_receive, args=(child,), daemon=True)
    process.start()
    return parent.recv(), process


def _receive(told) -> None:  # type: ignore[no-untyped-def]
    asyncio.run(_serve(told))


async def _serve(told) -> None:  # type: ignore[no-untyped-def]
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3_600)

    good = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
    bad = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=2048)
    told.send((good.sockets[0].getsockname()[1], bad.sockets[0].getsockname()[1]))
    await asyncio.sleep(3_600)


if __name__ == "__main__":
    from tests.benchmarks.report import show

    show(asyncio.run(webhooks()), "Webhooks")
