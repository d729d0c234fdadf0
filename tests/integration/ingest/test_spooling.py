"""Kafka away: events are kept in PostgreSQL, quickly, in order, and nothing overtakes them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.main import create_worker
from shared.settings import Settings
from tests.integration.ingest.conftest import Ingest, Start
from tests.support.events import order
from tests.support.stack import free_ports
from tests.support.wire import Wire


@pytest.fixture
def without_kafka(settings: Settings) -> Settings:
    """Settings that name a Kafka where nobody listens."""
    (port,) = free_ports(1)
    return settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{port}"})


@pytest.fixture
async def spooling(start: Start, without_kafka: Settings) -> AsyncIterator[Ingest]:
    """Ingest whose Kafka is away."""
    async with start(without_kafka) as running:
        yield running


async def test_events_are_kept_in_the_spool_in_order(spooling: Ingest) -> None:
    """Given Kafka away; when events are posted; then they are accepted, and lie in the spool in their order."""
    for number in range(5):
        assert (await spooling.post([order(number), order(number + 100)])).json() == {"accepted": 2}

    spooled = await spooling.log("ingest", "spool")
    assert [each.value.decode().partition('"order-')[2].partition('"')[0] for each in spooled] == [
        str(number + extra) for number in range(5) for extra in (0, 100)
    ]
    assert [each.offset for each in spooled] == list(range(10))
    assert await spooling.log() == []


async def test_only_the_first_event_may_wait_for_kafka(spooling: Ingest) -> None:
    """Given Kafka away; then no event waits longer than five seconds, and after the first none waits at all."""
    started = time.monotonic()
    assert (await spooling.post(order(0))).status_code == 202
    assert time.monotonic() - started < 5

    started = time.monotonic()
    for number in range(1, 21):
        assert (await spooling.post(order(number))).status_code == 202
    assert time.monotonic() - started < 2


async def test_ready_but_degraded_while_spooling(spooling: Ingest) -> None:
    """Given Kafka away; then ingest is ready, and says that events wait."""
    await spooling.post(order())

    ready = await spooling.client.get("/readyz")
    assert ready.status_code == 200, ready.text
    health = (await spooling.client.get("/health")).json()
    assert health["checks"]["bus"][0]["status"] == "warn"
    assert "spool" in health["checks"]["bus"][0]["output"]


async def test_spool_left_by_another_process_is_noticed_at_start(
    start: Start, without_kafka: Settings
) -> None:
    """Given a spool that an earlier process has left; when ingest starts; then it spools from the first event on."""
    async with start(without_kafka) as first:
        await first.post(order(1))

    async with start(without_kafka) as second:
        await second.post(order(2))
        assert [each.offset for each in await second.log("ingest", "spool")] == [0, 1]


@pytest.mark.parametrize("trouble", ["cut", "frozen"])
async def test_both_away_is_said_within_five_seconds(
    start: Start, without_kafka: Settings, tmp_path: Path, trouble: str
) -> None:
    """Given Kafka away; when PostgreSQL goes too, or hangs; then 503 with Retry-After; and once it is back, 202."""
    wire = Wire(str(without_kafka.database_url), tmp_path)
    await wire.mend()
    async with start(without_kafka.model_copy(update={"database_url": wire.url})) as ingest:
        assert (await ingest.post(order(1))).status_code == 202
        if trouble == "cut":
            await wire.cut()
        else:
            wire.freeze()

        for number in (2, 3):
            started = time.monotonic()
            answer = await ingest.post(order(number))
            assert time.monotonic() - started < 5
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/problem+json"

        await wire.mend()
        assert await _until_accepted(ingest, order(4))
        kept = {json.loads(each.value)["id"] for each in await ingest.log("ingest", "spool")}
        assert {"order-1", "order-4"} <= kept
    await wire.cut()


async def _until_accepted(ingest: Ingest, event: dict[str, Any]) -> bool:
    """Send it again until it is taken, as a sender does."""
    for _ in range(100):
        if (await ingest.post(event)).status_code == 202:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_worker_has_nothing_to_do_without_kafka(settings: Settings) -> None:
    """Given streams in PostgreSQL; when the worker runs; then it waits for its end without doing anything."""
    stop = asyncio.Event()
    running = asyncio.create_task(create_worker(settings).run(stop))
    await asyncio.sleep(0.05)
    assert not running.done()
    stop.set()
    await asyncio.wait_for(running, 2)
