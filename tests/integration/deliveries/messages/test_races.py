"""Senders, the stream and merges at the same time, on connections of their own."""

import asyncio
from collections import Counter

from services.deliveries.application.messages.queueing import WITHDRAWN
from services.deliveries.domain.providers.answers import Again, Sent
from tests.integration.deliveries.world import World

CUSTOMERS = 8
ROUNDS = 25


async def test_senders_the_stream_and_merges_do_not_get_into_each_others_way(world: World) -> None:
    """Given messages for a few customers; when two senders claim and note, while more are queued and withdrawn and
    customers merge and part; then nobody fails, and each message was handed to one sender and told of once."""
    names = [f"c{number}" for number in range(CUSTOMERS)]
    await asyncio.gather(*(world.knows(name) for name in names))
    await world.happen(*(world.due(name) for name in names for _ in range(4)))
    handed: Counter[str] = Counter()
    done = asyncio.Event()

    async def sender() -> None:
        queue, idle = world.another_queue(), 0
        while not done.is_set() or idle < 3:
            async with world.engine.begin() as connection:
                claimed = await queue.claim(connection, world.clock(), 5)
            idle = 0 if claimed else idle + 1
            handed.update(each.message.id for each in claimed if each.message.attempts == 1)
            said = [(each, Again("busy") if each.message.attempts == 1 else Sent()) for each in claimed]
            retries = [world.clock()] * len(said)
            async with world.engine.begin() as connection:
                kept = await queue.note(connection, said, world.clock(), retries)
            assert len(kept) == len(claimed)

    async def stream() -> None:
        for number in range(ROUNDS):
            source, target = names[number % CUSTOMERS], names[(number * 3 + 1) % CUSTOMERS]
            due = [world.due(name) for name in (source, target)]
            withdrawn = world.outcome(WITHDRAWN, source, {"campaign": "hello", "run": due[0].data["run"]})
            merged = world.merged(source, target, number + 1)
            await world.happen(*due, merged, withdrawn, world.mood(target))
        done.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for work in (sender(), sender(), stream()):
            group.create_task(work)

    assert set(handed.values()) == {1}
    events = Counter(event.id for event in await world.events())
    assert set(events.values()) == {1}
    assert set(events) <= {f"{id_}/sent" for id_ in handed}
    assert await world.claim() == []
