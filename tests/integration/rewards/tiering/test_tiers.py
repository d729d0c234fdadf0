"""Tiers on a real database: time, grants, benefits, merges, late orders; each thing once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.rewards.adapters.programs import PostgresPrograms
from shared.contracts.activity import Activity
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, activity, order, refund

BENEFITS = PROGRAM.replace(
    "{id: gold, name: Gold, at: 200.01, keep_for: P12M}",
    "{id: gold, name: Gold, at: 200.01, keep_for: P12M, benefits: [{every: P1M, offer: five-off}, {perk: lounge}]}",
).replace("  levels:", "  notice_before: P30D\n  levels:")
WRITING = """
campaigns:
  - {id: your-code, on: offer.issued, do: [{message: your-code}]}
templates:
  your-code: {subject: "For you", text: "{{ offer.code }}"}
"""
ENDS = datetime(2027, 6, 2, 4, tzinfo=UTC)
"""When a Gold of `NOW` ends: after 1 June 2027 in New York."""


async def use(rewards: Rewards, source: str) -> None:
    """Let another program count."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="test", now=rewards.clock())


async def history(rewards: Rewards, customer: str = CUSTOMER) -> list[Any]:
    """(tier, reason) of each change, oldest first."""
    rows = await rewards.rows(
        "SELECT new, reason FROM rewards.tier_history WHERE customer_id = :id ORDER BY number", id=customer
    )
    return [tuple(row) for row in rows]


async def told(rewards: Rewards, type_: str) -> list[dict[str, Any]]:
    """What the outcomes of a type say."""
    return [outcome.data for outcome in await rewards.outcomes() if outcome.type == type_]


async def test_the_first_code_comes_with_the_order_that_reaches_the_tier(rewards: Rewards) -> None:
    """Given Gold with a code each month, and a campaign that writes of it; when an order reaches Gold, in a batch that
    goes on after it; then the code is there with it, told after the tier, and the message as the customer stands by the
    end of the batch; time adds nothing to that, and has something to do in a month."""
    await use(rewards, BENEFITS + WRITING)
    await rewards.happen(order("1", "250"), order("2", "30", facts={"orders": 2}))

    outcomes = await rewards.outcomes()
    assert [outcome.type for outcome in outcomes if not outcome.type.startswith("points.")] == [
        "tier.changed",
        "offer.issued",
        "message.due",
    ]
    assert outcomes[-1].data["context"]["customer"]["orders"] == 2
    before = await rewards.dump()
    await rewards.pass_time()
    assert await rewards.dump() == before
    assert await rewards.rows("SELECT tier_due FROM rewards.members") == [(NOW + timedelta(days=30),)]


async def test_a_tier_reached_again_in_one_batch_brings_its_code_once(rewards: Rewards) -> None:
    """Given Gold with a code each month; when one batch reaches it, takes it back, and reaches it again, and a later
    one does so once more; then there is one code."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"), refund("1", "r1", "250"), order("2", "250"))
    await rewards.happen(refund("2", "r2", "250"), order("3", "250"))
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(1,)]
    assert await history(rewards) == [
        ("gold", "spend"),
        ("member", "refund"),
        ("gold", "spend"),
        ("member", "refund"),
        ("gold", "spend"),
    ]


async def test_a_tier_taken_back_within_the_batch_brings_nothing(rewards: Rewards) -> None:
    """Given Gold with a code each month; when one batch reaches it and takes it back; then there is no code."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"), refund("1", "r1", "250"))
    await rewards.pass_time()
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(0,)]


async def test_benefits_come_once_each_month_with_two_workers(rewards: Rewards) -> None:
    """Given 20 Golds with a code each month; when two workers look at once, now and each month; then each customer gets
    one code a month, and all of them are different."""
    await use(rewards, BENEFITS)
    await rewards.happen(*(order(str(n), "250", customer=f"cus_{n:024x}") for n in range(20)))
    for _ in range(3):
        await asyncio.gather(rewards.pass_time(), rewards.pass_time())
        rewards.clock.advance(timedelta(days=31))

    assert await rewards.rows(
        "SELECT count(*), count(DISTINCT code), count(DISTINCT customer_id) FROM rewards.offers"
    ) == [(60, 60, 20)]
    assert await rewards.rows("SELECT DISTINCT issued FROM rewards.tier_benefits") == [(2,)]


