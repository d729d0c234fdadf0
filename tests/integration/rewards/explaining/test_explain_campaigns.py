"""Why did this campaign not begin, or not write, for this event?"""

from datetime import datetime
from typing import Any

import httpx
import pytest
from msgspec import structs

from shared.contracts.activity import Change
from tests.integration.rewards.campaigns.campaigning import after, lapsed, put, run_program, with_changes
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity, order

BACK = "{id: back, on: stage.changed, when: \"event.to == 'lapsed'\", do: [{message: hello}, {points: 5}]}"
WAITS = (
    "{id: waits, on: x.cart, after: P1D, do: [{message: hello}], success: {on: order.completed, within: P3D}}"
)


async def why(api: httpx.AsyncClient, event: str, rule: str) -> dict[str, Any]:
    """What one campaign made of an event, as the API says it."""
    answer = await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"event": event, "rule": rule})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["rules"]
    assert found["rule"] == rule
    assert answer.json()["sentence"] == found["sentence"]
    return dict(found)


async def test_what_it_brought(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a campaign that acted; when the event is asked about; then it is told of beside the other rules, with its
    points, and nothing kept it."""
    await run_program(rewards, BACK, "{id: other, on: login.recorded, do: [{tag: in}]}")
    await rewards.happen(lapsed())
    answer = (await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"event": "lapsed"})).json()
    (found,) = (one for one in answer["rules"] if one["why"] is None)
    assert (found["rule"], found["why"], found["points"]) == ("back", None, 5)
    assert found["figures"]["state"] == "done"
    assert "message hello and 5 points" in found["sentence"]
    assert "by back" in answer["sentence"]


async def test_the_condition_and_the_facts_of_then(rewards: Rewards, api: httpx.AsyncClient) -> None:
    await run_program(
        rewards, "{id: big, on: order.completed, when: customer.orders >= 5, do: [{message: hello}]}"
    )
    await rewards.happen(order("1", "20", facts={"orders": 3}), order("2", "20", facts={"orders": 9}))
    found = await why(api, "order-1", "big")
    assert found["why"] == "condition_not_met"
    assert found["condition"]["seen"] == [{"field": "customer.orders", "value": 3}]
    assert "customer.orders was 3" in found["sentence"]


async def test_at_most(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given at most one in 90 days; when a second lapse is asked about, then it names the first; the first does not
    count the second against itself."""
    await run_program(rewards, BACK.replace("do:", "at_most: {times: 1, per: P90D}, do:"))
    await rewards.happen(lapsed("one"))
    rewards.clock.now = after(3)
    await rewards.happen(lapsed("two", at=after(2)))
    found = await why(api, "two", "back")
    assert found["why"] == "limit_reached"
    (earlier,) = found["figures"]["given_before"]
    assert datetime.fromisoformat(earlier["at"]) == NOW
    assert (await why(api, "one", "back"))["why"] is None


async def test_another_campaign_on_the_same_cause(rewards: Rewards, api: httpx.AsyncClient) -> None:
    await run_program(rewards, BACK, BACK.replace("id: back", "id: second"))
    await rewards.happen(lapsed())
    assert (await why(api, "lapsed", "second"))["why"] == "other_campaign_writes"
    assert (await why(api, "lapsed", "back"))["why"] is None


async def test_the_hold_out(rewards: Rewards, api: httpx.AsyncClient) -> None:
    await run_program(rewards, BACK.replace("do:", "holdout: 99.9%, do:"))
    await rewards.happen(lapsed())
    assert (await why(api, "lapsed", "back"))["why"] == "held_out"


@pytest.mark.parametrize(("told", "reason"), [("historical", "historical"), ("unrewarded", "unrewarded")])
async def test_history(rewards: Rewards, api: httpx.AsyncClient, told: str, reason: str) -> None:
    await run_program(rewards, BACK)
    await rewards.happen(structs.replace(lapsed(), **{told: True}))
    assert (await why(api, "lapsed", "back"))["why"] == reason


async def test_what_waits_is_stopped_or_holds_no_more(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given runs that wait; when they are asked about before they are due, after their goal was reached, and after
    their condition had become false; then each says so."""
    still = "{id: still, on: x.cart, when: customer.visits < 5, after: P1D, do: [{tag: t}]}"
    await run_program(rewards, WAITS, still)
    await rewards.happen(activity("x.cart", "cart", facts={"visits": 1}))
    found = await why(api, "cart", "waits")
    assert found["why"] == "not_due_yet"
    assert "it waits until" in found["sentence"]

    await rewards.happen(order("1", "20", at=after(0.5), facts={"visits": 9}))
    rewards.clock.now = after(2)
    await rewards.pass_time()
    assert (await why(api, "cart", "waits"))["why"] == "goal_reached"
    assert (await why(api, "cart", "still"))["why"] == "no_longer_holds"


async def test_one_that_waits_for_something_else_or_was_not_in_force(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    await run_program(rewards, BACK)
    await rewards.happen(order("1", "20"), lapsed())
    rewards.clock.now = after(5)
    await run_program(rewards, WAITS)
    assert (await why(api, "order-1", "back"))["why"] == "other_event"
    assert (await why(api, "order-1", "waits"))["why"] == "not_in_program"


async def test_changes_that_an_event_carries(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an order that moved the customer to another stage; when it is asked about; then campaigns on stages are
    among those that wait for such."""
    await run_program(rewards, BACK)
    moved = with_changes(order("1", "20"), Change(what="stage", old="lapsed", new="won_back"))
    await rewards.happen(moved)
    assert (await why(api, "order-1", "back"))["why"] == "condition_not_met"


async def test_a_campaign_that_the_tier_began_is_told_of(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an order that made a customer gold, upon which a campaign began; when the order is asked about; then the
    campaign is told of."""
    await put(rewards, GOLD)
    await rewards.happen(order("1", "300"))
    assert (await why(api, "order-1", "gold-hello"))["why"] is None


GOLD = """
name: Gold
currency: USD
time_zone: UTC
tiers: {basis: {spend_over: P12M}, levels: [{id: member, name: Member}, {id: gold, name: Gold, at: 200}]}
templates: {hello: {subject: Hello, text: Welcome}}
campaigns: [{id: gold-hello, on: tier.changed, do: [{message: hello}]}]
"""


async def test_of_a_thousand_runs_before_the_last_ones_answer(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a campaign that may begin once in 90 days, and began; and a thousand runs since of one that nothing limits;
    when its next occasion is asked about; then the limit is seen all the same; of its own the last are told."""
    limited = BACK.replace("do:", "at_most: {times: 1, per: P90D}, do:")
    await run_program(rewards, limited, "{id: free, on: x.seen, do: [{tag: t}]}")
    await rewards.happen(lapsed("one"))
    rewards.clock.now = after(3)
    await rewards.happen(lapsed("two", at=after(2)))
    plant = """
        INSERT INTO rewards.campaign_runs (customer_id, campaign, run, "on", cause, root, arm, started_at, due_at,
            state, program_version, silent, wrote)
        SELECT customer_id, '{campaign}', 'planted-{campaign}-' || n, "on", cause, 'planted-' || n, arm,
            started_at + {earlier} * interval '1 second' + n * interval '1 millisecond', due_at + interval '1 day',
            'done', 1, false, false
        FROM rewards.campaign_runs, generate_series(1, 1200) n WHERE campaign = 'back' AND run NOT LIKE 'planted%'
        """
    await rewards.plant(plant.format(campaign="free", earlier=1))
    (earlier,) = (await why(api, "two", "back"))["figures"]["given_before"]
    assert datetime.fromisoformat(earlier["at"]) == NOW

    await rewards.plant(plant.format(campaign="back", earlier=-9))
    found = (await why(api, "two", "back"))["figures"]["given_before"]
    assert (len(found), datetime.fromisoformat(found[-1]["at"])) == (100, NOW)
