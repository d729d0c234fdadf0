"""Arms of campaigns: who is in which, for good, whatever becomes of the campaign and of the customers."""

from decimal import Decimal

import httpx
import pytest

from shared.contracts.activity import Activity
from tests.integration.rewards.campaigns.campaign_shop import (
    COME_BACK,
    PRICED,
    Shop,
    arms,
    begin,
    name,
    paused,
)
from tests.integration.rewards.campaigns.campaigning import after, put, run_program
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity


@pytest.fixture
async def shop(rewards: Rewards, api: httpx.AsyncClient) -> Shop:
    """The campaign has begun for forty customers."""
    return await begin(rewards, api)


async def test_everybody_has_an_arm_and_only_the_treated_get_anything(shop: Shop) -> None:
    """Given a hold-out of half; when the campaign begins for forty customers; then each has a run in one of two arms,
    and who is left alone got neither points nor code nor message."""
    assert len(shop.treated) + len(shop.alone) == 40
    assert 10 < len(shop.alone) < 30
    assert set(shop.messages) == set(shop.codes) == set(shop.treated)

    found = await shop.report()

    assert [arm["arm"] for arm in found["arms"]] == ["treated", "holdout"]
    assert [arm["customers"] for arm in found["arms"]] == [len(shop.treated), len(shop.alone)]
    assert [arm["share"] for arm in found["arms"]] == [0.5, 0.5]
    assert [arm["cost"]["points"] for arm in found["arms"]] == [50 * len(shop.treated), 0]
    assert [arm["offered"] for arm in found["arms"]] == [len(shop.treated), 0]
    assert Decimal(found["all"]["cost"]["points_worth"]) == Decimal("0.50") * len(shop.treated)
    assert [remark["code"] for remark in found["remarks"]] == ["still_open"]


async def test_each_customer_counts_by_the_first_run_of_the_period(shop: Shop) -> None:
    """Given customers for whom the campaign begins again; when the report is of all, and of the later days; then they
    count once in each, and nobody was moved to another arm."""
    before = await arms(shop.rewards)
    await shop.happen(*(paused(number, at=40, key="-again") for number in range(40)))
    await shop.bought(shop.treated[0], "50", days=41)

    assert await arms(shop.rewards) == before
    whole, later = await shop.report(), await shop.report(**{"from": after(30).isoformat()})
    assert (whole["all"]["customers"], whole["all"]["runs"]) == (len(shop.treated), 2 * len(shop.treated))
    assert "repeated" in [remark["code"] for remark in whole["remarks"]]
    assert (whole["all"]["goals"], later["all"]["goals"]) == (0, 1)
    assert (later["all"]["customers"], later["all"]["runs"]) == (len(shop.treated), len(shop.treated))


@pytest.mark.parametrize("share", ["5%", "95%"])
async def test_another_share_moves_nobody(shop: Shop, share: str) -> None:
    """Given arms; when the hold-out becomes smaller or larger, and the campaign begins again for all; then everybody
    stays where they are; and the report says that the campaign changed."""
    before = await arms(shop.rewards)
    shop.rewards.clock.set(after(40))
    await put(shop.rewards, PRICED + f"  - {COME_BACK.replace('50%', share)}\n")
    await shop.happen(*(paused(number, at=40, key="-again") for number in range(40)))

    assert await arms(shop.rewards) == before
    found = await shop.report()
    assert "changed" in [remark["code"] for remark in found["remarks"]]
    later = await shop.report(**{"from": after(30).isoformat()})
    assert "changed" not in [remark["code"] for remark in later["remarks"]]
    assert "uneven" in [remark["code"] for remark in later["remarks"]], (
        "shares were others when arms were assigned"
    )


