"""Tiers, grants and benefits when customers become one, and two again; the fast way beside the walk."""

import random
from datetime import timedelta
from decimal import Decimal

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.tiering.test_tiers import BENEFITS, WRITING, history, told, use
from tests.integration.rewards.two_members import ANA, BEN, MAIL, order, went
from tests.property.rewards.test_tiers import LEVELS, START, Plain
from tests.unit.rewards.building import NOW
from tests.unit.rewards.building import order as ordered


async def tiers(rewards: Rewards) -> dict[str, str | None]:
    """By customer the tier."""
    rows = await rewards.rows("SELECT customer_id, tier FROM rewards.members WHERE merged_into IS NULL")
    return {row[0]: row[1] for row in rows}


async def test_spend_of_two_makes_a_tier_and_unmakes_it(rewards: Rewards) -> None:
    """Given two with 150 each; when they prove to be one, then two after all, and one again; then they have Gold, none,
    and Gold."""
    await rewards.happen(order("a", ANA, "150.00"), order("b", BEN, "150.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    assert await tiers(rewards) == {ANA: "gold"}

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    assert await tiers(rewards) == {ANA: "member", BEN: None}

    await rewards.happen(went("customer.merged", ANA, BEN, [ANA], 3))
    assert await tiers(rewards) == {BEN: "gold"}


async def test_a_grant_and_the_periods_of_a_benefit_go_with_their_part_and_return(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given Ben with a granted Gold and its first monthly code; when he proves to be Ana; then she has Gold and no
    second code this month; a month on she has one; when they are two again; then Ben has his Gold, Ana none, and no
    code came twice; when the grant ends, nobody has it."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("a", ANA, "1.00"), order("b", BEN, "1.00"))
    body = {"tier": "gold", "until": (NOW + timedelta(days=75)).isoformat(), "reason": "sorry"}
    answer = await api.post(f"/v1/customers/{BEN}/tier/grants", json=body, headers={"Idempotency-Key": "g"})
    assert answer.status_code == 201
    await rewards.pass_time()

    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.pass_time()
    assert await tiers(rewards) == {ANA: "gold"}
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(1,)]

    rewards.clock.advance(timedelta(days=31))
    await rewards.pass_time()
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(2,)]

    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await rewards.pass_time()
    assert await tiers(rewards) == {ANA: "member", BEN: "gold"}
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(2,)]

    rewards.clock.advance(timedelta(days=60))
    await rewards.pass_time()
    assert await tiers(rewards) == {ANA: "member", BEN: "member"}
    assert (await history(rewards, BEN))[-1] == ("member", "grant_ended")


async def test_a_code_of_a_part_leaves_with_it_and_the_same_period_may_bring_another(
    rewards: Rewards,
) -> None:
    """Given Ben, who has Gold since a day of which only the date is known, proves to be Ana, and has the second month's
    code as she; when they are two again, then that code is his; when a late order gives Ana Gold since the same
    moment, then she has a code of that month too, and both have one of each month from then on (hers was taken for a
    repeat of his, and her order set aside)."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("a", ANA, "1.00"), order("b", BEN, "250.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    rewards.clock.set(july := NOW + timedelta(days=30))
    await rewards.pass_time()
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await rewards.pass_time()
    codes = "SELECT issued_at FROM rewards.offers WHERE customer_id = :id ORDER BY 1"
    assert [row[0] for row in await rewards.rows(codes, id=BEN)] == [NOW, july]
    assert await rewards.rows(codes, id=ANA) == []

    await rewards.happen(ordered("a2", "300", customer=ANA, at=NOW, late=True, facts={"spend": 301}))
    await rewards.pass_time()
    assert [row[0] for row in await rewards.rows(codes, id=ANA)] == [july]
    rewards.clock.set(august := NOW + timedelta(days=61))
    await rewards.pass_time()
    assert [row[0] for row in await rewards.rows(codes, id=ANA)] == [july, august]
    assert [row[0] for row in await rewards.rows(codes, id=BEN)] == [NOW, july, august]
    told = [outcome.id for outcome in await rewards.outcomes() if outcome.type == "offer.issued"]
    assert len(told) == len(set(told)) == 5


async def test_the_periods_of_a_part_return_from_wherever_they_stayed(rewards: Rewards) -> None:
    """Given Ben, a Gold with the code of a month, who proves to be Ana, who proves to be Mia, who has Gold too; when
    Ben is another after all, in the same month; then he has that month's code and no second one, and the next with the
    next month (his first was made again, and he was set aside)."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("a", ANA, "1.00"), order("b", BEN, "250.00"), order("m", MAIL, "250.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.merged", ANA, MAIL, [ANA, BEN], 2))
    await rewards.pass_time()
    await rewards.happen(went("customer.unmerged", MAIL, BEN, [BEN], 3))
    await rewards.pass_time()
    codes = "SELECT issued_at FROM rewards.offers WHERE customer_id = :id ORDER BY 1"
    assert [row[0] for row in await rewards.rows(codes, id=BEN)] == [NOW]
    rewards.clock.set(july := NOW + timedelta(days=30))
    await rewards.pass_time()
    assert [row[0] for row in await rewards.rows(codes, id=BEN)] == [NOW, july]
    assert [row[0] for row in await rewards.rows(codes, id=MAIL)] == [NOW, july]


async def test_on_the_stream_the_sum_at_hand_decides_as_the_walk_would(rewards: Rewards) -> None:
    """Given years of orders, told in their time or hours late over midnight; when each is taken; then every tier
    is the plain model's, whether or not the walk was needed."""
    chance = random.Random(5)
    made: list[tuple[int, int]] = []
    hour, spend = 0, Decimal(0)
    for number in range(60):
        hour += chance.choice([1, 9, 24 * 7, 24 * 40, 24 * 200])
        amount = chance.choice([1, 60, 100, 150, 201, 1900])
        late = chance.choice([0, 0, 14, 40])
        made.append((hour, amount))
        spend += amount
        rewards.clock.set(START + timedelta(hours=hour + late))
        facts = {"spend": spend, "orders": 0, "first_order_at": START + timedelta(hours=made[0][0])}
        await rewards.happen(ordered(str(number), str(amount), at=START + timedelta(hours=hour), facts=facts))
        await rewards.pass_time()
        hour += late
        orders = [(START + timedelta(hours=each), Decimal(paid)) for each, paid in made]
        said = Plain().stand(orders, rewards.clock())
        ((tier, since, until),) = await rewards.rows(
            "SELECT tier, tier_since, tier_until FROM rewards.members"
        )
        level = ("member", "gold", "platinum").index(tier or "member")
        assert level == said.level
        assert tier is None or (since, until) == (said.since, said.until)
    assert len(LEVELS) == 3


async def test_what_a_tier_brings_is_told_with_the_facts_of_who_has_it(rewards: Rewards) -> None:
    """Given Ben, who proved to be Ana, and a letter about each code; when an order that was told as Ben's, with his
    facts, comes after that and reaches Gold; then the letter about its code speaks of what is known of Ana."""
    await use(rewards, BENEFITS + WRITING)
    await rewards.happen(ordered("a", "150", customer=ANA, facts={"orders": 6}))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(ordered("a2", "0", customer=ANA, facts={"orders": 7}))
    await rewards.happen(ordered("b", "100", customer=BEN, facts={"orders": 1}))

    assert [each["context"]["customer"]["orders"] for each in await told(rewards, "message.due")] == [7]
