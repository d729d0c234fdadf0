"""Expiry on a real database: inactivity, the notice ahead, and merges between."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.application.jobs import Job
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, went
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, activity, order

INACTIVE = PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  renewed_by: [order.completed]")


async def use(rewards: Rewards, source: str) -> None:
    """Put another program live."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="test", now=rewards.clock())


async def expiring(rewards: Rewards) -> list[tuple[str, int, str]]:
    """The notices that were told."""
    told = [each for each in await rewards.outcomes() if each.type == "points.expiring"]
    return [(each.customer_id, each.data["points"], each.data["on"]) for each in told]


async def test_notice_is_told_once_by_two_workers_and_after_a_downtime(rewards: Rewards) -> None:
    """Given 30 customers with points; when nobody was at work until 20 days before they expire, and then two workers
    are, twice; then each customer is told once, and again never."""
    await rewards.happen(*(order(str(n), "10", customer=f"cus_{n:024x}") for n in range(30)))
    rewards.clock.set(NOW.replace(year=2027) - timedelta(days=20))

    for _ in range(2):
        await asyncio.gather(rewards.pass_time(), rewards.pass_time())

    assert sorted(await expiring(rewards)) == [(f"cus_{n:024x}", 10, "2027-06-01") for n in range(30)]
    await rewards.check()


async def test_nobody_is_told_of_points_that_are_spent_or_gone(rewards: Rewards) -> None:
    """Given points that were refunded, and points whose last day is over already; then nobody is told."""
    await rewards.happen(order("1", "10"), order("2", "10", customer=ANA, at=NOW - timedelta(days=370)))
    await rewards.happen(activity("order.cancelled", "c", order_id="1"))
    await rewards.pass_time()
    rewards.clock.set(NOW.replace(year=2027) - timedelta(days=20))
    await rewards.pass_time()
    assert await expiring(rewards) == []


async def test_inactivity_lets_all_points_expire_and_an_order_lets_them_last(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given points that last a year after an order; when one comes after 300 days; then the API shows the new end
    though the stored lots lag behind, the sweep at the old end brings them in step, and all expire at the new one."""
    await use(rewards, INACTIVE)
    await rewards.happen(order("1", "10", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=300))
    await rewards.happen(order("2", "20", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=340))
    shown = (await api.get(f"/v1/customers/{CUSTOMER}/points")).json()
    assert (shown["available"], shown["expiring"]) == (30, [{"points": 30, "on": "2028-03-28"}])

    await rewards.pass_time()
    assert await rewards.rows("SELECT count(DISTINCT expires_at), bool_and(noticed) FROM rewards.lots") == [
        (1, True)
    ]
    assert await expiring(rewards) == [(CUSTOMER, 30, "2028-03-28")]
    rewards.clock.advance(timedelta(days=30))
    await rewards.pass_time()
    assert await rewards.rows("SELECT available FROM rewards.members") == [(0,)]
    await rewards.check()


async def test_renewed_points_hold_up_nobody_elses(rewards: Rewards) -> None:
    """Given points whose end an order has moved on, and another customer's that end a day later; when the jobs take one
    customer at a time at either's first end, and before; then the others are told of theirs, and lose them."""
    await use(rewards, INACTIVE)
    start = rewards.clock()
    await rewards.happen(order("a", "10", customer=ANA, at=start))
    await rewards.happen(order("b", "20", customer=BEN, at=start + timedelta(days=1)))
    rewards.clock.advance(timedelta(days=200))
    await rewards.happen(order("again", "1", customer=ANA, at=rewards.clock()))

    rewards.clock.set(start + timedelta(days=340))
    await _one_at_a_time(rewards, rewards.jobs.give_notice)
    assert [each[:2] for each in await expiring(rewards)] == [(BEN, 20)]
    rewards.clock.set(start + timedelta(days=370))
    await _one_at_a_time(rewards, rewards.jobs.move_points)
    assert dict(await rewards.rows("SELECT customer_id, available FROM rewards.members")) == {ANA: 11, BEN: 0}
    await rewards.check()


async def _one_at_a_time(rewards: Rewards, job: Job) -> None:
    """Do a job as workers do, until it finds nothing."""
    done = 1
    while done:
        async with rewards.engine.begin() as connection:
            done = await job(connection, rewards.clock(), limit=1)


@pytest.mark.parametrize("late_by", [timedelta(hours=1), timedelta(days=150)])
async def test_an_order_that_comes_late_ends_like_one_in_time(rewards: Rewards, late_by: timedelta) -> None:
    """Given points that last a year after an order; when the second order arrives in time, or long after they expired;
    then the customer has both orders' points."""
    await use(rewards, INACTIVE)
    start = rewards.clock()
    await rewards.happen(order("1", "10", at=start))
    second = order("2", "20", at=start + timedelta(days=300))
    rewards.clock.set(second.time + late_by)
    await rewards.pass_time()
    await rewards.happen(second)
    await rewards.pass_time()
    assert await rewards.rows("SELECT available FROM rewards.members") == [(30,)]
    await rewards.check()


async def test_merged_customers_keep_each_others_points_alive(rewards: Rewards) -> None:
    """Given two customers, one of whom ordered lately; when they merge; then the points of both last by that order;
    when the merge is undone; then the lots go back with the end they had."""
    await use(rewards, INACTIVE)
    start = rewards.clock()
    await rewards.happen(order("a", "10", customer=ANA, at=start))
    rewards.clock.advance(timedelta(days=200))
    await rewards.happen(order("b", "20", customer=BEN, at=rewards.clock()))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    rewards.clock.advance(timedelta(days=200))
    await rewards.pass_time()
    assert dict(await rewards.rows("SELECT customer_id, available FROM rewards.members")) == {ANA: 30, BEN: 0}

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await rewards.pass_time()
    assert dict(await rewards.rows("SELECT customer_id, available FROM rewards.members")) == {
        ANA: 10,
        BEN: 20,
    }
    rewards.clock.advance(timedelta(days=200))
    await rewards.pass_time()
    assert dict(await rewards.rows("SELECT customer_id, available FROM rewards.members")) == {ANA: 0, BEN: 0}
    await rewards.check()


@pytest.mark.parametrize("noticed", [True, False])
async def test_what_ended_before_a_merge_is_not_renewed_by_it_noticed_or_not(
    rewards: Rewards, noticed: bool
) -> None:
    """Given a customer whose points have ended, and another one whose order would have let them last; when the two
    merge, after the jobs have come by or before; then only the other's points are there."""
    await use(rewards, INACTIVE)
    await rewards.happen(order("a", "10", customer=ANA, at=rewards.clock()))
    rewards.clock.advance(timedelta(days=350))
    await rewards.happen(order("b", "20", customer=BEN, at=rewards.clock()))
    rewards.clock.advance(timedelta(days=50))

    if noticed:
        await rewards.pass_time()
    await rewards.happen(went("customer.merged", ANA, BEN, [ANA], 1))
    await rewards.pass_time()

    assert dict(await rewards.rows("SELECT customer_id, available FROM rewards.members")) == {ANA: 0, BEN: 20}
    await rewards.check()
