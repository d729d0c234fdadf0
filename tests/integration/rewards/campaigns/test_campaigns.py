"""Campaigns on the stream: what begins them, what they bring, to whom, and how often."""

from datetime import datetime, timedelta

from structlog.testing import capture_logs

from shared.contracts.activity import Change
from tests.integration.rewards.campaigns.campaigning import (
    HEAD,
    after,
    lapsed,
    of_type,
    put,
    run_program,
    states,
    with_changes,
)
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity, order

OTHER = "cus_000000000000000000000002"
MISS_YOU = (
    "{id: we-miss-you, on: stage.changed, when: \"event.to == 'lapsed'\","
    " do: [{message: hello}, {offer: miss-you}, {points: 50}, {tag: winback}, {webhook: crm}],"
    " at_most: {times: 1, per: P90D}}"
)

WITH_SEGMENT = f"""{HEAD}
  - {MISS_YOU}
  - {{id: back, on: stage.changed, when: "event.to == 'won_back'", do: [{{tag: back}}]}}
  - {{id: vip, on: segment.entered, when: "event.segment == 'big'", do: [{{tag: big}}]}}
segments: {{big: "customer.spend > 5"}}
"""


async def test_a_campaign_does_all_that_it_says_and_its_message_tells_of_it(rewards: Rewards) -> None:
    """Given a campaign on a change of stage; when a customer lapses; then points, a code, a tag and a webhook come,
    and a message that knows the code, the points as they are now, the facts and the event."""
    await run_program(rewards, MISS_YOU)
    await rewards.happen(lapsed(facts={"stage": "lapsed", "orders": 3}))

    told = await rewards.outcomes()
    assert [one.type for one in told] == [
        "points.earned",
        "offer.issued",
        "message.due",
        "tag.due",
        "webhook.due",
    ]
    (offer,), (message,) = of_type(told, "offer.issued"), of_type(told, "message.due")
    context = message.data["context"]
    assert context["offer"]["code"] == offer.data["code"]
    assert context["offer"]["name"] == "miss-you"
    assert (context["points"], context["tier"]) == (50, "Member")
    assert (context["customer"]["orders"], context["customer"]["stage"]) == (3, "lapsed")
    assert (context["event"]["from"], context["event"]["to"]) == ("active", "lapsed")
    assert (message.data["campaign"], message.data["message"], message.data["purpose"]) == (
        "we-miss-you",
        "hello",
        "marketing",
    )
    assert message.cause == lapsed().id
    assert datetime.fromisoformat(message.data["expires_at"]) == NOW + timedelta(days=7)
    assert of_type(told, "tag.due")[0].data["tag"] == "winback"
    assert of_type(told, "webhook.due")[0].data["webhook"] == "crm"
    assert await states(rewards) == [("we-miss-you", "done")]
    await rewards.check()


async def test_the_same_activity_again_brings_nothing_more(rewards: Rewards) -> None:
    """Given a run; when its activity comes again, in the same batch and in another; then nothing is done twice."""
    await run_program(rewards, MISS_YOU)
    await rewards.happen(lapsed(), lapsed())
    await rewards.happen(lapsed())

    assert len(of_type(await rewards.outcomes(), "message.due")) == 1
    assert len(await states(rewards)) == 1


async def test_history_begins_no_campaign(rewards: Rewards) -> None:
    """Given imported history; when it says that a customer lapsed; then nobody is written to, nor given anything."""
    await run_program(rewards, MISS_YOU)
    await rewards.happen(lapsed(historical=True))

    assert await rewards.outcomes() == []
    assert await states(rewards) == []


async def test_what_earns_nothing_begins_no_campaign_that_gives(rewards: Rewards) -> None:
    """Given one campaign that gives points and one that does not; when an activity is unrewarded; then only the second
    begins."""
    await run_program(rewards, MISS_YOU, "{id: just-hello, on: stage.changed, do: [{message: hello}]}")
    await rewards.happen(lapsed(unrewarded=True))

    assert await states(rewards) == [("just-hello", "done")]