async def test_after_months_of_standstill_no_code_comes_that_would_be_void(rewards: Rewards) -> None:
    """Given a monthly code good for 14 days; when nothing runs for three months and a day; then the month of now brings
    its code, and the months before none."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"))
    await rewards.pass_time()
    rewards.clock.set(datetime(2026, 9, 2, 12, tzinfo=UTC))

    await rewards.pass_time()
    await rewards.pass_time()

    assert await rewards.rows("SELECT issued_at FROM rewards.offers ORDER BY 1") == [
        (NOW,),
        (rewards.clock(),),
    ]


async def test_losing_and_reaching_a_tier_again_brings_no_second_code(rewards: Rewards) -> None:
    """Given Gold with a monthly code; when its order is refunded and another reaches Gold, three times in a month; then
    there is one code."""
    await use(rewards, BENEFITS)
    for n in range(3):
        await rewards.happen(order(f"o{n}", "250", at=rewards.clock()))
        await rewards.pass_time()
        await rewards.happen(refund(f"o{n}", f"r{n}", "250", at=rewards.clock()))
        await rewards.pass_time()
        rewards.clock.advance(timedelta(days=5))

    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(1,)]
    assert await history(rewards) == [("gold", "spend"), ("member", "refund")] * 3


async def test_the_end_of_a_tier_is_told_ahead_once_and_not_to_who_keeps_it(rewards: Rewards) -> None:
    """Given two Golds, of whom one has bought enough since; when the 30 days before the end begin; then the other alone
    is told, once, with what is missing; after a refund so is the first."""
    await use(rewards, BENEFITS)
    keeps = f"cus_{2:024x}"
    await rewards.happen(order("a", "250"), order("b", "250", customer=keeps))
    rewards.clock.set(NOW + timedelta(days=100))
    await rewards.happen(
        order("c", "300", customer=keeps, at=rewards.clock()), order("d", "150.01", at=rewards.clock())
    )
    rewards.clock.set(ENDS - timedelta(days=30, seconds=1))
    await rewards.pass_time()
    assert await told(rewards, "tier.expiring") == []

    rewards.clock.advance(timedelta(seconds=1))
    await rewards.pass_time()
    await rewards.pass_time()
    assert await told(rewards, "tier.expiring") == [
        {
            "tier": "gold",
            "to": "member",
            "until": ENDS.isoformat().replace("+00:00", "Z"),
            "on": "2027-06-01",  # the last day of it, as letters tell it; at midnight it is over
            "missing": "50.00",
        }
    ]

    await rewards.happen(refund("c", "rc", "299", customer=keeps, at=rewards.clock()))
    await rewards.pass_time()
    assert {each["missing"] for each in await told(rewards, "tier.expiring")} == {"50.00", "199.01"}


async def test_a_review_days_late_decides_by_its_own_day(rewards: Rewards) -> None:
    """Given a Gold that ends while nothing runs; when an order comes four days later and only then time passes; then
    Gold was lost on its day, and the order counts towards the next."""
    await rewards.happen(order("1", "250"))
    rewards.clock.set(ENDS + timedelta(days=4))
    await rewards.happen(order("2", "100", at=ENDS + timedelta(days=3)))

    await rewards.pass_time()

    assert await rewards.rows("SELECT tier, tier_since, spend FROM rewards.members") == [
        ("member", ENDS, 100)
    ]
    assert await history(rewards) == [("gold", "spend"), ("member", "review")]


async def test_a_late_order_gives_back_the_tier_that_was_lost_without_it(rewards: Rewards) -> None:
    """Given a Gold that was lost at its review; when an order from before it arrives late; then Gold is there again,
    for the period that the review would have given."""
    await rewards.happen(order("1", "250"))
    rewards.clock.set(ENDS + timedelta(days=2))
    await rewards.pass_time()
    late = order("2", "260", at=ENDS - timedelta(days=200), late=True, facts={"spend": 510})
    await rewards.happen(late)

    assert await rewards.rows("SELECT tier, tier_since, tier_until FROM rewards.members") == [
        ("gold", NOW, datetime(2028, 6, 2, 4, tzinfo=UTC))
    ]
    assert await history(rewards) == [("gold", "spend"), ("member", "review"), ("gold", "spend")]


@pytest.mark.parametrize(
    "basis", ["orders_over: P12M", "orders_in: calendar_year", "orders_in: anniversary_year"]
)
async def test_orders_count(rewards: Rewards, basis: str) -> None:
    """Given Gold at three orders; when three come and one is called off; then Gold is reached and lost."""
    source = PROGRAM.replace("spend_over: P12M", basis).replace("200.01", "3")
    await use(rewards, source)
    facts = {"registered_at": NOW}
    await rewards.happen(*(order(str(n), "0", facts=facts) for n in range(3)))
    assert await history(rewards) == [("gold", "spend")]

    await rewards.happen(activity("order.cancelled", "c", order_id="1", facts=facts))

    assert await history(rewards) == [("gold", "spend"), ("member", "refund")]


async def test_points_count(rewards: Rewards) -> None:
    """Given Gold at 201 points; when points come of a registration, a review and two orders, in batches of their own;
    then Gold is reached; when a part of an order is refunded; then it is lost."""
    await use(rewards, PROGRAM.replace("spend_over", "points_over").replace("200.01", "201"))
    await rewards.happen(activity("customer.registered", "reg"))
    await rewards.happen(activity("review.posted", "rev"))
    await rewards.happen(order("1", "50"))
    assert await history(rewards) == []

    await rewards.happen(order("2", "1"))
    assert await history(rewards) == [("gold", "spend")]

    await rewards.happen(refund("1", "r", "1"))
    assert await history(rewards) == [("gold", "spend"), ("member", "refund")]


async def test_a_grant_lasts_until_its_end_and_takes_nothing_away(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a customer with 250 of spend; when Platinum is granted for 30 days, twice under one key; then they have it
    once; when it is over, then they have the Gold that they had reached meanwhile."""
    await rewards.happen(order("1", "100", identifiers={"id": [rewards.pseudonyms.of("id", "c-1")]}))
    path, body = (
        f"/v1/customers/{CUSTOMER}/tier/grants",
        {
            "tier": "platinum",
            "until": (NOW + timedelta(days=30)).isoformat(),
            "reason": "the mayor",
        },
    )
    first = await api.post(path, json=body, headers={"Idempotency-Key": "g1"})
    again = await api.post(path, json=body, headers={"Idempotency-Key": "g1"})
    assert (first.status_code, again.content) == (201, first.content)

    tier = (await api.get(f"/v1/customers/{CUSTOMER}/tier")).json()
    assert (tier["tier"], tier["status"]) == ("platinum", "granted")
    assert tier["until"].startswith("2026-07-01")
    assert tier["keep"]["missing"] == "1900"

    rewards.clock.advance(timedelta(days=10))
    await rewards.happen(order("2", "150", at=rewards.clock()))
    assert await history(rewards) == [("platinum", "grant")]
    rewards.clock.advance(timedelta(days=20))
    await rewards.pass_time()

    assert await history(rewards) == [("platinum", "grant"), ("gold", "grant_ended")]
    tier = (await api.get(f"/v1/customers/{CUSTOMER}/tier")).json()
    assert (tier["tier"], tier["status"], tier["counted"]) == ("gold", "", "250")
    assert tier["next"] == {"tier": "platinum", "missing": "1750"}
    rows = (await api.get(f"/v1/customers/{CUSTOMER}/tier/history", params={"limit": 1})).json()
    assert [row["reason"] for row in rows["items"]] == ["grant_ended"]
    assert rows["next"] is not None


