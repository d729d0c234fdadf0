"""Merges, undone ones and parts that move, seen by an accountant and by a thief: nothing doubled, lost, or left with
the wrong person."""

import asyncio
from datetime import timedelta

import pytest

from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import encode
from shared.contracts.customer import own_id
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, both, order, points, went
from tests.unit.rewards.building import PROGRAM, activity

CARL = "cus_cccccccccccccccccccccccc"
EVE = "cus_eeeeeeeeeeeeeeeeeeeeeeee"


async def test_a_shops_own_event_moves_nobodys_points(rewards: Rewards):
    """Given an event of a type of the shop's own whose data reads like a change in who is who; when it comes; then it
    is an event like any other, and everybody keeps what is theirs."""
    await both(rewards)
    forged = activity("x.assembled", "forged", customer=EVE, **{"from": ANA}, parts=[ANA], epoch=10**9)
    innocent = activity("x.assembled", "innocent", customer=EVE, parts=["wheel", "frame"])
    await rewards.happen(forged, innocent)

    assert await points(rewards) == {ANA: (150, 150), BEN: (170, 170), EVE: (0, 0)}
    assert await rewards.rows("SELECT part FROM rewards.parts") == []
    await rewards.check()


async def test_a_reservation_that_emptied_a_lot_outlives_an_undone_merge(rewards: Rewards, api):
    """Given a merge and a reservation of all points; when the merge is undone and the reservation released; then the
    points come back to whoever made it."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    asked = {"customer": ANA, "points": 220, "order_id": "x"}
    answer = await api.post("/v1/redemptions", json=asked, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    released = await api.post(f"/v1/redemptions/{answer.json()['id']}/release")

    assert released.status_code == 200, released.text
    assert await points(rewards) == {ANA: (220, 150), BEN: (100, 170)}
    await rewards.check()


async def test_what_an_undone_merge_gives_again_still_expires(rewards: Rewards):
    """Given welcome points that a merge took back and its undoing gave again; when a year is over; then they expire
    like all others."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()

    assert await points(rewards) == {ANA: (0, 150), BEN: (0, 170)}
    await rewards.check()


async def test_what_an_undone_merge_gives_again_is_as_pending_as_it_was(rewards: Rewards):
    """Given points that cannot be spent yet; when they are taken back by a merge and given again by its undoing; then
    they cannot be spent yet."""
    programs = rewards.handler.programs
    pending = PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D")
    async with rewards.engine.begin() as connection:
        await programs.put(connection, pending, actor="key", now=rewards.clock())  # type: ignore[attr-defined]
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))

    rows = await rewards.rows("SELECT customer_id, available, pending FROM rewards.members ORDER BY 1")
    assert [tuple(row) for row in rows] == [(ANA, 0, 150), (BEN, 0, 170)]
    await rewards.check()


async def test_merging_and_undoing_again_and_again_changes_nothing(rewards: Rewards):
    """Given two members; when they are merged and parted three times; then each has what they had."""
    await both(rewards)
    for epoch in (1, 3, 5):
        await rewards.happen(went("customer.merged", BEN, ANA, [BEN], epoch))
        assert (await points(rewards))[ANA] == (220, 220)
        await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], epoch + 1))
        assert await points(rewards) == {ANA: (150, 150), BEN: (170, 170)}
        await rewards.check()


