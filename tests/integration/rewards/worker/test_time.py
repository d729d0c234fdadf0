"""What time alone makes due."""

import asyncio
from datetime import timedelta

from services.rewards.adapters.programs import PostgresPrograms
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import NOW, PROGRAM, order, refund


async def test_lots_expire_once_with_two_workers(rewards: Rewards) -> None:
    """Given 50 customers with points past their last day; when two workers look at once; then each lot expires once."""
    await rewards.happen(*(order(str(n), "10", customer=f"cus_{n:024x}") for n in range(50)))
    rewards.clock.advance(timedelta(days=367))

    await asyncio.gather(rewards.pass_time(), rewards.pass_time())

    assert await rewards.rows(
        "SELECT kind, count(*), sum(points) FROM rewards.entries GROUP BY 1 ORDER BY 1"
    ) == [
        ("earn", 50, 500),
        ("expire", 50, 500),
    ]
    await rewards.check()


async def test_pending_points_become_available_when_their_time_is_over(rewards: Rewards) -> None:
    """Given points that wait 14 days; when 14 days pass, less a second, then all; then they are available, once."""
    await _with_pending(rewards)
    await rewards.happen(order("1", "100", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=14, seconds=-1))
    await rewards.pass_time()
    assert await rewards.rows("SELECT available, pending FROM rewards.members") == [(0, 100)]

    rewards.clock.advance(timedelta(seconds=1))
    await rewards.pass_time()
    await rewards.pass_time()

    assert await rewards.rows("SELECT available, pending, entries FROM rewards.members") == [(100, 0, 2)]
    await rewards.check()


async def test_a_refund_takes_pending_points_of_its_own_order(rewards: Rewards) -> None:
    """Given pending points; when the order is refunded; then they go, and nothing is left to become available."""
    await _with_pending(rewards)
    await rewards.happen(order("1", "100", at=rewards.clock()))
    await rewards.happen(refund("1", "r1", "100", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=15))
    await rewards.pass_time()

    assert await rewards.rows("SELECT available, pending, debt FROM rewards.members") == [(0, 0, 0)]
    await rewards.check()


async def test_a_tier_is_reviewed_when_its_time_is_over(rewards: Rewards) -> None:
    """Given Gold for 12 months; when they are over and nothing was bought; then Gold is lost, with a record."""
    await rewards.happen(order("1", "250"))
    rewards.clock.set(NOW.replace(year=2027) + timedelta(days=1))

    await rewards.pass_time()

    assert await rewards.rows("SELECT tier, tier_until, spend FROM rewards.members") == [("member", None, 0)]
    assert await rewards.rows("SELECT new, reason FROM rewards.tier_history ORDER BY number") == [
        ("gold", "spend"),
        ("member", "review"),
    ]


async def _with_pending(rewards: Rewards) -> None:
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    source = PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D")
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="test", now=rewards.clock())
