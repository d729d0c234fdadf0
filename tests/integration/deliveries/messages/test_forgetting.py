"""Messages are kept for as long as the setting says, and for as long as anything needs them."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.entrypoints.messages import forgetting
from services.deliveries.entrypoints.messages.forgetting import Forgetting
from shared.contracts.outcomes import Outcome, message_id
from tests.integration.deliveries.world import World

MONTHS = 24
OLD, YOUNG = timedelta(days=740), timedelta(days=725)


def worker(world: World) -> Forgetting:
    return Forgetting(world.engine, world.clock, PostgresPrograms(), MONTHS)


async def forget(world: World) -> int:
    """All that may go; in how many batches."""
    one, batches = worker(world), 0
    while await one.once():
        batches += 1
    return batches


async def kept(world: World, table: str = "messages", column: str = "id") -> set[str]:
    async with world.admin.connect() as connection:
        rows = await connection.execute(text(f"SELECT {column} FROM deliveries.{table}"))
        return {row[0] for row in rows}


async def answered(world: World, outcome: Outcome) -> None:
    """The message was opened."""
    statement = text("INSERT INTO deliveries.responses VALUES (:id, 'opened', '', :now)")
    async with world.admin.begin() as connection:
        await connection.execute(statement, {"id": message_id(outcome.id), "now": world.clock()})


def ids(*outcomes: Outcome) -> set[str]:
    return {message_id(outcome.id) for outcome in outcomes}


async def sent(world: World, name: str, **more: Any) -> Outcome:
    """A message that went out now, and was opened."""
    await world.knows(name)
    outcome = world.due(name, **more)
    await world.happen(outcome)
    await world.send()
    await answered(world, outcome)
    return outcome


async def test_what_is_old_goes_with_its_attempts_and_answers(world: World) -> None:
    """Given messages sent, skipped and waiting, old and young; when messages are forgotten; then the settled
    old ones are gone with all that hangs on them, and the rest is as it was."""
    old = await sent(world, "ana")
    skipped = world.due("nobody", expires_at=world.clock() - timedelta(days=1))
    await world.happen(skipped)
    world.clock.advance(OLD - YOUNG)
    young = await sent(world, "ben")
    assert (await world.state(skipped))[0] == "skipped"
    world.clock.advance(YOUNG)
    waiting = world.due("ana")
    await world.happen(waiting)

    assert await forget(world) == 1

    assert await kept(world) == ids(young, waiting)
    assert await kept(world, "attempts", "message_id") == ids(young)
    assert await kept(world, "responses", "message_id") == ids(young)
    assert await forget(world) == 0
    assert old.id != young.id


async def test_what_is_asked_for_again_is_not_sent_again(world: World) -> None:
    """Given a message that was sent, and is worth sending for another month; when it has been kept long enough; then it
    stays until it has expired; and once it is gone the same record, read again, sends nothing."""
    outcome = await sent(world, "ana", expires_at=world.clock() + OLD + timedelta(days=30))
    world.clock.advance(OLD)
    assert await forget(world) == 0
    world.clock.advance(OLD + timedelta(days=31))
    assert await forget(world) == 1

    await world.happen(outcome)

    assert await world.state(outcome) == ("skipped", "expired")
    assert await world.send() == []


async def test_what_limits_count_is_kept(world: World) -> None:
    """Given one marketing message in three years; when one was sent longer ago than messages are kept; then it is kept
    while it counts, and no second one goes out; then it goes."""
    await world.program("messages: {consent: unless_withdrawn, at_most: {times: 1, per: P36M}}")
    outcome = await sent(world, "ana")
    world.clock.advance(timedelta(days=1_000))
    assert await forget(world) == 0
    later = world.due("ana", expires_at=world.clock() + timedelta(days=400))
    await world.happen(later)
    assert await world.send() == []

    world.clock.advance(timedelta(days=100))
    assert await world.send() == [("hello", "ana@example.com")]
    assert await forget(world) == 1
    assert await kept(world) == ids(later)
    assert outcome.id != later.id


async def test_two_workers_after_years_of_downtime(world: World, monkeypatch: Any) -> None:
    """Given many messages, and nobody who forgot any for years; when two workers begin beside a sender who holds one;
    then they take it in small batches, neither waits for the other, and only what is held stays, until it is free."""
    monkeypatch.setattr(forgetting.forget_messages, "__defaults__", (3,))
    outcomes = [await sent(world, f"c-{number}") for number in range(20)]
    held = outcomes[7]
    world.clock.advance(OLD * 3)

    async with world.admin.begin() as connection:
        lock = text("SELECT FROM deliveries.messages WHERE id = :id FOR UPDATE")
        await connection.execute(lock, {"id": message_id(held.id)})
        async with asyncio.timeout(20):
            batches = await asyncio.gather(forget(world), forget(world))
        assert await kept(world) == ids(held)
    assert sum(batches) >= 7

    assert await forget(world) == 1
    assert await kept(world) == await kept(world, "responses", "message_id") == set()


async def test_the_loop_of_a_worker_forgets(world: World) -> None:
    """Given a loop of a worker; when it runs; then old messages go without anybody's asking, and it ends when told."""
    await sent(world, "ana")
    world.clock.advance(OLD)
    stop = asyncio.Event()
    running = asyncio.create_task(worker(world).run(stop))
    async with asyncio.timeout(20):
        while await kept(world):  # noqa: ASYNC110  # what is looked at tells nobody
            await asyncio.sleep(0.02)
        stop.set()
        await running
