"""A program that comes to say how often a tier brings its code, on a real database: one code for each new period."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.rewards.adapters import due
from shared.postgres.direct import autocommit
from shared.postgres.engine import NO_SCANS, service_engine
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.tiering.test_tiers import BENEFITS, use
from tests.integration.rewards.two_members import ANA, BEN, went
from tests.integration.rewards.two_members import order as bought
from tests.integration.rewards.worker.test_batches import nodes
from tests.unit.rewards.building import CUSTOMER, NOW, order, refund

QUARTERLY = BENEFITS.replace("every: P1M", "every: P3M")
AUGUST, SEPTEMBER, OCTOBER = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (8, 9, 10))
NOVEMBER, DECEMBER = (datetime(2026, month, 1, 13, tzinfo=UTC) for month in (11, 12))
"""When months begin that are counted from `NOW`, the 1st of June, by the clock of New York."""
SECOND = timedelta(seconds=1)


async def issued(rewards: Rewards, customer: str = CUSTOMER) -> list[datetime]:
    """When the customer's codes came."""
    rows = await rewards.rows(
        "SELECT issued_at FROM rewards.offers WHERE customer_id = :id ORDER BY 1", id=customer
    )
    return [row[0] for row in rows]


async def kept(rewards: Rewards, customer: str = CUSTOMER) -> list[Any]:
    """From when on periods count, how long they are, and the last one that had its code."""
    statement = "SELECT anchor, every, issued FROM rewards.tier_benefits WHERE customer_id = :id"
    return [tuple(row) for row in await rewards.rows(statement, id=customer)]


async def look(rewards: Rewards, moment: datetime) -> None:
    """Two workers look at once at that moment."""
    rewards.clock.set(moment)
    await asyncio.gather(rewards.pass_time(), rewards.pass_time())


async def test_a_shorter_period_brings_one_code_at_once_and_a_longer_one_waits_for_its_end(
    rewards: Rewards,
) -> None:
    """Given 20 Golds with a code each quarter; when the program says months in the third one, and a worker dies as it
    looks; then each has one code at once, the one that the dead had made, and the next as another month begins. When it
    says quarters, months and quarters again, then that brings nobody anything, and the next is due a quarter after the
    last began."""
    golds = [f"cus_{n:024x}" for n in range(20)]
    await use(rewards, QUARTERLY)
    await rewards.happen(*(order(customer, "250", customer=customer) for customer in golds))
    rewards.clock.set(changed := AUGUST + timedelta(days=9))
    await use(rewards, BENEFITS)
    codes = text("SELECT customer_id, code FROM rewards.offers WHERE issued_at = :at ORDER BY 1")
    async with rewards.engine.connect() as connection:
        await rewards.jobs.review_tiers(connection, changed)
        made = list(await connection.execute(codes, {"at": changed}))
        await connection.rollback()

    for moment in (changed, SEPTEMBER - SECOND, SEPTEMBER):
        await look(rewards, moment)
    assert [row[0] for row in made] == golds
    assert await rewards.rows(codes.text, at=changed) == made
    for source in (QUARTERLY, BENEFITS, QUARTERLY):
        await use(rewards, source)
        await look(rewards, SEPTEMBER + timedelta(days=20))
    for moment in (DECEMBER - SECOND, DECEMBER):
        await look(rewards, moment)
    times = [await issued(rewards, customer) for customer in golds]
    assert times == [[NOW, changed, SEPTEMBER, DECEMBER]] * 20
    assert await rewards.rows("SELECT count(DISTINCT code) FROM rewards.offers") == [(80,)]


async def test_losing_the_tier_while_the_period_changes_brings_nothing_twice(rewards: Rewards) -> None:
    """Given Gold with a monthly code, that is lost; when the program says quarters meanwhile, and an order reaches Gold
    again in the second month; then there is no second code for the quarter; and where nobody has a tier, what is kept
    of its benefits still counts by what the program says."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"), refund("1", "r1", "250"), order("2", "250"))
    await rewards.happen(refund("2", "r2", "250"))
    await use(rewards, QUARTERLY)
    await look(rewards, NOW)
    assert await kept(rewards) == [(NOW, "P3M", 0)]

    rewards.clock.set(NOW + timedelta(days=40))
    await rewards.happen(order("3", "250", at=rewards.clock()))
    for moment in (rewards.clock(), SEPTEMBER - SECOND, SEPTEMBER):
        await look(rewards, moment)
    assert await issued(rewards) == [NOW, SEPTEMBER]


async def test_an_order_meets_the_new_period_before_the_timed_job_does(rewards: Rewards) -> None:
    """Given Gold with a code each quarter, lost after its first; when the program says months in the third one, and the
    next thing that happens is an order that reaches Gold; then its code comes with it, and time adds none."""
    await use(rewards, QUARTERLY)
    await rewards.happen(order("1", "250"))
    await rewards.happen(refund("1", "r1", "250"))
    rewards.clock.set(changed := AUGUST + timedelta(days=9))
    await use(rewards, BENEFITS)

    await rewards.happen(order("2", "250", at=changed))

    assert await issued(rewards) == [NOW, changed]
    await look(rewards, changed)
    assert await issued(rewards) == [NOW, changed]
    assert await kept(rewards) == [(NOW, "P1M", 2)]


async def test_what_an_earlier_release_kept_goes_on_as_the_program_says(rewards: Rewards) -> None:
    """Given a Gold of an earlier release, of whom the period is not known; when months pass, and then the program says
    quarters; then the months' codes come as ever, and the quarter begins with the last."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"))
    await rewards.plant("UPDATE rewards.tier_benefits SET every = NULL")
    for moment in (AUGUST - timedelta(days=31), AUGUST):
        await look(rewards, moment)
    assert await kept(rewards) == [(NOW, "P1M", 2)]

    await use(rewards, QUARTERLY)
    for moment in (AUGUST, SEPTEMBER, NOVEMBER):
        await look(rewards, moment)
    assert await issued(rewards) == [NOW, AUGUST - timedelta(days=31), AUGUST, NOVEMBER]
    assert await kept(rewards) == [(AUGUST, "P3M", 1)]


