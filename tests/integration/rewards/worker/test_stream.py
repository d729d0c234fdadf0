"""The stream's handler on a real database."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest
from msgspec import structs

from shared.bus.records import Incoming
from shared.contracts.activity import Activity
from shared.contracts.codec import MalformedRecordError
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity, cancellation, order, refund

OTHER = "cus_000000000000000000000002"


async def test_an_order_becomes_points_a_lot_a_purchase_and_an_outcome(rewards: Rewards) -> None:
    """Given nothing; when an order is handled; then each table has its row, and the outcome is published."""
    await rewards.happen(order("1001", "49.20", identifiers={"id": ["p" * 32]}))

    assert await rewards.rows(
        "SELECT kind, debit, credit, points, rule, program_version, key FROM rewards.entries"
    ) == [("earn", "program:issued", "customer:available", 49, "purchase", 1, "earn/purchase/1001")]
    assert await rewards.rows("SELECT available, lifetime_earned, entries FROM rewards.members") == [
        (49, 49, 1)
    ]
    assert await rewards.rows("SELECT points, remaining FROM rewards.lots") == [(49, 49)]
    assert await rewards.rows("SELECT pseudonym, customer_id FROM rewards.aliases") == [("p" * 32, CUSTOMER)]
    (outcome,) = await rewards.outcomes()
    assert (outcome.type, outcome.data["points"], outcome.data["order_id"]) == ("points.earned", 49, "1001")
    await rewards.check()


async def test_redelivery_changes_nothing(rewards: Rewards) -> None:
    """Given a batch of all kinds; when it comes again, whole, in parts, and with itself in it; then nothing changes."""
    batch = [
        activity("customer.registered", "reg"),
        order("1", "250", facts={"orders": 5}),
        refund("1", "r1", "20"),
        refund("2", "r2", "20"),
        activity("review.posted", "rev", rating=5),
        order("2", "50"),
        cancellation("1"),
    ]
    await rewards.happen(*batch)
    before, told = await rewards.dump(), len(await rewards.outcomes())

    await rewards.happen(*batch)
    await rewards.happen(*batch[3:], *batch[:4])

    assert await rewards.dump() == before
    assert len(await rewards.outcomes()) == told
    await rewards.check()


@pytest.mark.parametrize("seed", range(5))
async def test_batches_of_any_size_end_in_the_same_balances(rewards: Rewards, seed: int) -> None:
    """Given orders and refunds of three customers; when they come in any order in any batches; then balances agree."""
    random = Random(seed)
    happened = []
    for customer in (1, 2, 3):
        id_ = f"cus_{customer:024x}"
        for number in range(6):
            name = f"{customer}-{number}"
            happened.append(order(name, "60.50", customer=id_))
            happened.append(refund(name, f"r{name}", "20.25", customer=id_))
            happened.append(refund(name, f"s{name}", f"{10 * number}.00", customer=id_))
    random.shuffle(happened)
    while happened:
        size = random.randint(1, 12)
        await rewards.happen(*happened[:size])
        del happened[:size]

    await rewards.check()
    expected = sum(max(int(60.5 - 20.25 - 10 * number), 0) for number in range(6))
    assert (
        await rewards.rows("SELECT available - debt, lifetime_earned FROM rewards.members")
        == [(expected, expected)] * 3
    )


async def test_a_tier_upgrade_and_a_milestone_offer_end_to_end(rewards: Rewards) -> None:
    """Given Gold above 200 and an offer for the fifth order; when it passes 200; then both are recorded."""
    for number in range(1, 6):
        await rewards.happen(order(str(number), "41.00", facts={"orders": number}))

    assert await rewards.rows("SELECT tier, tier_since FROM rewards.members") == [("gold", NOW)]
    assert await rewards.rows("SELECT new, reason FROM rewards.tier_history") == [("gold", "spend")]
    ((code, gift),) = await rewards.rows("SELECT code, gift FROM rewards.offers")
    assert gift == "tote-bag"
    assert len(code) == 14
    types = [outcome.type for outcome in await rewards.outcomes()]
    assert types.count("tier.changed") == types.count("offer.issued") == 1


async def test_spend_rolls_out_of_the_window(rewards: Rewards) -> None:
    """Given 150 spent now; when 60 more are spent 13 months later; then only those count, and Gold is not reached."""
    await rewards.happen(order("1", "150"))
    rewards.clock.advance(timedelta(days=400))
    await rewards.happen(order("2", "60", at=rewards.clock()))

    assert await rewards.rows("SELECT spend, tier FROM rewards.members") == [(60, None)]


async def test_a_poison_record_raises_and_changes_nothing(rewards: Rewards) -> None:
    """Given bytes that are no activity; when they are handled; then it is said so, for the worker to set them aside."""
    before = await rewards.dump()

    with pytest.raises(MalformedRecordError):
        async with rewards.engine.begin() as connection:
            await rewards.handler(connection, [Incoming("t", 0, 0, "k", b"{}")], NOW)

    assert await rewards.dump() == before


async def test_a_merge_moves_everything_and_counts_nothing_twice(rewards: Rewards) -> None:
    """Given two customers with an order each, one in common, both welcomed; when they merge; then the points are
    those that one customer would have."""
    await rewards.happen(
        activity("customer.registered", "reg1"),
        order("1", "150"),
        order("3", "30"),
        activity("customer.registered", "reg2", customer=OTHER, identifiers={"id": ["q" * 32]}),
        order("2", "100", customer=OTHER),
        order("3", "30", customer=OTHER, name="order-3-again"),
        refund("2", "r2", "10", customer=OTHER),
    )
    merged = activity("customer.merged", "merge", customer=CUSTOMER, **{"from": OTHER})

    await rewards.happen(merged, refund("2", "r2b", "20", customer=OTHER))
    await rewards.happen(merged)

    await rewards.check()
    assert await rewards.rows(
        "SELECT available, debt, lifetime_earned, tier, spend FROM rewards.members WHERE merged_into IS NULL"
    ) == [(100 + 150 + 30 + 70, 0, 350, "gold", 250)]
    assert await rewards.rows(
        "SELECT available, merged_into FROM rewards.members WHERE customer_id = :id", id=OTHER
    ) == [(0, CUSTOMER)]
    assert await rewards.rows("SELECT customer_id FROM rewards.aliases") == [(CUSTOMER,)]


async def test_activities_of_a_merged_customer_reach_the_one_they_became(rewards: Rewards) -> None:
    """Given a merge; when an order of the old id comes late; then the new one earns it."""
    await rewards.happen(order("1", "10"), order("2", "20", customer=OTHER))
    await rewards.happen(activity("customer.merged", "merge", customer=CUSTOMER, **{"from": OTHER}))
    await rewards.happen(order("3", "30", customer=OTHER))

    assert await rewards.rows(
        "SELECT available FROM rewards.members WHERE customer_id = :id", id=CUSTOMER
    ) == [(60,)]
    await rewards.check()


async def test_an_order_told_again_with_an_earlier_time_is_put_right_after_its_points_were_spent(
    rewards: Rewards, api
):
    """Given an order whose points are all spent; when events with earlier times tell it with other totals; then the
    difference is owed, and then given, as in the customer's profile, where the first by time counts."""
    await rewards.happen(order("1", "150.00"))
    body, key = {"customer": CUSTOMER, "points": 150}, {"Idempotency-Key": "k"}
    assert (await api.post("/v1/redemptions", json=body, headers=key)).status_code == 201
    await rewards.happen(order("1", "120.00", name="again", at=NOW - timedelta(seconds=1)))
    await rewards.check()
    assert await rewards.rows("SELECT available, debt, spend FROM rewards.members") == [(0, 30, 120)]

    await rewards.happen(order("1", "200.00", name="once more", at=NOW - timedelta(seconds=2)))
    await rewards.check()
    assert await rewards.rows("SELECT available, debt, spend FROM rewards.members") == [(50, 0, 200)]
    assert await rewards.rows("SELECT points, remaining FROM rewards.lots") == [(230, 50)]