async def test_what_an_event_changes_counts_like_what_time_changes(rewards: Rewards) -> None:
    """Given campaigns on a stage and on a segment; when an order brings the customer there; then both begin; of several
    changes of stage only the last one counts."""
    await put(rewards, WITH_SEGMENT)
    await rewards.happen(
        with_changes(
            order("1", "10"),
            Change(what="stage", old="active", new="lapsed", at=after(-3)),
            Change(what="stage", old="lapsed", new="won_back"),
            Change(what="segment", old=None, new="big"),
            Change(what="score", old="3", new="4"),
        )
    )
    assert await states(rewards) == [("back", "done"), ("vip", "done")]


async def test_an_alert_takes_no_more_of_an_event_than_it_can_carry(rewards: Rewards) -> None:
    """Given a campaign that raises an alert; when events come with fields of the shop's own, as many and as large as
    ingest takes them; then the alert is raised all the same, about nothing that is no id."""
    await run_program(rewards, "{id: watch, on: ticket.opened, do: [{alert: look-here}]}")
    odd = {f"{number}{'k' * 250}": "\x01\U0001f4a3" * 100 for number in range(40)}
    await rewards.happen(activity("ticket.opened", "t-1", order_id="x" * 9_000, **odd))
    await rewards.happen(activity("ticket.opened", "t-2", account_id={"a": [1]}, contract_id=True))

    ((kind, subject, times),) = await rewards.rows("SELECT kind, subject, times FROM platform.alerts")
    assert (kind, subject, times) == ("look-here", "", 2)


async def test_one_cause_one_message_and_the_first_in_the_file_has_it(rewards: Rewards) -> None:
    """Given three campaigns that would write when a ticket comes, one of them in two days; when it comes; then the
    first in the file writes now, the second is superseded and does all but that, and the third is a step of its own."""
    await run_program(
        rewards,
        "{id: one, on: ticket.opened, do: [{message: ticket}]}",
        "{id: two, on: ticket.opened, do: [{message: hello}, {alert: look-here}]}",
        "{id: three, on: ticket.opened, after: P2D, do: [{message: again}]}",
    )
    await rewards.happen(activity("ticket.opened", "t-1", ticket_id="7", priority="high"))
    assert await states(rewards) == [("one", "done"), ("three", "waiting"), ("two", "superseded")]
    (message,) = of_type(await rewards.outcomes(), "message.due")
    assert (message.data["message"], message.data["purpose"]) == ("ticket", "service")
    ((kind, subject, rule),) = await rewards.rows("SELECT kind, subject, rule FROM platform.alerts")
    assert (kind, subject, rule) == ("look-here", "ticket:7", "two")

    rewards.clock.now = after(2)
    await rewards.pass_time()
    first, second = of_type(await rewards.outcomes(), "message.due")
    assert second.data["message"] == "again"
    assert first.cause != second.cause


async def test_at_most_so_often(rewards: Rewards) -> None:
    """Given a campaign at most once in 90 days; when a customer lapses after 60 and after 91 days; then the second time
    brings nothing, and the third does."""
    await run_program(rewards, MISS_YOU)
    for days in (0, 60, 91):
        rewards.clock.now = after(days)
        await rewards.happen(lapsed(f"lapsed-{days}", at=after(days)))
    assert [
        at for (at,) in await rewards.rows("SELECT started_at FROM rewards.campaign_runs ORDER BY 1")
    ] == [
        after(0),
        after(91),
    ]


async def test_silence_counts_for_the_campaign_that_waits_for_so_long(rewards: Rewards) -> None:
    """Given campaigns on 14 and on 30 days without a login; when scoring tells of 14; then only the first begins."""
    await run_program(
        rewards,
        "{id: two-weeks, on: login.missing, after: P14D, do: [{message: hello}]}",
        "{id: a-month, on: login.missing, after: P30D, do: [{message: again}]}",
    )
    await rewards.happen(activity("login.missing", "m", days=14, after="P14D"))
    assert await states(rewards) == [("two-weeks", "done")]


