"""Redemptions are watched: what is far beyond the usual raises an alert, once, also after a downtime."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.rewards.adapters.programs import PostgresPrograms
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import PROGRAM

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


def customer(number: int) -> str:
    """A customer's id."""
    return f"cus_{number:024d}".replace("0", "a").replace("1", "b").replace("8", "c").replace("9", "d")


class Shop:
    """A shop's redemptions, written as if they had been made then."""

    def __init__(self, rewards: Rewards) -> None:
        self.rewards = rewards
        self._made = 0

    async def redeemed(self, who: str, at: datetime, points: int, status: str = "confirmed") -> None:
        """A redemption."""
        self._made += 1
        await self.rewards.plant(
            f"""INSERT INTO rewards.members (customer_id, entries, available, pending, reserved, debt, lifetime_earned,
                tier_changes, spend) VALUES ('{who}', 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING""",
            f"""INSERT INTO rewards.redemptions (id, customer_id, points, currency, status, reserved_at, expires_at,
                taken, program_version)
                VALUES ('red_{self._made}', '{who}', {points}, 'USD', '{status}', '{at}', '{at}', '[]', 1)""",
        )

    async def used(self, offer: str, at: datetime, times: int) -> None:
        """So many uses of the offer's code by as many customers."""
        first, self._made = self._made, self._made + times
        await self.rewards.plant(
            f"""INSERT INTO rewards.offer_uses (id, code, customer_id, at, actor, offer, personal)
                SELECT 'use_' || n, 'CODE', 'cus_' || n, '{at}', 'key', '{offer}', false
                FROM generate_series({first}, {first + times - 1}) AS n"""
        )

    async def calm_weeks(self) -> None:
        """Four weeks in which 40 customers redeemed 500 points each, and a code was used twice a day; watched."""
        now = self.rewards.clock()
        await self.rewards.pass_time()
        for number in range(40):
            await self.redeemed(customer(100 + number), now + number * DAY * 0.7, 500)
        for day in range(28):
            await self.used("summer", now + day * DAY, 2)
        self.rewards.clock.set(now + 28 * DAY)
        await self.rewards.pass_time()

    async def alerts(self) -> list[dict[str, Any]]:
        """The alerts, oldest first."""
        rows = await self.rewards.rows(
            "SELECT kind, customer_id, subject, times, details, closed_at FROM platform.alerts ORDER BY raised_at, id"
        )
        return [row._asdict() for row in rows]

    async def close_all(self) -> None:
        """Somebody has looked."""
        await self.rewards.plant(
            f"UPDATE platform.alerts SET closed_at = '{self.rewards.clock()}', closed_by = 'key'"
            " WHERE closed_at IS NULL"
        )


@pytest.fixture
async def shop(rewards: Rewards) -> Shop:
    """A shop after four calm weeks."""
    shop = Shop(rewards)
    await shop.calm_weeks()
    assert await shop.alerts() == []
    return shop


async def test_a_customer_who_redeems_far_more_than_is_usual_is_told_of_once(shop: Shop) -> None:
    """Given calm weeks; when a customer redeems twenty times the usual in an hour, and another the usual; then the
    first is told of, soon after, with the figures; what was released does not count."""
    clock = shop.rewards.clock
    thief, other = customer(7), customer(6)
    for minute in range(0, 60, 12):
        await shop.redeemed(thief, clock() + timedelta(minutes=minute), 2_000)
    await shop.redeemed(other, clock(), 500)
    await shop.redeemed(other, clock(), 9_000, status="released")

    clock.advance(timedelta(hours=1, minutes=20))
    await shop.rewards.pass_time()
    await shop.rewards.pass_time()

    (alert,) = [one for one in await shop.alerts() if one["customer_id"]]
    assert (alert["kind"], alert["customer_id"], alert["subject"]) == ("unusual-redemptions", thief, "")
    assert alert["details"]["usual"] == 500
    assert alert["details"]["compared_with"] >= 30
    raised = [one for one in await shop.rewards.outcomes() if one.type == "alert.raised" and one.customer_id]
    assert [one.customer_id for one in raised] == [thief]