async def test_variants_that_come_later_leave_the_hold_out_alone(shop: Shop) -> None:
    """Given a campaign that gets variants; when it begins again for all; then who was left alone stays so, and all
    others get one of the variants, for good."""
    variants = "variants: {few: {do: [{points: 50}]}, many: {do: [{points: 500}]}}"
    do = "do: [{offer: miss-you}, {message: hello}, {points: 50}]"
    shop.rewards.clock.set(after(40))
    await put(shop.rewards, PRICED + f"  - {COME_BACK.replace(do, variants)}\n")
    await shop.happen(*(paused(number, at=40, key="-again") for number in range(40)))
    second = await arms(shop.rewards)
    await shop.happen(*(paused(number, at=80, key="-third") for number in range(40)))

    assert {customer for customer, arm in second.items() if arm == "holdout"} == set(shop.alone)
    assert {second[customer] for customer in shop.treated} == {"few", "many"}
    assert await arms(shop.rewards) == second
    found = await shop.report(**{"from": after(30).isoformat()})
    assert [arm["arm"] for arm in found["arms"]] == ["few", "many", "holdout"]
    assert [(each["arm"] in {"few", "many"}, each["level"]) for each in found["variants"]] == [(True, 0.95)]


async def test_a_merge_takes_runs_and_messages_along_and_gives_them_back(shop: Shop) -> None:
    """Given one who is left alone and one who is not, who prove to be one; then the report counts one customer, in the
    arm of the first run, which also decides later ones; when the merge is undone, two again."""
    one, alone = sorted((shop.treated[0], shop.alone[0]))
    took = {"from": alone, "parts": [alone], "epoch": 1}
    await shop.happen(activity("customer.merged", "merged", customer=one, **took))
    merged = await shop.report()
    assert sum(arm["customers"] for arm in merged["arms"]) == 39
    await shop.heard("email.opened", one, days=1, message=shop.messages[shop.treated[0]])
    await shop.happen(
        activity("subscription.paused", "both", customer=one, at=after(40)),
    )
    first = await shop.rewards.rows(
        "SELECT arm FROM rewards.campaign_runs WHERE customer_id = :one ORDER BY started_at, run LIMIT 1",
        one=one,
    )
    assert (await arms(shop.rewards))[one] == first[0][0]

    back = {"from": one, "parts": [alone], "epoch": 2}
    await shop.happen(activity("customer.unmerged", "unmerged", customer=alone, **back))

    parted = await shop.report()
    assert sum(arm["customers"] for arm in parted["arms"]) == 40
    owners = dict(await shop.rewards.rows("SELECT message, customer_id FROM rewards.campaign_messages"))
    assert owners == {message: customer for customer, message in shop.messages.items()}
    assert (await shop.arm("treated"))["opened"] == 1


async def test_a_campaign_that_is_gone_keeps_its_report(shop: Shop) -> None:
    """Given a campaign that was taken out of the program; then what it brought can still be read, and the report says
    that no more goals are counted."""
    before = await shop.report()
    await run_program(shop.rewards, "{id: other, on: subscription.paused, do: [{points: 5}]}")

    after_that = await shop.report()
    assert [remark["code"] for remark in after_that["remarks"]] == ["removed", "still_open"]
    assert after_that | {"remarks": before["remarks"]} == before


async def test_runs_of_a_variant_that_is_gone_still_count_as_assigned(shop: Shop) -> None:
    """Given a delay, during which the campaign gets variants; when customers reach the goal whose runs were dropped by
    that; then they count in the arm that they were in, as those held out do."""
    slow = COME_BACK.replace(
        "id: come-back, on: subscription.paused", "id: slow, on: login.recorded, after: P7D"
    )
    do = "do: [{offer: miss-you}, {message: hello}, {points: 50}]"
    await put(shop.rewards, PRICED + f"  - {slow}\n")
    await shop.happen(*(_login(number) for number in range(10)))
    await put(
        shop.rewards,
        PRICED + f"  - {slow.replace(do, 'variants: {a: {do: [{points: 1}]}, b: {do: [{points: 2}]}}')}\n",
    )
    shop.rewards.clock.set(after(8))
    await shop.rewards.pass_time()
    states = dict(
        await shop.rewards.rows("SELECT arm, state FROM rewards.campaign_runs WHERE campaign = 'slow'")
    )
    assert states == {"treated": "dropped", "holdout": "held_out"}
    for number in range(10):
        await shop.bought(name(number), "50", days=9)

    answer = await shop.api.get("/v1/campaigns/slow/report")

    old = {arm["arm"]: arm for arm in answer.json()["arms"] if arm["customers"]}
    assert old.keys() == {"treated", "holdout"}
    assert all(arm["goals"] == arm["customers"] for arm in old.values())


def _login(number: int) -> Activity:
    return activity("login.recorded", f"login-{number}", customer=name(number), at=after(1))