async def test_campaigns_begin_on_what_rewards_decides(rewards: Rewards) -> None:
    """Given campaigns on a milestone, a tier and a code; when one order brings all three; then each begins, and the
    message knows the code that the milestone gave."""
    await run_program(
        rewards,
        "{id: fifth, on: milestone.reached, when: \"event.milestone == 'fifth-purchase'\", do: [{message: hello}]}",
        "{id: to-gold, on: tier.changed, when: \"event.to == 'gold' && customer.orders == 5\", do: [{tag: gold}]}",
        "{id: coded, on: offer.issued, when: \"event.offer == 'fifth'\", do: [{webhook: crm}]}",
    )
    await rewards.happen(order("1", "250", facts={"orders": 5}))

    assert sorted(await states(rewards)) == [("coded", "done"), ("fifth", "done"), ("to-gold", "done")]
    told = await rewards.outcomes()
    (message,), (offer,) = of_type(told, "message.due"), of_type(told, "offer.issued")
    assert message.data["context"]["offer"]["code"] == offer.data["code"]
    assert message.data["context"]["tier"] == "Gold"


async def test_points_that_expire_begin_a_campaign_with_the_facts_told_last(rewards: Rewards) -> None:
    """Given a campaign on points that expire, for customers with an order; when notice of it goes out; then the message
    tells of the points, and the condition saw the facts of the customer's last activity."""
    await run_program(
        rewards, '{id: soon, on: points.expiring, when: "customer.orders >= 1", do: [{message: hello}]}'
    )
    await rewards.happen(order("1", "120", facts={"orders": 1}))
    await rewards.happen(order("2", "80", customer=OTHER, facts={"orders": 0}))
    rewards.clock.now = after(340)
    await rewards.pass_time()
    await rewards.pass_time()

    (message,) = of_type(await rewards.outcomes(), "message.due")
    assert message.customer_id == CUSTOMER
    assert message.data["context"]["event"]["points"] == 120


async def test_a_campaign_that_lifts_a_tier_lets_the_campaign_of_the_tier_begin(rewards: Rewards) -> None:
    """Given tiers that go by points; when a campaign gives so many that the customer comes to gold; then the campaign
    of gold begins, once, and the tier is the one that all that counts gives."""
    source = """
name: By points
currency: USD
time_zone: UTC
points: {earn: [{id: purchase, on: order.completed, points_per_unit: 1}]}
tiers:
  basis: {points_over: P12M}
  levels: [{id: member, name: Member}, {id: gold, name: Gold, at: 100}]
templates: {hello: {subject: Hello, text: Welcome to Gold}}
campaigns:
  - {id: gift, on: review.posted, do: [{points: 60}]}
  - {id: lifted, on: tier.changed, do: [{message: hello}, {points: 5}]}
"""
    await put(rewards, source)
    await rewards.happen(order("1", "50"))
    await rewards.happen(activity("review.posted", "r", rating=5))

    assert sorted(await states(rewards)) == [("gift", "done"), ("lifted", "done")]
    ((tier, available),) = await rewards.rows("SELECT tier, available FROM rewards.members")
    assert (tier, available) == ("gold", 115)
    await rewards.check()


async def test_nobody_is_written_to_without_end_by_being_moved_to_and_fro(rewards: Rewards) -> None:
    """Given a campaign that writes on a change of stage and does not say how often; when somebody is moved to and fro
    five times within a day, and once more the day after; then it begins three times and once; and that it was held is
    counted, and logged with the remedy, once however often the stream tells it."""
    await run_program(rewards, "{id: hello, on: stage.changed, do: [{message: hello}]}")
    moved = [lapsed(f"moved-{hour}", at=NOW + timedelta(hours=hour - 26)) for hour in (0, 1, 2, 3, 4, 25)]

    with capture_logs() as logs:
        await rewards.happen(*moved)
        await rewards.happen(*moved)

    assert await states(rewards) == [("hello", "done")] * 4
    assert len(of_type(await rewards.outcomes(), "message.due")) == 4
    (told,) = [line for line in logs if line["event"] == "campaign_braked"]
    assert (told["campaign"], told["times"], told["remedy"]) == ("hello", 2, "give it at_most")