async def test_a_grant_can_be_taken_back(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a granted Gold; when it is taken back, twice; then it is gone, and a stranger's id is not found."""
    await rewards.happen(order("1", "10"))
    path = f"/v1/customers/{CUSTOMER}/tier/grants"
    body = {"tier": "gold", "until": (NOW + timedelta(days=30)).isoformat(), "reason": "sorry"}
    granted = (await api.post(path, json=body, headers={"Idempotency-Key": "g1"})).json()

    answers = [(await api.delete(f"{path}/{granted['id']}")).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert await history(rewards) == [("gold", "grant"), ("member", "grant_ended")]
    assert (await api.delete(f"{path}/tgr_{'0' * 24}")).status_code == 404
    assert [each["revoked_at"] is not None for each in (await api.get(path)).json()] == [True]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"tier": "member"}, "/tier"),
        ({"tier": "diamond"}, "/tier"),
        ({"until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"until": "soon"}, "/until"),
        ({"reason": ""}, "/reason"),
    ],
)
async def test_a_wrong_grant_is_refused_and_changes_nothing(
    rewards: Rewards, api: httpx.AsyncClient, change: dict[str, str], pointer: str
) -> None:
    """Given a customer; when a tier is granted that cannot be; then 422 says where, and nothing happened."""
    await rewards.happen(order("1", "10"))
    before = await rewards.dump()
    body = {"tier": "gold", "until": "2026-07-01T00:00:00Z", "reason": "because"} | change
    answer = await api.post(
        f"/v1/customers/{CUSTOMER}/tier/grants", json=body, headers={"Idempotency-Key": "g"}
    )

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await rewards.dump() == before