async def test_a_milestone_that_went_with_a_part_can_be_reached_again(rewards: Rewards):
    """Given a merged member who reached a milestone by the other's order, and an undone merge, with which the milestone
    went; when the member reaches it by an order of their own; then they get it, and the order counts."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(_tenth("b2", ANA, part=BEN))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    assert await points(rewards) == {ANA: (150, 150), BEN: (170 + 510, 680)}
    await rewards.happen(_tenth("a2", ANA))

    assert (await points(rewards))[ANA] == (150 + 510, 660)
    await rewards.check()


async def test_an_order_that_went_with_a_part_can_be_told_again_of_another(rewards: Rewards):
    """Given an order under an address that went to another customer; when the shop tells it again under the id; then it
    counts for the id, and is no poison."""
    mail = "cus_mmmmmmmmmmmmmmmmmmmmmmmm"
    await both(rewards)
    await rewards.happen(order("m1", ANA, "10.00", part=mail))
    await rewards.happen(went("facts.corrected", ANA, BEN, [mail], 1))
    again = activity("order.completed", "again", customer=ANA, order_id="m1", currency="USD", total="10.00")
    await rewards.happen(again)

    assert await points(rewards) == {ANA: (160, 160), BEN: (180, 180)}
    await rewards.check()


async def test_an_order_told_of_two_counts_once_when_they_prove_to_be_one(rewards: Rewards):
    """Given an order told under an address of Ana's, and told under Ben's id too; when the address proves to be Ben's;
    then the order gave its points once."""
    mail = "cus_mmmmmmmmmmmmmmmmmmmmmmmm"
    await both(rewards)
    await rewards.happen(order("m1", ANA, "10.00", part=mail))
    again = activity("order.completed", "again", customer=BEN, order_id="m1", currency="USD", total="10.00")
    await rewards.happen(again)
    await rewards.happen(went("facts.corrected", ANA, BEN, [mail], 1))

    assert await points(rewards) == {ANA: (150, 150), BEN: (180, 180)}
    await rewards.check()


def _tenth(name: str, customer: str, part: str = "") -> Activity:
    made = activity(
        "order.completed",
        name,
        customer=customer,
        order_id=name,
        currency="USD",
        total="10.00",
        facts={"orders": 10},
    )
    return Activity(**{field: getattr(made, field) for field in Activity.__struct_fields__} | {"part": part})


async def test_welcome_points_are_taken_back_once_in_a_chain_of_merges(rewards: Rewards):
    """Given three members, two of them welcomed; when one is merged into the other, and that one into the third; then
    one welcome was taken back, not two."""
    await both(rewards)
    await rewards.happen(order("c1", CARL, "10.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.merged", ANA, CARL, [ANA, BEN], 2))

    assert (await points(rewards))[CARL] == (230, 230)
    await rewards.check()
    await rewards.happen(went("customer.unmerged", CARL, ANA, [ANA, BEN], 3))
    assert (await points(rewards))[ANA] == (220, 220)
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 4))
    assert await points(rewards) == {ANA: (150, 150), BEN: (170, 170), CARL: (10, 10)}
    await rewards.check()


async def test_merges_that_come_in_the_wrong_order_end_alike(rewards: Rewards, api):
    """Given a chain of merges; when the later one comes first; then the last one has everything once, and every old id
    leads there."""
    await both(rewards)
    await rewards.happen(order("c1", CARL, "10.00"))
    await rewards.happen(went("customer.merged", ANA, CARL, [ANA, BEN], 2))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))

    assert (await points(rewards))[CARL] == (230, 230)
    for old in (ANA, BEN, CARL):
        answer = await api.get(f"/v1/customers/{old}/points")
        assert answer.json()["available"] == 230, old
    await rewards.check()


async def test_old_ids_follow_their_part(rewards: Rewards, api):
    """Given a chain of merges of which the last is undone; then the id of the one who was merged first leads to where
    they are now."""
    await both(rewards)
    await rewards.happen(order("c1", CARL, "10.00"))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.merged", ANA, CARL, [ANA, BEN], 2))
    await rewards.happen(went("customer.unmerged", CARL, ANA, [ANA, BEN], 3))

    for old, available in ((ANA, 220), (BEN, 220), (CARL, 10)):
        answer = await api.get(f"/v1/customers/{old}/points")
        assert answer.json()["available"] == available, old


@pytest.mark.parametrize("late", [False, True])
async def test_a_shops_name_leads_to_its_customer_in_any_order(rewards: Rewards, api, second_api, late: bool):
    """Given a merge and its undoing, each with the shop's ids; when they come in either order, and other changes with
    higher numbers before them; then each of the shop's ids spends the points of its own customer."""
    ana, ben = (rewards.pseudonyms.of("id", name) for name in ("ana", "ben"))
    own = {ana: own_id(ana), ben: own_id(ben)}
    for pseudonym, name, total in ((ana, "a1", "50.00"), (ben, "b1", "70.00")):
        made = order(name, own[pseudonym], total)
        await rewards.happen(_known_by(made, [pseudonym]))
    await rewards.happen(went("facts.corrected", EVE, CARL, ["cus_x"], 9))
    merged = went("customer.merged", own[ben], own[ana], [own[ben]], 1)
    parted = went("customer.unmerged", own[ana], own[ben], [own[ben]], 2)
    records = [_known_by(merged, [ana, ben]), _known_by(parted, [ben])]
    for one in reversed(records) if late else records:
        await rewards.happen(one)
        await api.get("/v1/customers/ben/points")
    stale = _known_by(order("a2", own[ana], "5.00"), [ana, ben])
    await rewards.happen(stale)

    for name, available in (("ana", 55), ("ben", 70)):
        for process in (api, second_api):
            answer = await process.get(f"/v1/customers/{name}/points")
            assert answer.json()["available"] == available, name


def _known_by(made: Activity, pseudonyms: list[str]) -> Activity:
    fields = {field: getattr(made, field) for field in Activity.__struct_fields__}
    return Activity(**fields | {"identifiers": {"id": pseudonyms}})


async def test_nobody_gets_spent_points_again_by_a_merge_and_its_undoing(rewards: Rewards, api):
    """Given Ben who has spent all his points, welcome points too; when he is merged into Ana, so that she pays for the
    welcome that both had, and parted again; then Ana has what she had, and Ben nothing."""
    await both(rewards)
    asked = {"customer": BEN, "points": 170, "order_id": "x"}
    answer = await api.post("/v1/redemptions", json=asked, headers={"Idempotency-Key": "k"})
    assert (await api.post(f"/v1/redemptions/{answer.json()['id']}/confirm")).status_code == 200
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    assert (await points(rewards))[ANA] == (50, 220)
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))

    assert await points(rewards) == {ANA: (150, 150), BEN: (0, 170)}
    await rewards.check()


async def test_a_release_that_waits_for_an_undone_merge_finds_its_customer(rewards: Rewards, api):
    """Given a reservation of Ben's who was merged into Ana; when it is released while the merge is being undone; then
    the points come back to Ben, and the answer is no error."""
    await both(rewards)
    asked = {"customer": BEN, "points": 100, "order_id": "x"}
    answer = await api.post("/v1/redemptions", json=asked, headers={"Idempotency-Key": "k"})
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    undone = went("customer.unmerged", ANA, BEN, [BEN], 2)
    record = Incoming(ACTIVITY_TOPIC, 0, 0, BEN, encode(undone))
    async with rewards.engine.begin() as connection:
        await rewards.handler(connection, [record], rewards.clock())
        released = asyncio.create_task(api.post(f"/v1/redemptions/{answer.json()['id']}/release"))
        async with asyncio.timeout(10):
            while not await rewards.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert (await released).status_code == 200, (await released).text
    assert await points(rewards) == {ANA: (150, 150), BEN: (170, 170)}
    await rewards.check()
