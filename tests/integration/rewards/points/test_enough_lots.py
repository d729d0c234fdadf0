"""What is decided with the lots that a decision needs is what is decided with all of them, and when what is due is
done makes no difference."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.due import PostgresDue
from services.rewards.adapters.members.members import PostgresMembers
from services.rewards.adapters.names import Names
from services.rewards.adapters.points.adjustments import PostgresAdjustments
from services.rewards.adapters.points.lots import LOT, add_lot
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.application.points.adjusting import AdjustPoints
from services.rewards.application.spending.checkout import Checkout
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.state.member import Member
from shared.postgres.engine import create_engine
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards, rewards_on
from tests.support.clock import ManualClock
from tests.support.database import TestDatabases
from tests.support.random_acts import Act, Adjust, Ask, Happen, RandomActs, Sweep, Wait

LIVES = int(os.environ.get("LIVES", "4"))
"""`LIVES=100` tries so many."""
STEPS = 120
PROVED_EVERY = 40

MEMBERS = """
    SELECT customer_id, available, pending, reserved, debt, lifetime_earned FROM rewards.members ORDER BY 1
    """
LOTS = """
    SELECT customer_id, lot, pending, points, remaining, expired FROM rewards.lots
    WHERE remaining > 0 OR expired > 0 ORDER BY 1, 2
    """
OVERDUE = """
    SELECT customer_id, lot FROM rewards.lots
    WHERE remaining > 0 AND (expires_at <= :now OR pending AND available_at <= :now)
    """


async def load_every_lot(connection: AsyncConnection, members: Iterable[Member]) -> None:
    """All that these members ever had, empty ones too."""
    by_id = {member.customer_id: member for member in members}
    statement = text(f"SELECT {LOT} FROM rewards.lots WHERE customer_id = ANY(:ids)")
    for row in await connection.execute(statement, {"ids": list(by_id)}):
        add_lot(by_id[row[0]], row)


class MembersWithEveryLot(PostgresMembers):
    """Whoever locks members, on the stream or to adjust their points, has all their lots."""

    async def lock(
        self, connection: AsyncConnection, customer_ids: Iterable[str], *, create: bool
    ) -> dict[str, Member]:
        locked = await super().lock(connection, customer_ids, create=create)
        await load_every_lot(connection, locked.values())
        return locked


class CheckoutsWithEveryLot(PostgresCheckouts):
    """The checkout too."""

    async def lock(
        self, connection: AsyncConnection, names: set[str], redemptions: set[str]
    ) -> tuple[dict[str, Member], dict[str, Member]]:
        by_name, by_id = await super().lock(connection, names, redemptions)
        await load_every_lot(connection, by_id.values())
        return by_name, by_id


class DueWithEveryLot(PostgresDue):
    """And the jobs."""

    async def points(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        members = await super().points(connection, now, limit, skip)
        await load_every_lot(connection, members.values())
        return members

    async def reservations(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> tuple[dict[str, Member], set[str]]:
        members, ids = await super().reservations(connection, now, limit, skip)
        await load_every_lot(connection, members.values())
        return members, ids


class Side:
    """The service on a database of its own. `on_time`: what is due is done as soon as it is; otherwise only over
    reservations are, which both must have released to answer alike."""

    def __init__(
        self, rewards: Rewards, store: type[PostgresCheckouts] = PostgresCheckouts, *, on_time: bool = False
    ) -> None:
        self.rewards = rewards
        self.on_time = on_time
        members, programs, names = rewards.jobs.members, rewards.jobs.programs, Names(rewards.pseudonyms)
        self.checkout = Checkout(members, store(names), programs, lambda one: one.id.encode())
        self.adjust = AdjustPoints(members, PostgresAdjustments(names), programs)

    async def do(self, act: Act) -> list[str]:
        """What is answered."""
        match act:
            case Happen(activities):
                await self.rewards.happen(*activities)
            case Ask(requests):
                async with self.rewards.engine.begin() as connection:
                    answers = await self.checkout(connection, requests, self.rewards.clock())
                return [one.code if isinstance(one, RefusedError) else str(one) for one in answers]
            case Adjust():
                return [await self._adjust(act)]
            case Wait() if not self.on_time:
                await self._release_reservations()
            case Wait() | Sweep():
                await self.rewards.pass_time()
        return []

    async def _adjust(self, act: Adjust) -> str:
        try:
            async with self.rewards.engine.begin() as connection:
                adjusted = await self.adjust(
                    connection, act.customer, act.points, self.rewards.clock(),
                    id_=act.id, reason="x", actor="test",
                )  # fmt: skip
        except RefusedError as refusal:
            return refusal.code
        return str(adjusted)

    async def _release_reservations(self) -> None:
        done = 1
        while done:
            async with self.rewards.engine.begin() as connection:
                done = await self.rewards.jobs.expire_reservations(connection, self.rewards.clock())

    async def look(self) -> list[list[tuple[object, ...]]]:
        """Everybody's points, and in which lots they are, as if all that is due were done; then as it was."""
        async with self.rewards.engine.connect() as connection:
            while await self.rewards.jobs.move_points(connection, self.rewards.clock()):
                pass
            return [
                [tuple(row) for row in await connection.execute(text(query))] for query in (MEMBERS, LOTS)
            ]

    async def prove(self) -> None:
        """Nothing is due any more, and the ledger's invariants hold."""
        await self.rewards.pass_time()
        assert await self.rewards.rows(OVERDUE, now=self.rewards.clock()) == []
        await self.rewards.check()


@asynccontextmanager
async def other_rewards(
    databases: TestDatabases, settings: Settings, clock: ManualClock, program: str
) -> AsyncIterator[Rewards]:
    """The service with all lots at hand, on a second database."""
    async with databases.fresh() as url:
        engine = create_engine(url, role="regulars_rewards", pool_size=4, application="regulars-test")
        try:
            yield await rewards_on(engine, settings, clock, program, MembersWithEveryLot, DueWithEveryLot)
        finally:
            await engine.dispose()


@pytest.mark.parametrize("seed", range(LIVES))
async def test_the_lots_that_are_needed_come_to_the_same_as_all_of_them(
    engine_for: EngineFor, databases: TestDatabases, settings: Settings, clock: ManualClock, seed: int
) -> None:
    """Given a hundred random acts: batches of the stream and the checkout, adjustments, merges, time in which points
    wait, end or last by activity; when they are decided with the lots that are needed, and on another database with
    all lots at hand, by half of the seeds also with nothing ever left due; then each has the same answer, and
    everybody the same points in the same lots."""
    life = RandomActs(Random(seed), merging=seed % 4 >= 2)
    program = life.program()
    one = Side(await rewards_on(engine_for("regulars_rewards"), settings, clock, program))
    async with other_rewards(databases, settings, clock, program) as rewards:
        other = Side(rewards, CheckoutsWithEveryLot, on_time=seed % 2 == 1)
        before: list[Act] = []
        for step, act in enumerate([*life.acts(STEPS), Sweep()], 1):
            clock.set(act.until if isinstance(act, Wait) else clock())
            before.append(act)
            answer, expected = await asyncio.gather(one.do(act), other.do(act))
            assert answer == expected, before[-5:]
            found, wanted = await asyncio.gather(one.look(), other.look())
            assert found == wanted, before[-5:]
            if step % PROVED_EVERY == 0:
                await one.rewards.check()
        for side in (one, other):
            await side.prove()
