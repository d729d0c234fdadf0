"""Campaigns that wait act only if what they began on still holds, unless the program says that it does not matter."""

from typing import Any

import pytest
from msgspec import convert, structs

from shared.contracts.activity import Activity, Change
from shared.contracts.outcomes import MessageDue
from tests.integration.rewards.campaigns.campaigning import (
    after,
    lapsed,
    of_type,
    run_program,
    states,
    with_changes,
)
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import NOW, activity, order

LAPSED = "{id: back, on: stage.changed, when: \"event.to == 'lapsed'\", after: P14D, do: [{message: hello}]}"
OUT = {"stage": "lapsed"}
BACK = {"stage": "won_back"}


async def pass_days(rewards: Rewards, days: float) -> list[str]:
    """Let time pass; which messages were asked for."""
    rewards.clock.now = after(days)
    await rewards.pass_time()
    return [one.data["message"] for one in of_type(await rewards.outcomes(), "message.due")]


async def test_who_is_back_is_not_missed(rewards: Rewards) -> None:
    """Given a message 14 days after a customer lapsed; when one has come back by then and another has not; then it is
    written to the other alone, and the run of the first says why."""
    other = f"cus_{7:024}"
    await run_program(rewards, LAPSED)
    await rewards.happen(lapsed(facts=OUT), lapsed("other", customer=other, facts=OUT))
    await rewards.happen(activity("page.viewed", "back", at=after(10), facts=BACK))
    assert await pass_days(rewards, 14) == ["hello"]
    assert await states(rewards) == [("back", "unmet")]
    assert await states(rewards, other) == [("back", "done")]
    assert await pass_days(rewards, 30) == ["hello"]


async def test_what_is_asked_for_is_what_deliveries_reads(rewards: Rewards) -> None:
    """Given a message that is asked for; then its data are those of the contract, each told."""
    await run_program(rewards, LAPSED.replace("after: P14D, ", ""))
    await rewards.happen(lapsed(facts=OUT))
    (due,) = of_type(await rewards.outcomes(), "message.due")
    read = convert(due.data, MessageDue)
    assert (read.campaign, read.message, read.purpose, read.caused_at) == ("back", "hello", "marketing", NOW)
    assert list(due.data) == list(MessageDue.__struct_fields__)


async def test_who_has_gone_again_is_missed(rewards: Rewards) -> None:
    """Given who was away for a while and has lapsed again by then; then what counts is how it stands when it is due."""
    await run_program(rewards, LAPSED)
    await rewards.happen(lapsed(facts=OUT), activity("page.viewed", "back", at=after(5), facts=BACK))
    await rewards.happen(activity("page.viewed", "gone", at=after(9), facts=OUT))
    assert await pass_days(rewards, 14) == ["hello"]


async def test_recheck_false_acts_in_any_case(rewards: Rewards) -> None:
    await run_program(rewards, LAPSED.replace("after:", "recheck: false, after:"))
    await rewards.happen(lapsed(facts=OUT), activity("page.viewed", "back", at=after(10), facts=BACK))
    assert await pass_days(rewards, 14) == ["hello"]


@pytest.mark.parametrize(("spend", "state"), [("90", "done"), ("120", "unmet")])
async def test_the_condition_is_asked_again(rewards: Rewards, spend: str, state: str) -> None:
    """Given a condition on the customer and on the event; when the first has become false by the time; then nothing is
    done; the second is that of the event, whatever comes later."""
    when = "event.total >= 20 && event.source == 'shop' && !event.late && customer.spend < 100"
    await run_program(
        rewards, f'{{id: c, on: order.completed, when: "{when}", after: P2D, do: [{{message: hello}}]}}'
    )
    await rewards.happen(order("1", "30", facts={"spend": "30"}))
    await rewards.happen(order("2", "10", at=after(1), facts={"spend": spend}))
    await pass_days(rewards, 2)
    assert await states(rewards) == [("c", state)]


def in_segment(name: str, *segments: str, days: float, change: Change | None = None) -> Activity:
    """Something happens, after which the customer is in these segments."""
    told = activity("page.viewed", name, at=after(days), facts={"segments": list(segments)})
    return told if change is None else with_changes(told, change)


@pytest.mark.parametrize(
    ("on", "change", "then", "state"),
    [
        ("segment.entered", Change(what="segment", old=None, new="vip"), ["vip"], "done"),
        ("segment.entered", Change(what="segment", old=None, new="vip"), [], "unmet"),
        ("segment.left", Change(what="segment", old="vip", new=None), [], "done"),
        ("segment.left", Change(what="segment", old="vip", new=None), ["vip"], "unmet"),
    ],
)
async def test_segments_hold_still(
    rewards: Rewards, on: str, change: Change, then: list[str], state: str
) -> None:
    await run_program(rewards, f"{{id: c, on: {on}, after: P2D, do: [{{message: hello}}]}}")
    await rewards.happen(in_segment("s", *([change.new] if change.new else []), days=0, change=change))
    await rewards.happen(in_segment("t", *then, days=1))
    await pass_days(rewards, 2)
    assert await states(rewards) == [("c", state)]


