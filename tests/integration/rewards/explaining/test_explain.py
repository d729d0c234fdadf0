"""Why, and why not, on a real database: each rule's verdict about an event, the lots that were touched."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from msgspec.structs import replace

from shared.contracts.events import event_key
from shared.program.versions.reading import FRESH_S
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import end, reserve
from tests.integration.rewards.test_api import get
from tests.integration.rewards.tiering.test_tiers import BENEFITS, use
from tests.unit.rewards.building import CUSTOMER, PROGRAM, activity, order, refund

OTHER = "cus_000000000000000000000002"


async def why(api: httpx.AsyncClient, event: str, rule: str, **more: Any) -> tuple[str | None, str]:
    """The reason code and the sentence about one rule and one event."""
    answer = await get(api, "explain", event=event, rule=rule, **more)
    (one,) = answer["rules"]
    assert answer["sentence"] == one["sentence"]
    return one["why"], one["sentence"]


async def test_an_event_is_explained_rule_by_rule(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an order; when it is asked about by the id that its sender gave; then every rule that waits for orders says
    what it made of it: with its entries, its text, its condition and the values that were seen."""
    await rewards.happen(order("1001", "49.20", facts={"orders": 3, "segments": ["lapsed"]}))

    answer = await get(api, "explain", event="order-1001")

    assert answer["sentence"] == (
        "order.completed order-1001 from shop of 01 June 2026 brought 49 points by purchase;"
        " 3 other rules that wait for such events gave nothing."
    )
    assert (answer["event"]["source"], answer["facts"]["orders"], answer["program_version"]) == ("shop", 3, 1)
    rules = {one["rule"]: one for one in answer["rules"]}
    assert {id_: one["why"] for id_, one in rules.items()} == {
        "purchase": None,
        "vip-double": "condition_not_met",
        "fifth-purchase": "condition_not_met",
        "tenth-order": "condition_not_met",
    }
    assert (rules["purchase"]["points"], rules["purchase"]["ledger_entries"]) == (49, [f"{CUSTOMER}-1"])
    assert rules["tenth-order"]["condition"] == {
        "text": "customer.orders == 10",
        "holds": False,
        "join": None,
        "parts": [],
        "seen": [{"field": "customer.orders", "value": 3}],
    }
    assert rules["vip-double"]["rule_text"].startswith("{id: vip-double")
    assert "customer.segments was ['lapsed']" in rules["vip-double"]["sentence"]
    assert [(lot["moved"], lot["rules"], lot["order_id"]) for lot in answer["lots"]] == [
        (49, ["purchase"], "1001")
    ]