async def test_a_tier_of_history_brings_nothing_before_its_next_period_though_its_end_is_near(
    rewards: Rewards,
) -> None:
    """Given Gold with a code each month, and another each week, and a letter about each; when imported history reaches
    it eleven months and a half ago, so that word of its end is due at once; then that goes out and no code does; each
    comes with its own next period."""
    weekly = BENEFITS.replace("{perk: lounge}", "{every: P1W, offer: fifth}")
    await use(rewards, weekly + WRITING)
    since = NOW - timedelta(days=350)  # 16 June: its months begin on the 16th, its weeks on Mondays
    await rewards.happen(order("1", "250", at=since, historical=True, facts={"orders": 1}))
    await rewards.pass_time()
    assert await rewards.rows("SELECT offer FROM rewards.offers") == []
    assert len(await told(rewards, "tier.expiring")) == 1

    for _ in range(16):
        await rewards.pass_time()
        rewards.clock.advance(timedelta(days=1))

    assert await rewards.rows("SELECT offer, issued_at FROM rewards.offers ORDER BY issued_at, offer") == [
        ("fifth", NOW + timedelta(days=7)),
        ("fifth", NOW + timedelta(days=14)),
        ("five-off", NOW + timedelta(days=15)),
    ]


def imported(order_id: str, at: datetime) -> Activity:
    """An order of history that reaches Gold, known before others of the customer that came earlier."""
    return order(order_id, "250", at=at, historical=True, late=True, facts={"spend": 500})


@pytest.mark.parametrize("together", [True, False])
async def test_history_that_comes_beside_an_order_keeps_no_code_back(
    rewards: Rewards, together: bool
) -> None:
    """Given an order that reaches Gold, and imported history that shows it to have begun earlier, handled together or
    not; then the code is there at once. When nobody could look as the next month began, and more history comes first
    after that; then the month's code comes late, and not only with the month after."""
    await use(rewards, BENEFITS)
    batch = [
        order("1", "250"),
        imported("2", NOW - timedelta(days=20)),
    ]
    if together:
        await rewards.happen(*batch)
    else:
        for one in batch:
            await rewards.happen(one)
    await rewards.pass_time()
    issued = "SELECT issued_at FROM rewards.offers ORDER BY 1"
    assert await rewards.rows(issued) == [(NOW,)]

    rewards.clock.set(later := NOW + timedelta(days=35))
    await rewards.happen(imported("3", NOW - timedelta(days=25)))
    await rewards.pass_time()
    assert await rewards.rows(issued) == [(NOW,), (later,)]


@pytest.mark.parametrize("historical", [False, True])
async def test_grace_that_history_finds_keeps_the_code_that_is_due(
    rewards: Rewards, historical: bool
) -> None:
    """Given Gold with a code each month, whose time was over while nobody could look; when the first that comes after
    that is a refund, imported or not, and finds that the tier is no longer reached; then it is kept for its grace, with
    the code of the month."""
    await use(rewards, BENEFITS.replace("  levels:", "  grace: P60D\n  levels:"))
    await rewards.happen(order("1", "250"))
    rewards.clock.set(later := ENDS + timedelta(days=5))
    await rewards.happen(refund("1", "r1", "1", at=later, historical=historical))
    await rewards.pass_time()
    assert await history(rewards) == [("gold", "spend"), ("gold", "grace")]
    assert await rewards.rows("SELECT issued_at FROM rewards.offers ORDER BY 1") == [(NOW,), (later,)]
