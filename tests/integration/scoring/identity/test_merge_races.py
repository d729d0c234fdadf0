"""Decisions about who is who, while somebody else changes it at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.identity.decisions import PostgresDecisions
from services.scoring.adapters.identity.identities import IDENTITY_LOCK, PostgresIdentities
from services.scoring.application.identity.merging import Merging, Named
from services.scoring.domain.identity.resolution import Resolution
from tests.integration.scoring.api import Api
from tests.integration.scoring.identity.test_merges import customer, merge, post
from tests.integration.scoring.world import World

ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
    """


@asynccontextmanager
async def changing_identities(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Somebody who has the right to change whose an identifier is, until the block ends."""
    async with engine.begin() as connection:
        await connection.execute(ALONE, {"lock": IDENTITY_LOCK})
        yield connection


async def until_somebody_waits(world: World) -> None:
    """Until a transaction waits for another."""
    async with asyncio.timeout(10):
        while await world.rows(WAITING) == [(0,)]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_customer_who_is_merged_away_meanwhile_is_found_all_the_same(api: Api):
    """Given three customers; when one is named by our id in a merge, while another merge that makes it part of the
    third is about to be committed; then the merge waits, and means the customer whom that id leads to then."""
    for number, name in enumerate(("ana", "ben", "cem")):
        await api.order(number, f"{number}", id=name)
    ana, ben, cem = [(await customer(api, name))["id"] for name in ("ana", "ben", "cem")]

    async with changing_identities(api.world.engine) as connection:
        late = asyncio.create_task(merge(api, ben, ana, key="late"))
        await until_somebody_waits(api.world)
        await _make_part_of(api.world, connection, ben, cem)
    answer = await late

    assert answer.status_code == 201, answer.text
    assert (answer.json()["from"], answer.json()["into"]) == (cem, ana)


async def _make_part_of(world: World, connection: AsyncConnection, loser: str, winner: str) -> None:
    """Another process merges two customers."""
    identities, decisions = PostgresIdentities(), PostgresDecisions()
    merging = Merging(identities, decisions, world.take_in.identify, world.take_in.apply)
    ends = Named("", loser), Named("", winner)
    await merging.merge(connection, "mrg_first", *ends, reason="one", actor="key", now=world.now)


async def test_a_suggestion_is_accepted_beside_somebody_who_finds_that_it_is_none(api: Api):
    """Given a suggested merge; when it is accepted while a worker is about to forget it, since its address proved to be
    everybody's; then neither waits for the other in a circle: the worker goes on, and the answer is that there is no
    such suggestion."""
    for number, name in enumerate(("ana", "ben")):
        await api.order(number, f"{number}", id=name, email="family@example.com")
    (found,) = (await api.get("/v1/customers/suggested-merges")).json()["items"]
    ((via,),) = await api.world.rows("SELECT via FROM scoring.suggested_merges")

    async with changing_identities(api.world.engine) as connection:
        path = f"/v1/customers/suggested-merges/{found['id']}/accept"
        accepting = asyncio.create_task(post(api, path, {"reason": "one"}, key="a-1"))
        await until_somebody_waits(api.world)
        await connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        await PostgresDecisions().suggest(connection, Resolution(shared={via}), api.world.now)
    answer = await accepting

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_suggestion")