async def test_an_event_is_found_by_its_source_and_by_the_cause_of_an_entry(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given an order; when it is named with its source, without, or by the cause in the ledger; then it is the same."""
    await rewards.happen(replace(order("1", "20"), id=event_key("shop", "order-1").hex()))
    ((cause,),) = await rewards.rows("SELECT cause FROM rewards.entries")

    by_id = await get(api, "explain", event="order-1")

    assert by_id["event"]["id"] == "order-1"
    assert await get(api, "explain", event="order-1", source="shop") == by_id
    assert await get(api, "explain", event=cause) == by_id


REASONS = [
    ([order("1", "0.40")], "order-1", "purchase", "no_whole_point"),
    ([order("1", "9", currency="EUR")], "order-1", "purchase", "other_currency"),
    ([order("1", "9")], "order-1", "review", "other_event"),
    ([order("1", "9")], "order-1", "nonsense", "not_in_program"),
    ([order("1", "9"), order("1", "9", name="again")], "again", "purchase", "order_told_before"),
    ([order("1", "9", unrewarded=True)], "order-1", "purchase", "unrewarded"),
    ([activity("review.posted", name, rating=5) for name in "abc"], "c", "review", "limit_reached"),
    (
        [order("5", "9", facts={"orders": 5}), activity("page.viewed", "p", facts={"orders": 5})],
        "p",
        "fifth-purchase",
        "reached_before",
    ),
    ([refund("1", "r", "9")], "refund-r", "purchase", "other_event"),
]
"""What happened, the event asked about, the rule, and why that gave nothing."""


async def test_each_reason_on_what_the_database_holds(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given customers to whom one thing after the other happened; when asked why not; then the reason is the one that
    kept the rule from giving."""
    told = []
    for number, (happened, event, rule, _) in enumerate(REASONS):
        customer = f"cus_{number:024x}"
        for each in happened:
            id_ = f"{number:08x}{each.id[8:]}"
            await rewards.happen(replace(each, id=id_, customer_id=customer))
        query = {"event": event, "rule": rule}
        answer = await api.get(f"/v1/customers/{customer}/explain", params=query)
        (one,) = answer.json()["rules"]
        told.append((event, rule, one["why"]))

    assert told == [(event, rule, code) for _, event, rule, code in REASONS]


async def test_what_gave_is_told_as_giving_after_it_was_used_up_and_taken_back(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given an order with points and a milestone's code; when they are spent and it is refunded; then the event is
    explained as it was decided."""
    await rewards.happen(order("5", "500", facts={"orders": 5}))
    await end(api, await reserve(api, 400, "k"), "confirm")
    await rewards.happen(refund("5", "r", "500"))

    rules = {one["rule"]: one for one in (await get(api, "explain", event="order-5"))["rules"]}

    assert (rules["purchase"]["why"], rules["purchase"]["points"]) == (None, 500)
    assert (rules["fifth-purchase"]["why"], len(rules["fifth-purchase"]["offers"])) == (None, 1)


async def test_the_version_that_counted_then_judges(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given points for any review; when a later version gives them for bad ones only, and a review before and one after
    are asked about; then each is judged by the version of its own time."""
    await rewards.happen(activity("review.posted", "before", rating=5))
    rewards.clock.advance(timedelta(minutes=1))
    changed = PROGRAM.replace("points: 50, limit", 'points: 50, when: "event.rating == 1", limit')
    put = await api.put("/v1/program", content=changed, headers={"Content-Type": "application/yaml"})
    assert put.json()["version"] == 2
    rewards.clock.advance(timedelta(minutes=1))
    await asyncio.sleep(FRESH_S)  # the worker hears of it
    await rewards.happen(activity("review.posted", "after", rating=5))

    before, after = await why(api, "before", "review"), await why(api, "after", "review")

    assert before[0] is None
    assert "program version 1 gave 50 points" in before[1]
    assert after[0] == "condition_not_met"
    assert "program version 2" in after[1]
    assert "event.rating was 5" in after[1]


async def test_after_a_merge_either_id_explains_what_both_had(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a welcome for each of two who merge; when asked under either id; then both were given."""
    await rewards.happen(
        activity("customer.registered", "one"), activity("customer.registered", "two", customer=OTHER)
    )
    await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))

    for customer in (CUSTOMER, OTHER):
        for event in ("one", "two"):
            answer = await api.get(f"/v1/customers/{customer}/explain", params={"event": event})
            (one,) = [each for each in answer.json()["rules"] if each["rule"] == "welcome"]
            assert (one["why"], one["points"]) == (None, 100)
            assert [(lot["moved"], lot["rules"]) for lot in answer.json()["lots"]] == [(100, ["welcome"])]


async def test_every_entry_of_a_merge_that_was_undone_has_its_sentence(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two who merged and parted; when every entry of both is explained; then none fails, and what was given again
    says so."""
    await rewards.happen(
        activity("customer.registered", "one"), activity("customer.registered", "two", customer=OTHER)
    )
    await rewards.happen(activity("customer.merged", "m", **{"from": OTHER, "parts": [OTHER], "epoch": 1}))
    await rewards.happen(
        activity("customer.unmerged", "u", customer=OTHER, **{"from": CUSTOMER, "parts": [OTHER], "epoch": 2})
    )

    told = {}
    for customer in (CUSTOMER, OTHER):
        ledger = (await api.get(f"/v1/customers/{customer}/ledger")).json()["items"]
        for item in ledger:
            query = {"ledger_entry": item["id"]}
            answer = await api.get(f"/v1/customers/{customer}/explain", params=query)
            assert answer.status_code == 200, answer.text
            told[item["kind"]] = answer.json()["sentence"]

    assert "as it was undone" in told["restore"]


async def test_spending_and_expiry_say_whose_points_they_took(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two orders of different months; when points are spent that take from both, and the rest expires; then each
    entry names the order whose points it took, and the lots that were touched."""
    january, april = datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 4, 10, 12, tzinfo=UTC)
    await rewards.happen(order("1", "100", at=january), order("2", "100", at=april))
    await end(api, await reserve(api, 130, "k"), "confirm")
    rewards.clock.set(datetime(2027, 5, 1, tzinfo=UTC))
    await rewards.pass_time()
    items = {(one["kind"], one["amount"]): one["id"] for one in (await get(api, "ledger"))["items"]}

    reserved = await get(api, "explain", ledger_entry=items["reserve", 30])
    spent = await get(api, "explain", ledger_entry=items["confirm", 130])
    expired = await get(api, "explain", ledger_entry=items["expire", 70])

    assert "earned by rule purchase on 10 April 2026 (order 2), put aside" in reserved["sentence"]
    assert [(lot["order_id"], lot["moved"]) for lot in spent["lots"]] == [("1", 100), ("2", 30)]
    assert expired["sentence"] == (
        "70 points, earned by rule purchase on 10 April 2026 (order 2), expired unspent: their last day was over."
    )


async def test_a_refund_names_its_own_order_whatever_lots_it_took_from(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a refund of points that are spent, taken from another order's; when explained; then its own order is
    named."""
    await rewards.happen(order("1", "100", at=datetime(2026, 1, 10, 12, tzinfo=UTC)), order("2", "100"))
    await end(api, await reserve(api, 100, "k"), "confirm")
    await rewards.happen(refund("1", "r", "100"))
    (taken,) = [one for one in (await get(api, "ledger"))["items"] if one["kind"] == "reverse"]

    answer = await get(api, "explain", ledger_entry=taken["id"])

    assert "(order 1, 100 USD)" in answer["sentence"]
    assert [lot["order_id"] for lot in answer["lots"]] == ["2"]


async def test_of_many_lots_those_that_expire_first_are_listed(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a redemption that took from 201 lots; when explained; then 200 are listed, and how many there are is
    told."""
    await rewards.happen(*(order(str(number), "1") for number in range(200)))
    await rewards.happen(order("last", "1", at=rewards.clock() + timedelta(days=1)))
    await end(api, await reserve(api, 201, "k"), "confirm")

    (newest, *_) = (await get(api, "ledger"))["items"]
    answer = await get(api, "explain", ledger_entry=newest["id"])

    assert answer["lots_in_all"] == 201
    assert {lot["order_id"] for lot in answer["lots"]} == {str(number) for number in range(200)}


REFUSED: list[tuple[dict[str, str], int]] = [
    ({"event": "nothing"}, 404),
    ({"event": "nothing", "source": "shop"}, 404),
    ({"event": "order-2"}, 404),
    ({"event": "order-2", "source": "shop"}, 404),
    ({"event": "0" * 32}, 404),
    ({"event": "order-1", "tier": "gold"}, 422),
    ({"tier": "gold", "rule": "purchase"}, 422),
    ({"rule": "purchase"}, 422),
    ({"tier": "\x00"}, 422),
    ({"event": "\x00"}, 422),
    ({"event": "order-1", "rule": "\x00"}, 422),
    ({"event": ""}, 422),
    ({"event": "x" * 301}, 422),
]


async def test_what_cannot_be_explained_is_the_caller_s_problem(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given an order of a customer and another's; when what is not theirs, or not there, is asked; then a problem."""
    await rewards.happen(order("1", "10"), order("2", "10", customer=OTHER))

    for query, status in REFUSED:
        answer = await api.get(f"/v1/customers/{CUSTOMER}/explain", params=query)

        assert answer.status_code == status, query
        assert answer.headers["content-type"] == "application/problem+json"


async def test_two_sources_with_one_id_are_told_apart(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an id that two sources use; when it is asked about without a source; then both are named."""
    first, second = order("1", "10", name="same"), order("2", "20", name="other")

    await rewards.happen(first, replace(second, event_id="same", source="till"))

    refused = await api.get(f"/v1/customers/{CUSTOMER}/explain", params={"event": "same"})

    assert refused.status_code == 422
    assert "shop, till" in refused.json()["errors"][0]["detail"]


async def test_the_tier_and_the_limit_are_those_of_then(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a rule for Gold, and one that gives once; when Gold comes and the limit is used up only later, in
    the same batch even; then the first order is judged by what they had then."""
    added = """
    - {id: golden, on: order.completed, points: 3, tiers: [gold]}
    - {id: once,   on: order.completed, points_per_unit: 0.1, limit: {times: 1}}
  redeem:"""
    put = await api.put(
        "/v1/program",
        content=PROGRAM.replace("\n  redeem:", added),
        headers={"Content-Type": "application/yaml"},
    )
    assert put.status_code == 200, put.text
    await asyncio.sleep(FRESH_S)
    await rewards.happen(order("1", "5"), order("2", "250"), order("3", "250"))

    told = {
        (event, rule): (await why(api, event, rule))[0]
        for event in ("order-1", "order-2", "order-3")
        for rule in ("golden", "once")
    }

    assert told == {
        ("order-1", "golden"): "other_tier",
        ("order-1", "once"): "no_whole_point",
        ("order-2", "golden"): "other_tier",
        ("order-2", "once"): None,
        ("order-3", "golden"): None,
        ("order-3", "once"): "limit_reached",
    }


async def test_a_tier_that_was_not_reached_says_what_is_missing(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given 250 spent; when Platinum is asked about; then it is told what counts and what is missing."""
    await rewards.happen(order("1", "250"))

    answer = await get(api, "explain", tier="platinum")

    assert answer["sentence"] == (
        "Tier platinum begins at 2000 USD spent within 12 months: 250 USD spent within 12 months count now;"
        " missing: 1750 USD spent."
    )
    assert (answer["tier"]["reason"], answer["tier"]["missing"]) == ("not_reached", "1750")


async def test_an_offer_that_a_tier_brings_each_month_is_called_so(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given Gold for some months; when the newest code is explained; then the tier brings it."""
    await use(rewards, BENEFITS)
    await rewards.happen(order("1", "250"))
    await rewards.pass_time()
    rewards.clock.advance(timedelta(days=70))
    await rewards.pass_time()
    rows = await rewards.rows("SELECT code FROM rewards.offers ORDER BY issued_at DESC")

    answer = await get(api, "explain", offer=rows[0][0])

    assert len(rows) > 1
    assert answer["sentence"] == "Offer five-off was given as a benefit of tier gold."


async def test_an_offer_that_cannot_be_used_any_more_says_why(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a code; when its time is over; then the why says so."""
    await rewards.happen(order("5", "9", facts={"orders": 5}))
    ((code,),) = await rewards.rows("SELECT code FROM rewards.offers")
    rewards.clock.advance(timedelta(days=90))

    answer = await get(api, "explain", offer=code)

    assert answer["sentence"].endswith("because of order.completed order-5; it has expired.")
