"""The books by day are kept beside the ledger, and always say what it says."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from typer.testing import Result

from services.rewards.adapters.points.books.by_day import UNBOOKED_MAX, PostgresBooks, read_books
from services.rewards.adapters.points.proving import prove
from tests.integration.deploy.test_commands import regulars  # noqa: F401  # a fixture
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.points.test_books import liability
from tests.integration.rewards.programs.test_program_life import look_again, put
from tests.unit.rewards.building import PROGRAM, order, refund

Regulars = Callable[..., Awaitable[Result]]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NEW_YORK, KATHMANDU = "America/New_York", "Asia/Kathmandu"

_MEMBER = text("""
    INSERT INTO rewards.members (customer_id, entries, available, pending, reserved, debt, lifetime_earned,
        tier_changes, spend)
    VALUES (:customer, 1, :points, 0, 0, 0, :points, 0, 0)
    ON CONFLICT (customer_id) DO UPDATE SET entries = members.entries + 1,
        available = members.available + excluded.available,
        lifetime_earned = members.lifetime_earned + excluded.lifetime_earned
    RETURNING entries
    """)
_LOT = text("""
    INSERT INTO rewards.lots (customer_id, lot, pending, points, remaining, expired)
    VALUES (:customer, :lot, false, :points, :points, 0)
    """)
_ENTRY = text("""
    INSERT INTO rewards.entries (customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause,
        program_version, key)
    VALUES (:customer, :number, :at, :at, 'earn', 'program:issued', 'customer:available', :points, :lot, 'r', 'c', 1,
        :key)
    """)


async def earn(connection: AsyncConnection, customer: int, points: int, at: datetime) -> None:
    """Write an entry recorded at this moment, and what follows from it."""
    who = {"customer": f"cus_{customer}", "points": points}
    number = (await connection.execute(_MEMBER, who)).scalar_one()
    who["lot"] = 1000 * customer + number
    await connection.execute(_LOT, who)
    await connection.execute(_ENTRY, {**who, "number": number, "key": str(number), "at": at})


async def counted(engine: AsyncEngine, zone: str, before: date) -> "Counter[tuple[object, ...]]":
    """What the books have to say: every entry, one by one."""
    sums: Counter[tuple[object, ...]] = Counter()
    async with engine.connect() as connection:
        for at, debit, credit, points in await connection.execute(
            text("SELECT recorded_at, debit, credit, points FROM rewards.entries")
        ):
            day = at.astimezone(ZoneInfo(zone)).date()
            sums[max(day, before), debit, credit] += points
    return sums


async def told(engine: AsyncEngine, zone: str, before: date) -> "Counter[tuple[object, ...]]":
    """What the books say."""
    async with engine.connect() as connection:
        rows = await read_books(connection, before, zone)
    sums = Counter({(day, debit.value, credit.value): points for day, debit, credit, points in rows})
    assert len(sums) == len(rows), "each day and pair of accounts is told once"
    return sums


class World:
    """The books of one database, and transactions under way."""

    def __init__(self, engine: AsyncEngine, seed: int) -> None:
        self.engine = engine
        self.books = PostgresBooks()
        self.chance = random.Random(seed)
        self.open: dict[int, AsyncConnection] = {}

    async def step(self) -> None:
        """Something happens."""
        what = self.chance.choice(("begin", "begin", "write", "end", "end", "keep", "keep", "make", "zone"))
        await getattr(self, what)()

    async def begin(self) -> None:
        """A transaction begins and writes."""
        customer = self.chance.randrange(4)
        if customer not in self.open:
            connection = await self.engine.connect()
            self.open[customer] = connection
            await self._earn(customer)

    async def write(self) -> None:
        """One that is under way writes more."""
        if self.open:
            await self._earn(self.chance.choice(list(self.open)))

    async def end(self) -> None:
        """One commits, or is undone."""
        if self.open:
            connection = self.open.pop(self.chance.choice(list(self.open)))
            if self.chance.random() < 0.7:
                await connection.commit()
            await connection.close()

    async def keep(self) -> None:
        """Somebody keeps the books, and may be killed before it is done."""
        async with self.engine.connect() as connection:
            zone = await self.books.lock(connection, wait=False)
            if zone:
                await self.books.add(connection, zone)
            if self.chance.random() < 0.8:
                await connection.commit()

    async def make(self) -> None:
        """Somebody makes them anew, and may be killed before it is done."""
        await self._make(self.chance.choice((NEW_YORK, KATHMANDU)))

    async def zone(self) -> None:
        """The program's time zone changes."""
        async with self.engine.connect() as connection:
            kept = await self.books.lock(connection, wait=True)
        await self._make(KATHMANDU if kept == NEW_YORK else NEW_YORK)

    async def _make(self, zone: str) -> None:
        async with self.engine.connect() as connection:
            await self.books.lock(connection, wait=True)
            await self.books.make(connection, zone)
            if self.chance.random() < 0.8:
                await connection.commit()

    async def _earn(self, customer: int) -> None:
        at = NOON + timedelta(
            minutes=self.chance.randrange(-4_000, 4_000)
        )  # clocks are put back, and forward
        await earn(self.open[customer], customer, self.chance.randrange(1, 50), at)