async def test_of_tellings_at_one_moment_the_same_one_counts_in_every_order(rewards: Rewards) -> None:
    """Given an order told four times at one moment, each time with another total; when the tellings come one by one in
    any order; then the one whose identity sorts first counts, and each customer has its points."""
    totals = ("10", "20", "30", "40")
    first = min(totals, key=lambda total: order("1", total, name=f"told-{total}").id)

    def telling(number: int, total: str) -> Activity:
        told = order("1", total, name=f"told-{total}", customer=f"cus_{number:024}")
        return structs.replace(told, id=f"{told.id}{number:02}")

    orders = list(permutations(totals))
    for step in range(len(totals)):
        await rewards.happen(*(telling(number, told[step]) for number, told in enumerate(orders)))
    await rewards.check()
    found = await rewards.rows("SELECT DISTINCT available, spend FROM rewards.members")
    assert found == [(int(first), Decimal(first))]


async def test_what_undoes_an_order_before_it_comes_takes_effect_once_however_often_it_is_told(
    rewards: Rewards,
) -> None:
    """Given a refund and a cancellation that come before their orders, and are told again, by themselves and under
    other identities, before the order, after it, and once more when nobody remembers their records; then each takes
    back what it undoes once, and points that other orders gave stay."""
    undoing = (refund("1", "r", "30"), cancellation("2"))
    again = (refund("1", "r", "30", name="again"), cancellation("2", name="again-2"))
    for told in (undoing, again, (order("1", "100"), order("2", "50"), order("3", "20")), undoing, again):
        await rewards.happen(*told)
    before = await rewards.rows("SELECT * FROM rewards.entries ORDER BY number")
    assert await rewards.rows("SELECT available, debt, spend FROM rewards.members") == [(90, 0, 90)]

    await rewards.plant("DELETE FROM rewards.inbox", "DELETE FROM rewards.activities")
    for told in (undoing, again, (order("1", "100"), order("2", "50"), order("3", "20")), undoing):
        await rewards.happen(*told)
    await rewards.check()
    assert await rewards.rows("SELECT * FROM rewards.entries ORDER BY number") == before
    assert await rewards.rows("SELECT available, debt, spend FROM rewards.members") == [(90, 0, 90)]
