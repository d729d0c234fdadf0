"""A merge undone, and parts that go to other customers: points go back to whom they belong, in any order of records."""

from itertools import permutations

import pytest

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, MAIL, both, order, points, went
from tests.unit.rewards.building import activity


async def test_an_undone_merge_gives_points_orders_and_doubles_back(rewards: Rewards):
    """Given two members who were merged, and orders of either since; when the merge is undone; then each has what they
    would have had alone, welcome points too, and the ledger balances."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    assert (await points(rewards))[ANA] == (220, 220)  # one welcome was taken back
    await rewards.happen(order("a2", ANA, "30.00"), order("b2", ANA, "20.00", part=BEN))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))

    assert await points(rewards) == {ANA: (180, 180), BEN: (190, 190)}
    orders = dict(await rewards.rows("SELECT order_id, customer_id FROM rewards.purchases"))
    assert orders == {"a1": ANA, "a2": ANA, "b1": BEN, "b2": BEN}
    await rewards.check()
    await rewards.happen(
        activity("order.refunded", "r", customer=BEN, order_id="b2", refund_id="r", total="20.00")
    )
    assert (await points(rewards))[BEN] == (170, 170)
    await rewards.check()


async def test_what_was_spent_meanwhile_stays_spent(rewards: Rewards, api):
    """Given a merge, and a checkout since that took the oldest points; when it is undone; then what is left of each lot
    goes back, and the redemption stays whose it was."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    asked = {"customer": ANA, "points": 200, "order_id": "x"}
    answer = await api.post("/v1/redemptions", json=asked, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))

    now = await points(rewards)
    assert sum(available for available, _ in now.values()) == 220 + 100 - 200
    assert {customer: earned for customer, (_, earned) in now.items()} == {ANA: 150, BEN: 170}
    await rewards.check()
    released = await api.post(f"/v1/redemptions/{answer.json()['id']}/release")
    assert released.status_code == 200, released.text
    after = await points(rewards)
    assert after[ANA][0] == now[ANA][0] + 200
    await rewards.check()


async def test_orders_under_an_address_follow_its_owner(rewards: Rewards):
    """Given orders under an address of Ana's; when the address proves to be Ben's; then their points are Ben's, also
    those of orders that were on their way, and Ana's own stay."""
    await both(rewards)
    await rewards.happen(order("m1", ANA, "10.00", part=MAIL))
    await rewards.happen(went("facts.corrected", ANA, BEN, [MAIL], 1))
    await rewards.happen(order("m2", ANA, "5.00", part=MAIL))

    assert await points(rewards) == {ANA: (150, 150), BEN: (185, 185)}
    await rewards.check()


@pytest.mark.parametrize("arrival", list(permutations(range(4))))
async def test_records_of_changes_end_alike_in_any_order(rewards: Rewards, arrival: tuple[int, ...]):
    """Given a part that went from one customer to another and on to a third, and orders under it; when the records
    come in any order, because they travel in different partitions; then its points are where it is now."""
    carl = "cus_cccccccccccccccccccccccc"
    records = [
        order("m1", ANA, "10.00", part=MAIL),
        went("facts.corrected", ANA, BEN, [MAIL], 1),
        order("m2", BEN, "5.00", part=MAIL),
        went("facts.corrected", BEN, carl, [MAIL], 2),
    ]
    for number in arrival:
        await rewards.happen(records[number])

    owned = [row for row in (await points(rewards)).items() if row[1] != (0, 0)]
    assert owned == [(carl, (15, 15))]
    await rewards.check()


@pytest.mark.parametrize("late", [True, False])
async def test_an_undone_merge_that_comes_before_its_merge_wins(rewards: Rewards, late: bool):
    """Given a merge and its undoing; when the later one comes first; then the two are two."""
    await both(rewards)
    records = [
        went("customer.merged", BEN, ANA, [BEN], 1),
        went("customer.unmerged", ANA, BEN, [BEN], 2),
    ]
    for one in reversed(records) if late else records:
        await rewards.happen(one)
    await rewards.happen(order("b3", BEN, "7.00"))

    assert await points(rewards) == {ANA: (150, 150), BEN: (177, 177)}
    await rewards.check()