@pytest.mark.parametrize("seed", range(3))
async def test_books_say_what_the_ledger_says_whatever_happens_in_between(
    rewards: Rewards, seed: int
) -> None:
    """Given transactions that begin, write entries of any day, commit late or never, while somebody adds to the books,
    is killed over it, makes them anew or by another time zone; when the books are read after every step; then they say
    what all entries add up to, in either zone."""
    world = World(rewards.engine, seed)
    before = date(2026, 5, 31)
    for _ in range(45):
        await world.step()
        for zone in (NEW_YORK, KATHMANDU):
            assert await told(rewards.engine, zone, before) == await counted(rewards.engine, zone, before)
    while world.open:
        await world.end()
    async with rewards.engine.begin() as connection:
        zone = await world.books.lock(connection, wait=True)
        if zone:
            while await world.books.add(connection, zone):
                pass
    await rewards.check()
    assert not zone or await rewards.rows("SELECT points FROM rewards.unbooked") == []


async def keep(rewards: Rewards) -> None:
    """Let the worker bring the books up to date."""
    done = 1
    while done:
        async with rewards.engine.begin() as connection:
            done = await rewards.books(connection, rewards.clock())


async def test_an_entry_that_commits_after_its_day_was_booked_counts_on_that_day(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given entries of 1 June of which some commit when the days until 2 June are booked already; when the books are
    read; then all count on 1 June, before they are added and after."""
    await rewards.happen(order("1", "100"))
    await keep(rewards)
    async with rewards.engine.begin() as late:
        await earn(late, 9, 7, rewards.clock())
        rewards.clock.advance(timedelta(days=1))
        await rewards.happen(refund("1", "r", "40", at=rewards.clock()))
        await keep(rewards)
        assert (await liability(api, "2026-06-01", "2026-06-02"))["2026-06-01"]["owed"] == 100
    for _ in range(2):
        days = await liability(api, "2026-06-01", "2026-06-02")
        assert [(each["earned"], each["taken_back"], each["owed"]) for each in days.values()] == [
            (107, 0, 107),
            (0, 40, 67),
        ]
        await keep(rewards)


async def test_two_workers_do_not_add_the_same_twice(rewards: Rewards) -> None:
    """Given a worker that has added to the books and not committed; when another comes; then it leaves them alone, and
    what the first has added is there once."""
    await keep(rewards)
    await rewards.happen(order("1", "100"))
    async with rewards.engine.begin() as first, rewards.engine.begin() as second:
        await rewards.books(first, rewards.clock())
        assert await rewards.books(second, rewards.clock()) == 0
    await keep(rewards)
    assert await rewards.rows("SELECT sum(points) FROM rewards.booked") == [(100,)]
    await rewards.check()


async def test_what_a_long_downtime_left_is_added_in_parts(rewards: Rewards) -> None:
    """Given more to add than one transaction takes; when the job runs; then it asks to be run again until all is
    added."""
    await keep(rewards)
    async with rewards.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO rewards.unbooked SELECT :at, 'program:issued', 'customer:available', 1
                FROM generate_series(1, :many)
                """),
            {"at": NOON, "many": UNBOOKED_MAX + 1},
        )
    done = []
    for _ in range(2):
        async with rewards.engine.begin() as connection:
            done.append(await rewards.books(connection, rewards.clock()))
    assert done == [1, 0]
    assert await rewards.rows("SELECT sum(points) FROM rewards.booked") == [(UNBOOKED_MAX + 1,)]


async def test_a_program_of_another_time_zone_has_the_books_made_anew(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given books by the days of New York; when a program of Kathmandu comes into force; then the same moments are told
    by its days, at once, and the worker makes the books anew."""
    rewards.clock.advance(timedelta(hours=10))  # 18:00 of 1 June in New York, 03:45 of 2 June in Kathmandu
    await rewards.happen(order("1", "100", at=rewards.clock()))
    await keep(rewards)
    assert (await liability(api, "2026-06-01", "2026-06-02"))["2026-06-01"]["earned"] == 100
    assert (await put(api, PROGRAM.replace(NEW_YORK, KATHMANDU))).status_code == 200
    look_again(rewards)
    for _ in range(2):
        days = await liability(api, "2026-06-01", "2026-06-02")
        assert [each["earned"] for each in days.values()] == [0, 100]
        await keep(rewards)
    assert await rewards.rows("SELECT time_zone FROM rewards.booking") == [(KATHMANDU,)]
    await rewards.check()


async def test_who_makes_the_books_anew_waits_for_who_is_making_them(rewards: Rewards) -> None:
    """Given somebody who keeps the books for longer than a statement may take; when they are asked for anew; then that
    waits, and makes them."""
    await rewards.happen(order("1", "100"))
    async with rewards.engine.begin() as keeper, rewards.engine.begin() as connection:
        await rewards.books.books.lock(keeper, wait=False)
        await connection.execute(text("SET LOCAL statement_timeout = '200ms'"))
        asked = asyncio.create_task(rewards.books.make_anew(connection, rewards.clock()))
        await asyncio.sleep(0.6)
        assert not asked.done()
        await keeper.rollback()
        await asked

    await rewards.check()


async def test_books_that_are_wrong_are_found_and_made_anew(rewards: Rewards, regulars: Regulars) -> None:  # noqa: F811
    """Given books that somebody changed; when the ledger is verified, the books are made anew and it is verified
    again; then the first finds the day, and the second nothing."""
    await rewards.happen(order("1", "100"))
    await keep(rewards)
    await rewards.plant("UPDATE rewards.booked SET day = day - 1")
    async with rewards.engine.begin() as connection:
        found = {what: [each.who for each in each_found] async for what, each_found in prove(connection)}
    assert found.pop("the books by day are the sums of the entries") == ["2026-05-31", "2026-06-01"]
    assert not any(found.values())
    answer = await regulars("ledger", "rebuild")
    assert answer.exit_code == 0, answer.output
    assert (await regulars("ledger", "verify")).exit_code == 0
    await rewards.check()
