"""The worker and the API together, as processes run them: from a record on the stream to points over HTTP."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.rewards.entrypoints.worker import RewardsWorker
from services.rewards.wiring.start import store_program
from services.rewards.wiring.worker import create_worker
from shared.bus.records import Outgoing
from shared.bus.wiring import make_producer
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import encode
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.support.clock import ManualClock
from tests.unit.rewards.building import CUSTOMER, order


async def publish(settings: Settings, rewards: Rewards, *activities: Activity) -> None:
    """Put activities on the stream."""
    producer = make_producer(settings, rewards.engine)
    await producer.start()
    await producer.publish([Outgoing(ACTIVITY_TOPIC, a.customer_id, encode(a)) for a in activities])
    await producer.stop()


async def until_points(api: httpx.AsyncClient, available: int) -> None:
    """Wait until the customer has so many."""
    async with asyncio.timeout(20):
        while True:
            answer = await api.get(f"/v1/customers/{CUSTOMER}/points")
            if answer.status_code == 200 and answer.json()["available"] == available:
                return
            await asyncio.sleep(0.02)


async def until_expired(rewards: Rewards) -> None:
    """Wait until the timed job has come by."""
    async with asyncio.timeout(20):
        while True:
            if await rewards.rows("SELECT 1 FROM rewards.entries WHERE kind = 'expire'"):
                return
            await asyncio.sleep(0.02)


async def until_warned(worker: RewardsWorker) -> str:
    """Wait until the readiness of due work has something to say, and say it."""
    async with asyncio.timeout(20):
        while True:
            warning = await worker.checks()["jobs"]()
            if warning:
                return str(warning)
            await asyncio.sleep(0.02)


async def test_two_workers_take_the_stream_and_set_poison_aside(
    rewards: Rewards, api: httpx.AsyncClient, settings: Settings, clock: ManualClock
) -> None:
    """Given two workers; when orders come with a poison record among them; then points arrive, and the poison waits as
    a dead letter; and when all is stopped and started, nothing is counted again."""
    stop = asyncio.Event()
    second = settings.model_copy(update={"worker_port": 1})
    workers = [asyncio.create_task(create_worker(each, clock).run(stop)) for each in (settings, second)]
    broken = order("bad", "nothing like money")
    await publish(settings, rewards, order("1", "100"), broken, order("2", "50"))
    await until_points(api, 150)
    stop.set()
    await asyncio.gather(*workers)

    stop = asyncio.Event()
    worker = asyncio.create_task(create_worker(settings, clock).run(stop))
    await publish(settings, rewards, order("2", "50", name="another event"), order("3", "25"))
    await until_points(api, 175)
    clock.advance(timedelta(days=400))
    await until_points(api, 0)
    await until_expired(rewards)
    stop.set()
    await worker

    ((reason, key),) = await rewards.rows("SELECT reason, key FROM rewards.dead_letters")
    assert (reason, key) == ("InvalidOperation", CUSTOMER)
    await rewards.check()


async def test_the_program_file_becomes_a_version_once(
    settings: Settings, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given no program; when the worker starts twice with one file, then with another; then there are two versions."""
    await store_program(settings, clock)
    await store_program(settings, clock)
    other = settings.home / "program.yaml"
    other.write_text("name: Another\ncurrency: USD\ntime_zone: UTC\npoints: {earn: []}\n")
    await store_program(settings.model_copy(update={"program": other}), clock)

    async with engine_for("regulars_rewards").connect() as connection:
        rows = (
            await connection.execute(text("SELECT version, origin FROM platform.programs ORDER BY 1"))
        ).all()
    assert rows == [(1, "file"), (2, "file")]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE platform.programs SET source = ''",
        "DELETE FROM platform.program_activations",
        "UPDATE platform.program_activations SET version = version",
        "TRUNCATE platform.programs CASCADE",
    ],
)
async def test_program_versions_never_change(rewards: Rewards, engine_for: EngineFor, change: str) -> None:
    """Given a stored version in force; when anybody changes either, even the owner; then the database refuses."""
    with pytest.raises(Exception, match="append-only"):
        async with engine_for(None).begin() as connection:
            await connection.execute(text(change))
    with pytest.raises(Exception, match=r"append-only|permission denied"):
        async with rewards.engine.begin() as connection:
            await connection.execute(text(change))


async def test_the_worker_stops_when_told(settings: Settings, clock: ManualClock) -> None:
    """Given a running worker; when it is told to stop; then it ends within seconds."""
    stop = asyncio.Event()
    await store_program(settings, clock)
    running = asyncio.create_task(create_worker(settings, clock).run(stop))
    await asyncio.sleep(1)
    stop.set()

    async with asyncio.timeout(5):
        await running


async def test_a_member_whose_due_work_fails_stops_neither_the_stream_nor_other_jobs(
    rewards: Rewards, api: httpx.AsyncClient, settings: Settings, clock: ManualClock
) -> None:
    """Given a lot past its last day that the balance knows nothing of; when the worker runs; then the job fails and
    readiness warns, but orders still become points."""
    await rewards.happen(order("1", "10", customer="cus_000000000000000000000009"))
    await rewards.plant("UPDATE rewards.members SET available = 0")
    clock.advance(timedelta(days=367))
    worker = create_worker(settings, clock)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))

    await publish(settings, rewards, order("2", "30", at=clock()))
    await until_points(api, 30)
    warning = await until_warned(worker)
    stop.set()
    await running

    assert "move_points" in warning


async def test_openapi_names_every_call_of_the_contract(api: httpx.AsyncClient) -> None:
    """Given the API; when its description is asked for; then all calls are in it."""
    paths = (await api.get("/openapi.json")).json()["paths"]

    assert set(paths) >= {
        "/v1/customers/{customer}/points",
        "/v1/customers/{customer}/ledger",
        "/v1/customers/{customer}/tier",
        "/v1/customers/{customer}/offers",
        "/v1/customers/{customer}/explain",
        "/v1/redemptions",
        "/v1/redemptions/{redemption_id}/confirm",
        "/v1/redemptions/{redemption_id}/release",
        "/v1/adjustments",
        "/v1/offers/{code}/validate",
        "/v1/offers/{code}/redeem",
        "/v1/program",
    }
    assert set(paths["/v1/program"]) == {"get", "put"}