async def test_who_always_redeems_much_is_left_alone(shop: Shop) -> None:
    """Given a customer whose days were all large; when another is as large; then nobody is told."""
    clock = shop.rewards.clock
    for week in range(1, 10):
        await shop.redeemed(customer(5), clock() - week * 7 * DAY, 9_500)
    await shop.redeemed(customer(5), clock(), 10_000)
    clock.advance(timedelta(hours=1))
    await shop.rewards.pass_time()

    assert [one for one in await shop.alerts() if one["customer_id"]] == []


async def test_a_code_that_goes_round_is_told_of_once_until_somebody_looks(shop: Shop) -> None:
    """Given a code used twice a day; when it is used sixty times, closed by somebody, and used on that day and on the
    next; then it is told of once for each day on which somebody had reason to look."""
    clock = shop.rewards.clock
    await shop.used("summer", clock() + timedelta(minutes=1), 60)
    clock.advance(timedelta(minutes=30))
    await shop.rewards.pass_time()
    (alert,) = await shop.alerts()
    assert (alert["customer_id"], alert["subject"]) == ("", "offer:summer")
    assert (alert["details"]["times"], alert["details"]["usual"]) == (60, 2)

    await shop.close_all()
    await shop.used("summer", clock() + timedelta(minutes=1), 1)
    clock.advance(timedelta(hours=2))
    await shop.rewards.pass_time()
    assert len(await shop.alerts()) == 1

    clock.advance(DAY)
    await shop.used("summer", clock(), 60)
    clock.advance(timedelta(minutes=30))
    await shop.rewards.pass_time()
    assert [one["closed_at"] is None for one in await shop.alerts()] == [False, True]


async def test_what_happened_in_a_week_of_downtime_is_told_of_afterwards(shop: Shop) -> None:
    """Given a worker that was away for a week, in the midst of which a code went round; when it is back, two workers at
    once; then the alert is raised, and counts each quarter with reason once."""
    clock = shop.rewards.clock
    burst = clock() + 3 * DAY
    await shop.used("summer", burst + timedelta(minutes=1), 60)
    await shop.used("summer", burst + timedelta(minutes=20), 5)
    clock.advance(7 * DAY)
    await asyncio.gather(shop.rewards.pass_time(), shop.rewards.pass_time())

    (alert,) = await shop.alerts()
    assert (alert["subject"], alert["times"]) == ("offer:summer", 2)


async def test_before_anything_is_known_nobody_is_told(rewards: Rewards) -> None:
    """Given a shop that has just begun; when much is redeemed; then nobody knows what is usual, and nobody is told."""
    shop = Shop(rewards)
    await rewards.pass_time()
    for number in range(20):
        await shop.redeemed(customer(number), rewards.clock(), 100_000)
    await shop.used("summer", rewards.clock(), 500)
    rewards.clock.advance(timedelta(hours=1))
    await rewards.pass_time()
    assert await shop.alerts() == []


async def test_a_clock_that_ran_ahead_loses_nothing(shop: Shop) -> None:
    """Given a worker whose clock ran an hour ahead; when a code goes round in what it took for the past; then it is
    told of when the next quarter is looked at."""
    clock = shop.rewards.clock
    at = clock()
    clock.advance(timedelta(hours=1))
    await shop.rewards.pass_time()
    clock.set(at)
    await shop.used("summer", at + timedelta(minutes=20), 60)
    await shop.rewards.pass_time()
    await shop.used("summer", at + timedelta(hours=1), 1)
    clock.set(at + timedelta(hours=1, minutes=30))
    await shop.rewards.pass_time()
    assert [one["subject"] for one in await shop.alerts()] == ["offer:summer"]


async def test_a_program_can_turn_it_off(shop: Shop) -> None:
    """Given a program that says off; when a code goes round; then nobody is told."""
    programs = shop.rewards.jobs.programs
    assert isinstance(programs, PostgresPrograms)
    async with shop.rewards.engine.begin() as connection:
        source = PROGRAM + "alerts: {unusual_redemptions: off}\n"
        await programs.add_file(connection, source, shop.rewards.clock())
    await shop.used("summer", shop.rewards.clock(), 60)
    shop.rewards.clock.advance(timedelta(hours=1))
    await shop.rewards.pass_time()
    assert await shop.alerts() == []
