"""Campaigns that wait, goals that stop them, and arms: what time, other workers and other programs make of a run."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from msgspec import structs

from shared.contracts.activity import Activity
from tests.integration.rewards.campaigns.campaigning import after, lapsed, of_type, put, run_program, states
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity, order

CART = (
    "{id: cart, on: x.cart.left, after: PT4H, do: [{message: hello}, {offer: miss-you}],"
    " success: {on: order.completed, within: P3D}}"
)
NOW_AND_THEN = (
    "{id: back, on: stage.changed, do: [{message: hello}], success: {on: order.completed, when: 'event.total >= 20',"
    " within: P30D}}"
)


def cart(name: str = "cart", **more: Any) -> Activity:
    """A cart was left."""
    return activity("x.cart.left", name, items=3, **more)


async def test_what_waits_acts_when_it_is_due_and_once(rewards: Rewards) -> None:
    """Given a campaign that waits for four hours; when a second is missing, nothing happens; when they are over it
    acts, telling of the event and of the facts as they are by then; and never again."""
    await run_program(rewards, CART)
    await rewards.happen(cart())
    rewards.clock.now = NOW + timedelta(hours=4) - timedelta(seconds=1)
    await rewards.pass_time()
    assert await rewards.outcomes() == []

    await rewards.happen(activity("page.viewed", "look", at=NOW + timedelta(hours=1), facts={"visits": 9}))
    for moment in (NOW + timedelta(hours=4), NOW + timedelta(days=7)):
        rewards.clock.now = moment
        await rewards.pass_time()
    told = await rewards.outcomes()
    assert [one.type for one in told] == ["offer.issued", "message.due"]
    context = told[1].data["context"]
    assert (context["event"]["items"], context["customer"]["visits"]) == (3, 9)
    assert await rewards.rows("SELECT event FROM rewards.campaign_runs") == [(None,)]


async def test_two_workers_act_once(rewards: Rewards) -> None:
    """Given many runs that are due; when two workers look at one moment; then each run acts once."""
    await run_program(rewards, CART)
    customers = [f"cus_{number:024}" for number in range(30)]
    await rewards.happen(*(cart(f"cart-{one}", customer=one) for one in customers))
    rewards.clock.now = after(1)
    await asyncio.gather(rewards.pass_time(), rewards.pass_time())
    await rewards.pass_time()

    messages = of_type(await rewards.outcomes(), "message.due")
    assert sorted(one.customer_id for one in messages) == customers
    assert await rewards.rows("SELECT DISTINCT state FROM rewards.campaign_runs") == [("done",)]


async def test_after_a_week_of_downtime_what_is_too_old_says_so(rewards: Rewards) -> None:
    """Given a run that was due when nothing ran for eight days; when it acts at last; then its message says that nobody
    wants to hear it any more: it expires seven days after it was due."""
    await run_program(rewards, CART)
    await rewards.happen(cart())
    rewards.clock.now = after(8.5)
    await rewards.pass_time()
    (message,) = of_type(await rewards.outcomes(), "message.due")
    assert message.data["expires_at"] < rewards.clock.now.isoformat()


async def test_a_goal_reached_before_it_is_due_stops_a_run(rewards: Rewards) -> None:
    """Given a cart left; when the customer orders within the hour; then nothing is sent nor given, and the run says
    what the order came to."""
    await run_program(rewards, CART)
    await rewards.happen(cart(), order("1", "49.20", at=NOW + timedelta(hours=1)))
    rewards.clock.now = after(1)
    await rewards.pass_time()

    assert of_type(await rewards.outcomes(), "message.due") == []
    assert await rewards.rows("SELECT count(*) FROM rewards.offers") == [(0,)]
    ((state, reached, revenue),) = await rewards.rows(
        "SELECT state, reached_at, revenue::text FROM rewards.campaign_runs"
    )
    assert (state, reached, revenue) == ("stopped", NOW + timedelta(hours=1), "49.20")


async def test_a_goal_reached_before_the_cart_is_told_of_stops_it_too(rewards: Rewards) -> None:
    """Given a shop that tells of a cart after the order that ended it; when the cart comes late; then all ends as if it
    had come first: nothing is sent, and the run knows of the order."""
    await run_program(rewards, CART)
    await rewards.happen(order("1", "49.20", at=NOW + timedelta(hours=1)))
    rewards.clock.now = after(2)
    await rewards.happen(structs.replace(cart(), late=True))
    await rewards.pass_time()

    assert of_type(await rewards.outcomes(), "message.due") == []
    rows = await rewards.rows("SELECT state, reached_at, revenue::text FROM rewards.campaign_runs")
    assert [tuple(row) for row in rows] == [("stopped", NOW + timedelta(hours=1), "49.20")]


async def test_a_goal_reached_later_withdraws_what_is_not_sent(rewards: Rewards) -> None:
    """Given a message that was asked for; when its goal is reached, by an order that is large enough and in time; then
    it is withdrawn, once; orders before, too small, or too late do nothing."""
    await run_program(rewards, NOW_AND_THEN)
    rewards.clock.now = after(40)
    await rewards.happen(lapsed())
    await rewards.happen(order("0", "50", at=after(-1)), order("1", "19.99", at=after(2)))
    await rewards.happen(order("2", "50", at=after(31)))
    assert of_type(await rewards.outcomes(), "message.withdrawn") == []

    await rewards.happen(order("3", "20", at=after(3)), order("4", "90", at=after(4)))
    (withdrawn,) = of_type(await rewards.outcomes(), "message.withdrawn")
    (message,) = of_type(await rewards.outcomes(), "message.due")
    assert withdrawn.data == {
        "campaign": "back",
        "run": message.data["run"],
        "reason": "goal_reached",
    }
    ((reached,),) = await rewards.rows("SELECT reached_at FROM rewards.campaign_runs")
    assert reached == after(3)


async def test_orders_of_whoever_has_no_run_load_none(rewards: Rewards) -> None:
    """Given a campaign whose goal is an order; when customers without a run order; then no run is looked for: they cost
    what they always did."""
    await run_program(rewards, NOW_AND_THEN)

    class NoRuns:
        async def load(self, *_: object) -> None:
            raise AssertionError("a run was looked for")

    campaigns: Any = replace(rewards.handler.campaigns, runs=cast("Any", NoRuns()))
    rewards.handler = replace(rewards.handler, campaigns=campaigns)
    await rewards.happen(*(order(str(number), "30") for number in range(5)))


async def test_a_run_whose_campaign_is_gone_is_dropped(rewards: Rewards) -> None:
    """Given a run that waits; when another program without its campaign is in force by then; then nothing is done."""
    await run_program(rewards, CART)
    await rewards.happen(cart())
    await run_program(rewards, NOW_AND_THEN)
    rewards.clock.now = after(1)
    await rewards.pass_time()
    assert await states(rewards) == [("cart", "dropped")]
    assert await rewards.outcomes() == []


async def test_the_hold_out_gets_nothing_and_its_goals_are_noted(rewards: Rewards) -> None:
    """Given a campaign that leaves half of the customers alone; when a hundred lapse and then order; then those held
    out have a run, get nothing, and reach the goal like the others; and who is held out once always is."""
    await run_program(rewards, NOW_AND_THEN.replace("do:", "holdout: 50%, do:"))
    customers = [f"cus_{number:024}" for number in range(100)]
    await rewards.happen(*(lapsed(f"l-{one}", customer=one) for one in customers))
    await rewards.happen(*(order(one, "20", customer=one, at=after(1)) for one in customers))
    rewards.clock.now = after(2)
    await rewards.happen(*(lapsed(f"m-{one}", customer=one, at=after(2)) for one in customers))

    rows = await rewards.rows("SELECT customer_id, arm, state, reached_at FROM rewards.campaign_runs")
    held = {customer for customer, arm, _, _ in rows if arm == "holdout"}
    treated = {customer for customer, arm, _, _ in rows if arm != "holdout"}
    assert not held & treated
    assert 30 < len(held) < 70
    assert {state for _, arm, state, _ in rows if arm == "holdout"} == {"held_out"}
    assert sum(1 for row in rows if row[3] is not None) == 100
    messages = of_type(await rewards.outcomes(), "message.due")
    assert {one.customer_id for one in messages} == treated


async def test_variants_do_different_things_and_the_message_says_which(rewards: Rewards) -> None:
    """Given two variants; when many customers lapse; then each gets what its arm says, and nobody both."""
    await run_program(
        rewards,
        "{id: ab, on: stage.changed, variants: {a: {do: [{message: hello}]}, b: {do: [{message: again}]}}}",
    )
    await rewards.happen(*(lapsed(f"l-{one}", customer=f"cus_{one:024}") for one in range(60)))
    messages = of_type(await rewards.outcomes(), "message.due")
    assert {(one.data["arm"], one.data["message"]) for one in messages} == {("a", "hello"), ("b", "again")}
    assert len(messages) == 60


MERGED_ID = "cus_000000000000000000000002"


def moved(type_: str, source: str, target: str, epoch: int) -> Activity:
    """The part `MERGED_ID` goes from one customer to another."""
    data = {"from": source, "parts": [MERGED_ID], "epoch": epoch}
    return activity(type_, f"{type_}-{epoch}", customer=target, at=after(10), **data)


async def test_runs_follow_a_merge_and_come_back_when_it_is_undone(rewards: Rewards) -> None:
    """Given a customer with a run that waits, and a limit of one in 90 days; when they prove to be another; then the
    run is the other's, acts for them, and counts for the limit; when the merge is undone, it is theirs again."""
    await run_program(rewards, CART.replace("after:", "at_most: {times: 1, per: P90D}, after:"))
    await rewards.happen(cart("theirs", customer=MERGED_ID))
    await rewards.happen(activity("page.viewed", "p", customer=CUSTOMER))
    await rewards.happen(moved("customer.merged", MERGED_ID, CUSTOMER, 1))
    await rewards.happen(cart("again", at=NOW + timedelta(minutes=1)))
    assert await states(rewards) == [("cart", "waiting")]

    rewards.clock.now = after(1)
    await rewards.pass_time()
    (message,) = of_type(await rewards.outcomes(), "message.due")
    assert (message.customer_id, message.data["part"]) == (CUSTOMER, MERGED_ID)

    await rewards.happen(order("1", "20", at=NOW + timedelta(hours=5)))
    assert len(of_type(await rewards.outcomes(), "message.withdrawn")) == 1

    await rewards.happen(moved("customer.unmerged", CUSTOMER, MERGED_ID, 2))
    assert await states(rewards) == []
    assert await states(rewards, MERGED_ID) == [("cart", "done")]
    await rewards.check()


