"""The worker as it runs: from the stream of outcomes to the queue, beside others."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import text

from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.entrypoints.messages.queue_watch import QueueWatch
from services.deliveries.wiring.worker import create_worker
from shared.bus.records import Outgoing
from shared.bus.wiring import make_outbox
from shared.contracts.codec import encode
from shared.contracts.outcomes import OUTCOMES_TOPIC, Outcome
from shared.program.versions.reading import FRESH_S
from shared.vault.secret import SecretError, check_secret
from tests.conftest import EngineFor
from tests.integration.deliveries.world import World

PATIENCE_S = 20.0


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110  # what is waited for is in the database
            await asyncio.sleep(0.05)


async def test_outcomes_on_the_stream_come_into_the_queue_and_nonsense_is_set_aside(
    world: World, engine_for: EngineFor
) -> None:
    """Given outcomes on the stream, nonsense among them; when the worker runs, without a mail server; then the message
    is held for want of one, the nonsense is set aside, the worker is ready, and it ends when told to."""
    told, hello = await world.told("ana", customer={"email": "ana@example.com"}), world.due("ana")
    nonsense = world.outcome("message.due", "ana", {"campaign": 7})
    records = [
        Outgoing(OUTCOMES_TOPIC, outcome.customer_id, encode(outcome))
        for outcome in (told, nonsense, hello, Outcome(**_other(world)))
    ]
    async with engine_for("regulars_rewards").begin() as connection:
        await make_outbox(world.settings, "rewards").append(connection, records)
    worker, stop = create_worker(world.settings, world.clock), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))

    async def held() -> bool:
        async with world.admin.connect() as connection:
            rows = await connection.execute(text("SELECT state, reason FROM deliveries.messages"))
            return rows.all() == [("held", "no_provider")]

    await until(held)
    assert await world.state(hello) == ("held", "no_provider")
    async with world.admin.connect() as connection:
        letters = await connection.execute(text("SELECT reason FROM deliveries.dead_letters"))
        assert letters.all() == [("ValidationError",)]
    checks = {name: await check() for name, check in worker.checks().items()}
    assert checks["database"] is checks["stream"] is None
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await running


async def test_a_worker_with_another_secret_does_not_start(world: World, engine_for: EngineFor) -> None:
    """Given a contact sealed under one secret, and a message; when a worker starts with another; then it ends, and
    nothing is set aside or skipped; the right one takes them."""
    async with world.admin.begin() as connection:
        await check_secret(connection, world.settings.secret)
    records = [
        Outgoing(OUTCOMES_TOPIC, outcome.customer_id, encode(outcome))
        for outcome in (await world.told("ana", customer={"email": "ana@example.com"}), world.due("ana"))
    ]
    async with engine_for("regulars_rewards").begin() as connection:
        await make_outbox(world.settings, "rewards").append(connection, records)
    other = world.settings.model_copy(update={"secret": SecretStr("y" * 40)})
    with pytest.raises(SecretError, match="not the secret"):
        await create_worker(other, world.clock).run(asyncio.Event())

    async def count(what: str) -> int:
        async with world.admin.connect() as connection:
            return int(await connection.scalar(text(f"SELECT count(*) FROM deliveries.{what}")) or 0)

    async def held() -> bool:
        return bool(await count("messages WHERE state = 'held'"))

    assert await count("dead_letters") == await count("messages") == 0
    worker, stop = create_worker(world.settings, world.clock), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(held)
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await running


def _other(world: World) -> dict[str, object]:
    """An outcome that is no business of messages."""
    now = world.clock()
    return {
        "id": "points",
        "customer_id": world.id("ana"),
        "type": "points.earned",
        "time": now,
        "cause": "c",
        "program_version": 1,
    }


async def test_the_queue_and_what_leaves_it_are_measured(world: World) -> None:
    """Given a message that is sent, one that is skipped and one that waits; then the metrics say so."""

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    sent = {"state": "sent", "reason": "", "channel": "email"}
    skipped = {"state": "skipped", "reason": "no_contact", "channel": "none"}
    before = [
        value("regulars_messages_total", **sent),
        value("regulars_messages_total", **skipped),
        value("regulars_message_seconds_count", channel="email", held="no"),
    ]
    await world.knows("ana")
    await world.happen(world.due("ana"), world.due("eve"))
    await world.send()
    await world.happen(world.due("ana"))
    await QueueWatch(world.engine, world.clock, PostgresPrograms()).once()

    after = [
        value("regulars_messages_total", **sent),
        value("regulars_messages_total", **skipped),
        value("regulars_message_seconds_count", channel="email", held="no"),
    ]
    assert [then - now for then, now in zip(after, before, strict=True)] == [1, 1, 1]
    assert value("regulars_messages_waiting", state="waiting") == 1
    assert value("regulars_messages_waiting", state="held") == 0


async def test_another_program_counts_for_what_waits(world: World) -> None:
    """Given messages that wait for the morning; when a program without quiet hours comes into force; then they go out;
    as long as the program stays, nothing is looked at before its time."""
    await world.program('messages: {consent: unless_withdrawn, quiet_hours: "11:00-20:00"}')
    for name in ("ana", "ben"):
        await world.knows(name)
        await world.happen(world.due(name))
    watch = QueueWatch(world.engine, world.clock, PostgresPrograms())
    await watch.follow()
    assert await world.claim() == []
    await watch.follow()
    async with world.admin.connect() as connection:
        due = await connection.execute(text("SELECT due_at FROM deliveries.messages"))
        assert {at.hour for (at,) in due} == {20}

    await world.program()
    await asyncio.sleep(FRESH_S)
    await watch.follow()
    assert len(await world.send()) == 2