async def test_an_unmet_run_leaves_room_and_its_message_to_the_next(rewards: Rewards) -> None:
    """Given two campaigns that would write about the same after the same wait, of which the first in the file does;
    when its condition holds no more; then the second writes; and what was not done does not count towards `at_most`."""
    await run_program(
        rewards,
        "{id: one, on: x.seen, when: customer.visits < 5, at_most: {times: 1}, after: P1D, do: [{message: hello}]}",
        "{id: two, on: x.seen, after: P1D, do: [{message: again}]}",
    )
    few: dict[str, Any] = {"facts": {"visits": 1}}
    await rewards.happen(activity("x.seen", "a", **few))
    await rewards.happen(activity("page.viewed", "p", at=after(0.5), facts={"visits": 9}))
    assert await pass_days(rewards, 1) == ["again"]
    assert sorted(await states(rewards)) == [("one", "unmet"), ("two", "done")]

    await rewards.happen(activity("x.seen", "b", at=after(1), **few))
    assert await pass_days(rewards, 3) == ["again", "hello"]


async def test_the_hold_out_is_asked_the_same(rewards: Rewards) -> None:
    """Given who is held out; when their occasion holds no more; then their run ends like those of the others: the arms
    are compared by the same rule."""
    await run_program(rewards, LAPSED.replace("after:", "holdout: 99%, after:"))
    customers = [f"cus_{number:024}" for number in range(20)]
    await rewards.happen(*(lapsed(f"l-{one}", customer=one, facts=OUT) for one in customers))
    await rewards.happen(
        *(activity("page.viewed", f"p-{one}", customer=one, facts=BACK) for one in customers)
    )
    await pass_days(rewards, 14)
    rows = await rewards.rows("SELECT DISTINCT state FROM rewards.campaign_runs")
    assert [tuple(row) for row in rows] == [("unmet",)]


async def test_what_comes_too_late_is_looked_at_too(rewards: Rewards) -> None:
    """Given a lapse that is told of when its wait is over already; when the customer is back by then; then nothing is
    written."""
    await run_program(rewards, LAPSED)
    rewards.clock.now = after(20)
    await rewards.happen(structs.replace(lapsed(facts=BACK), late=True))
    assert await pass_days(rewards, 21) == []
    assert await states(rewards) == [("back", "unmet")]


async def test_what_a_campaign_that_is_gone_would_have_written_the_next_one_does(rewards: Rewards) -> None:
    """Given two campaigns that would write about the same after the same wait; when the program has the first no longer
    by then; then the second writes."""
    two = "{id: two, on: x.seen, after: P1D, do: [{message: again}]}"
    await run_program(rewards, "{id: one, on: x.seen, after: P1D, do: [{message: hello}]}", two)
    await rewards.happen(activity("x.seen", "a"))
    await run_program(rewards, two)
    assert await pass_days(rewards, 1) == ["again"]
    assert sorted(await states(rewards)) == [("one", "dropped"), ("two", "done")]


async def test_nobody_takes_over_what_another_one_writes(rewards: Rewards) -> None:
    """Given a campaign that writes nothing, and two of which the first writes; when the program has let the former
    write too by then, but it holds no more; then there still is one message for one cause."""
    one = "{id: one, on: x.seen, when: customer.visits < 5, after: P1D, do: [{tag: t}]}"
    others = [
        f"{{id: {name}, on: x.seen, after: P1D, do: [{{message: {message}}}]}}"
        for name, message in (("two", "hello"), ("three", "again"))
    ]
    await run_program(rewards, one, *others)
    await rewards.happen(activity("x.seen", "a", facts={"visits": 1}))
    await run_program(rewards, one.replace("tag: t", "message: hello"), *others)
    await rewards.happen(activity("page.viewed", "p", at=after(0.5), facts={"visits": 9}))
    assert await pass_days(rewards, 1) == ["hello"]


async def test_what_was_not_kept_of_the_event_is_not_asked(rewards: Rewards) -> None:
    """Given a run that waits since before anything was asked again, so that the event's source was not kept; when it is
    due; then its condition, which asks for that, cannot be asked again, and keeps it from nothing."""
    when = "event.source == 'shop' && customer.visits < 5"
    await run_program(rewards, f'{{id: c, on: x.seen, when: "{when}", after: P1D, do: [{{message: hello}}]}}')
    await rewards.happen(activity("x.seen", "a", facts={"visits": 1}))
    await rewards.plant("UPDATE rewards.campaign_runs SET event = (event::jsonb - '__common')::text")
    assert await pass_days(rewards, 1) == ["hello"]


async def test_after_a_downtime_who_came_back_meanwhile_is_not_missed(rewards: Rewards) -> None:
    """Given a lapse and a return that are both read only when the wait is over; when they come in their order; then
    nothing is written."""
    await run_program(rewards, LAPSED)
    rewards.clock.now = after(20)
    await rewards.happen(lapsed(facts=OUT))
    await rewards.happen(activity("page.viewed", "back", at=after(10), facts=BACK))
    assert await pass_days(rewards, 20) == []
    assert await states(rewards) == [("back", "unmet")]