async def test_points_of_a_run_that_waited_let_the_campaign_of_the_tier_begin(rewards: Rewards) -> None:
    """Given tiers that go by points, and a campaign that waits before it gives some; when it lifts the customer to
    gold; then the campaign of gold begins, once; its message has a cause of its own beside the one sent on the event
    itself, and no other campaign begins on what campaigns gave."""
    source = """
name: By points
currency: USD
time_zone: UTC
points: {earn: [{id: purchase, on: order.completed, points_per_unit: 1}]}
tiers:
  basis: {points_over: P12M}
  levels: [{id: member, name: Member}, {id: gold, name: Gold, at: 100}]
offers: {mug: {gift: mug, valid_for: P30D}}
templates: {hello: {subject: Hello, text: Welcome to Gold}, thanks: {subject: Thanks, text: Thank you}}
campaigns:
  - {id: thanks, on: review.posted, do: [{message: thanks}]}
  - {id: gift, on: review.posted, after: P3D, do: [{points: 60}, {offer: mug}]}
  - {id: lifted, on: tier.changed, do: [{message: hello}, {points: 5}]}
  - {id: of-code, on: offer.issued, do: [{tag: has-code}]}
"""
    await put(rewards, source)
    await rewards.happen(order("1", "50"))
    await rewards.happen(activity("review.posted", "r", rating=5))
    for days in (3, 30):
        rewards.clock.now = after(days)
        await rewards.pass_time()

    assert sorted(await states(rewards)) == [("gift", "done"), ("lifted", "done"), ("thanks", "done")]
    first, second = of_type(await rewards.outcomes(), "message.due")
    assert (first.data["campaign"], second.data["campaign"]) == ("thanks", "lifted")
    assert first.cause != second.cause
    assert second.data["caused_at"] == after(3).isoformat().replace("+00:00", "Z")
    assert await rewards.rows("SELECT tier, available FROM rewards.members") == [("gold", 115)]
    await rewards.check()