async def test_after_an_upgrade_a_changed_period_counts_within_moments(rewards: Rewards) -> None:
    """Given two who had the code of a quarter by an earlier release, so that the period is not known, one of them Gold
    no more; when the new release has looked, and the program says months; then who is Gold has the next code a month
    after the last, and what is kept of the other counts months too."""
    await use(rewards, QUARTERLY)
    await rewards.happen(bought("a", ANA, "250.00"), bought("b", BEN, "250.00"))
    await rewards.happen(refund("b", "r", "250.00", customer=BEN))
    await rewards.plant("UPDATE rewards.tier_benefits SET every = NULL")
    await look(rewards, NOW)
    await use(rewards, BENEFITS)

    for moment in (NOW, july := AUGUST - timedelta(days=31)):
        await look(rewards, moment)

    assert (await issued(rewards, ANA), await issued(rewards, BEN)) == ([NOW, july], [NOW])
    assert (await kept(rewards, ANA), await kept(rewards, BEN)) == ([(NOW, "P1M", 1)], [(NOW, "P1M", 0)])


async def test_the_period_goes_with_the_part_that_had_it(rewards: Rewards) -> None:
    """Given Ben, a Gold with a monthly code, who proves to be Ana; when the program says quarters, and they are two
    again, and one; then whoever has his part has the next code a quarter after his, and nobody another."""
    await use(rewards, BENEFITS)
    await rewards.happen(bought("a", ANA, "1.00"), bought("b", BEN, "250.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await use(rewards, QUARTERLY)
    await look(rewards, AUGUST)
    assert await kept(rewards, ANA) == [(NOW, "P3M", 0)]

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await look(rewards, AUGUST)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 3))
    for moment in (SEPTEMBER - SECOND, SEPTEMBER):
        await look(rewards, moment)
    assert (await issued(rewards, ANA), await issued(rewards, BEN)) == ([NOW, SEPTEMBER], [])


async def test_two_who_both_had_a_benefit_keep_each_their_own(rewards: Rewards) -> None:
    """Given Ana and Ben, both Gold, he since a month later; when they prove to be one, the program says quarters, and
    they are two again; then each has the next code a quarter after their own last one."""
    await use(rewards, BENEFITS)
    await rewards.happen(bought("a", ANA, "250.00"))
    await look(rewards, july := AUGUST - timedelta(days=31))
    await rewards.happen(order("b", "250.00", customer=BEN, at=july))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await use(rewards, QUARTERLY)
    await look(rewards, july)
    assert await kept(rewards, ANA) == [(july, "P3M", 0)]
    assert await kept(rewards, BEN) == [(july, "P3M", 0)]

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    for moment in (AUGUST, OCTOBER - SECOND, OCTOBER):
        await look(rewards, moment)
    assert await issued(rewards, ANA) == [NOW, july, OCTOBER]
    assert await issued(rewards, BEN) == [july, OCTOBER]


@pytest.mark.parametrize("golds", [0, 3000])
async def test_who_had_another_period_or_promise_is_looked_for_by_an_index(
    rewards: Rewards, settings: Settings, golds: int
) -> None:
    """Given no Golds, or many who all had their code by the period that the program says, as it promises; when a worker
    asks each second who had it by another, or was promised another; then no table is read whole, in whatever way."""
    members = f"FROM generate_series(1, {golds}) AS n"
    await rewards.plant(
        "INSERT INTO rewards.tier_benefits (customer_id, tier, offer, anchor, every, issued)"
        f" SELECT 'c' || n, 'gold', 'five-off', now(), 'P1M', 0 {members}",
        "INSERT INTO rewards.members (customer_id, entries, available, pending, reserved, debt, lifetime_earned,"
        f" tier_changes, spend, tier, tier_promise) SELECT 'c' || n, 0, 0, 0, 0, 0, 0, 1, 0, 'gold', 'p' {members}",
    )
    engine = service_engine(settings, "rewards", planning=NO_SCANS, pool_size=1)
    asked = due._TIERS.text
    async with autocommit(engine).connect() as connection:
        await connection.execute(text("VACUUM (ANALYZE) rewards.tier_benefits, rewards.members"))
        bound = {
            "now": NOW,
            "limit": 200,
            "skip": [],
            "tiers": ["gold"],
            "offers": ["five-off"],
            "every": ["P1M"],
            "levels": ["gold"],
            "promises": ["p"],
        }
        plan = (await connection.execute(text(f"EXPLAIN (FORMAT JSON) {asked}"), bound)).scalar_one()
    await engine.dispose()

    reads = [node for node in nodes(plan[0]["Plan"]) if "Relation Name" in node]
    assert [node["Relation Name"] for node in reads] == ["members"] * 3 + ["tier_benefits"] * 3
    assert all("tier_promise" in node["Index Cond"] for node in reads[1:3])
    assert all("every" in node["Index Cond"] for node in reads[3:])
