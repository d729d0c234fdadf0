"""Locks of the jobs that look at all customers: none waits for another in a circle."""

import asyncio

from sqlalchemy import text

from services.scoring.adapters.identity.identities import IDENTITY_LOCK
from services.scoring.adapters.segments.segments import PostgresRules
from tests.integration.scoring.identity.test_identities import placed
from tests.integration.scoring.identity.test_merge_races import ALONE, until_somebody_waits
from tests.integration.scoring.rebuilding.test_rebuild import begin
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS


async def test_a_rebuild_that_ends_and_a_ranking_do_not_wait_for_each_other(world: World):
    """Given a daily pass that stands at its row and is about to store a ranking, for which it must be alone; when a
    rebuild comes to its end, which sets the pass to begin anew; then the pass goes on, and the rebuild after it."""
    await world.feed(placed(0, "1", id="ana"))
    rules = PostgresRules(SETTINGS)
    rebuild = world.rebuild(rules)
    rebuilding = await begin(world)

    async def step() -> bool:
        async with world.engine.begin() as connection:
            return (await rebuild(connection, rebuilding.id, world.now)).finished_at is not None

    assert not await step()
    async with world.engine.begin() as connection:
        await rules.hold(connection)
        await connection.execute(text("SELECT FROM scoring.segment_pass FOR UPDATE"))
        ending = asyncio.create_task(step())
        await until_somebody_waits(world)
        await connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        await connection.execute(ALONE, {"lock": IDENTITY_LOCK})
    assert await ending
