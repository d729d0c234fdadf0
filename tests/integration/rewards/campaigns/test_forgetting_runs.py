"""Runs of campaigns are kept for as long as explanations promise, and for as long as anything needs them."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from services.rewards.adapters.campaigns.forgetting import forget_runs
from services.rewards.application.campaigns.forgetting import ForgetRuns
from shared.program.values.period import Period
from tests.integration.rewards.campaigns.campaigning import run_program
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity

UTC = ZoneInfo("UTC")
KEPT = Period(months=36)
OLD = timedelta(days=1_200)
OTHER = "cus_000000000000000000000002"


def forgetter(rewards: Rewards, batch: int = 1_000) -> ForgetRuns:
    return ForgetRuns(partial(forget_runs, limit=batch), rewards.handler.programs)


async def forget(rewards: Rewards, one: ForgetRuns | None = None) -> int:
    """All that may go, as a worker does it; in how many batches."""
    one, batches = one or forgetter(rewards), 0
    while True:
        async with rewards.engine.begin() as connection:
            gone = await one(connection, KEPT.before(rewards.clock(), UTC), rewards.clock())
        if gone is None:
            return batches
        batches += 1


async def carts(rewards: Rewards, *days: int, customer: str = CUSTOMER) -> None:
    """The customer leaves a cart on each of these days after NOW."""
    for day in days:
        at = NOW + timedelta(days=day)
        rewards.clock.now = max(rewards.clock.now, at)
        await rewards.happen(activity("x.cart.left", f"{customer}-{day}", at=at, customer=customer))


async def kept(rewards: Rewards) -> Counter[str]:
    rows = await rewards.rows("SELECT campaign FROM rewards.campaign_runs")
    return Counter(row[0] for row in rows)


async def starts(rewards: Rewards, campaign: str) -> list[datetime]:
    rows = await rewards.rows(
        "SELECT started_at FROM rewards.campaign_runs WHERE campaign = :campaign ORDER BY 1",
        campaign=campaign,
    )
    return [row[0] for row in rows]


async def test_what_nothing_needs_goes_with_its_messages(rewards: Rewards) -> None:
    """Given runs of a campaign that writes, old and young; when runs are forgotten; then the old ones are gone with
    what became of their messages, and the young ones have theirs."""
    await run_program(rewards, "{id: cart, on: x.cart.left, do: [{message: hello}]}")
    await carts(rewards, 0, 1, 1_000)
    rewards.clock.now = NOW + OLD

    await forget(rewards)

    assert await starts(rewards, "cart") == [NOW + timedelta(days=1_000)]
    assert len(await rewards.rows("SELECT message FROM rewards.campaign_messages")) == 1
    await rewards.happen(activity("x.cart.left", f"{CUSTOMER}-0", at=NOW))
    assert await kept(rewards) == {"cart": 1}, "what comes again after all those years begins nothing"


async def test_what_limits_count_is_kept(rewards: Rewards) -> None:
    """Given campaigns that begin once for ever, once in five years, and once a year; when their runs are old; then
    those that count stay, and hold the next."""
    limits = {"ever": "{times: 1}", "five": "{times: 1, per: P60M}", "year": "{times: 1, per: P12M}"}
    await run_program(
        rewards,
        *(f"{{id: {id_}, on: x.cart.left, do: [{{tag: t}}], at_most: {per}}}" for id_, per in limits.items()),
    )
    await carts(rewards, 0)
    rewards.clock.now = NOW + OLD

    await forget(rewards)

    assert await kept(rewards) == {"ever": 1, "five": 1}
    await carts(rewards, OLD.days)
    assert await kept(rewards) == {"ever": 1, "five": 1, "year": 1}


async def test_what_is_still_to_come_is_kept(rewards: Rewards) -> None:
    """Given a goal that may be reached for a long time, and one that may not; then the one run stays, the other goes;
    and what waits because nobody did it for years stays until it is done."""
    await run_program(
        rewards,
        "{id: long, on: x.cart.left, do: [{tag: t}], success: {on: order.completed, within: P60M}}",
        "{id: short, on: x.cart.left, do: [{tag: t}], success: {on: order.completed, within: P3D}}",
        "{id: waits, on: x.cart.left, after: P30D, recheck: false, do: [{tag: t}]}",
    )
    await carts(rewards, 0)
    rewards.clock.now = NOW + OLD

    await forget(rewards)
    assert await kept(rewards) == {"long": 1, "waits": 1}

    await rewards.pass_time()
    await forget(rewards)
    assert await kept(rewards) == {"long": 1}


async def test_who_is_in_an_arm_stays_in_it(rewards: Rewards) -> None:
    """Given an experiment; when runs are forgotten; then each customer's first one stays, and says in which arm they
    are when the shares have changed."""
    held = "{{id: cart, on: x.cart.left, do: [{{tag: t}}], holdout: {}%}}"
    await run_program(rewards, held.format(50))
    customers = [f"cus_{number:024d}" for number in range(8)]
    for customer in customers:
        await carts(rewards, 0, 1, 2, customer=customer)
    arms = await rewards.rows("SELECT DISTINCT customer_id, arm FROM rewards.campaign_runs ORDER BY 1")
    assert len({arm for _, arm in arms}) == 2
    rewards.clock.now = NOW + OLD

    await forget(rewards)
    assert await starts(rewards, "cart") == [NOW] * 8

    await run_program(rewards, held.format(1))
    for customer in customers:
        await carts(rewards, OLD.days, customer=customer)
    assert (
        await rewards.rows("SELECT DISTINCT customer_id, arm FROM rewards.campaign_runs ORDER BY 1") == arms
    )


async def test_campaigns_that_are_gone_are_left_alone(rewards: Rewards) -> None:
    """Given a campaign that the program has no more; then its runs stay: it may come back, once for ever."""
    await run_program(rewards, "{id: cart, on: x.cart.left, do: [{tag: t}], at_most: {times: 1}}")
    await carts(rewards, 0)
    await run_program(rewards, "{id: other, on: x.cart.left, do: [{tag: t}]}")
    rewards.clock.now = NOW + OLD
    await forget(rewards)
    assert await kept(rewards) == {"cart": 1}


@pytest.mark.parametrize("years", [4, 40])
async def test_two_workers_after_years_of_downtime(rewards: Rewards, years: int) -> None:
    """Given many runs, and nobody who forgot any for years; when two workers begin at once, in small batches; then
    neither waits for the other, all that is old is gone, once, and a look at what stays is not repeated."""
    await run_program(
        rewards,
        "{id: cart, on: x.cart.left, do: [{message: hello}]}",
        "{id: arms, on: x.cart.left, do: [{tag: t}], holdout: 50%}",
    )
    for customer in (CUSTOMER, OTHER):
        await carts(rewards, *range(20), customer=customer)
    rewards.clock.now = NOW + timedelta(days=366 * years)
    workers = [forgetter(rewards, 7), forgetter(rewards, 7)]

    async with asyncio.timeout(30):
        await asyncio.gather(*(forget(rewards, each) for each in workers))

    assert await kept(rewards) == {"arms": 2}
    assert await rewards.rows("SELECT message FROM rewards.campaign_messages") == []
    assert await forget(rewards, workers[0]) == 0
    workers[0].look_again()
    assert await forget(rewards, workers[0]) == 1
