"""`POST /v1/program/preview`: what a cart would bring is what the order brings, and nothing is written."""

from typing import Any

import httpx
import pytest

from services.rewards.wiring.parts import programs_of
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity, order
from tests.unit.rewards.earning.earn_rules import HEAD, LINES

PROGRAM = f"""{HEAD}points:
  earn:
    - {{id: purchase, on: order.completed, points_per_unit: 1}}
    - {{id: kitchen,  on: order.completed, multiply: 3, categories: [Kitchen], cap: {{month: 100}}}}
    - {{id: vip,      on: order.completed, multiply: 2, when: "customer.in_segment('vip')"}}
    - {{id: gold,     on: order.completed, multiply: 2, tiers: [gold-member]}}
    - {{id: launch,   on: order.completed, points: 100, cap: {{program: 150}}}}
tiers:
  basis: {{spend_over: P12M}}
  levels: [{{id: member, name: M}}, {{id: gold-member, name: G, at: 200}}]
offers:
  fifth: {{gift: tote-bag, valid_for: P60D}}
  ten:   {{code: TEN-OFF, discount: {{percent: 10}}, minimum_order: 50, combinable: true}}
milestones:
  - {{id: second, when: "customer.orders == 2", points: 30, offer: fifth}}
segments:
  vip: "customer.spend_30d >= 250"
"""
SHOP_ID = "c-42"


@pytest.fixture
async def checkout(rewards: Rewards, api: httpx.AsyncClient, settings: Settings) -> httpx.AsyncClient:
    """A client, with the program above in force."""
    programs = programs_of(settings)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, PROGRAM, actor="key", now=rewards.clock())
    await api.get("/v1/program")
    return api


async def ask(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """The preview of a cart."""
    answer = await client.post("/v1/program/preview", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_rule(found: dict[str, Any]) -> dict[str, int | str]:
    """Points by rule, or why there are none."""
    return {line["rule"]: line["points"] or line["why"] or "gives" for line in found["rules"]}


async def test_a_newcomer_sees_what_the_cart_earns_and_which_codes_fit(checkout: httpx.AsyncClient) -> None:
    """Given nobody is named; then points by rule and why not, and the code for everybody with its discount."""
    found = await ask(checkout, order={"total": "100", "lines": LINES})

    assert found["points"] == 280
    assert by_rule(found) == {
        "purchase": 100,
        "kitchen": 80,
        "vip": "condition_not_met",
        "gold": "other_tier",
        "launch": 100,
    }
    assert found["tier"] == "member"
    ((offer,)) = found["offers"]
    assert (offer["code"], offer["fits"], offer["discount"]) == ("TEN-OFF", True, "10.00")
    sentences = {line["rule"]: line["sentence"] for line in found["rules"]}
    assert sentences["kitchen"].startswith("3 times the points for what was paid for Kitchen")


async def test_a_code_that_needs_more_says_so(checkout: httpx.AsyncClient) -> None:
    """Given a code from 50 on; when the cart has 20; then it does not fit, and why is told with figures."""
    (offer,) = (await ask(checkout, order={"total": "20"}))["offers"]

    assert (offer["fits"], offer["reason"]) == (False, "offer_below_minimum_order")
    assert offer["figures"]


async def test_the_order_then_brings_what_the_preview_said(
    checkout: httpx.AsyncClient, rewards: Rewards
) -> None:
    """Given a customer with a month's cap half used, on the way to a milestone, a tier and a segment; when the cart is
    previewed and then ordered; then both say the same, and the preview wrote nothing."""
    pseudonym = rewards.pseudonyms.of("id", SHOP_ID)
    first = order(
        "1", "100", lines=LINES, facts={"orders": 1, "spend_30d": 100}, identifiers={"id": [pseudonym]}
    )
    await rewards.happen(first)
    before = await rewards.dump()

    found = await ask(checkout, customer=SHOP_ID, order={"total": "200", "lines": LINES})

    assert await rewards.dump() == before
    assert by_rule(found) == {
        "purchase": 200,
        "kitchen": 20,
        "vip": 200,
        "gold": "other_tier",
        "launch": 50,
        "second": 30,
    }
    assert found["tier"] == "gold-member"
    assert found["rules"][-1]["offer"] == "fifth"

    facts = {"orders": 2, "spend_30d": 300, "segments": ["vip"]}
    await rewards.happen(order("2", "200", lines=LINES, facts=facts))
    assert dict(
        await rewards.rows(
            "SELECT rule, sum(points)::int FROM rewards.entries WHERE cause = :cause GROUP BY rule",
            cause=order("2", "200").id,
        )
    ) == {rule: points for rule, points in by_rule(found).items() if isinstance(points, int)}


async def test_lines_alone_make_a_total_and_an_empty_cart_is_refused(checkout: httpx.AsyncClient) -> None:
    """Given lines without a total; then they make it; given neither; then 422 with its place."""
    assert by_rule(await ask(checkout, order={"lines": LINES}))["purchase"] == 100

    refused = await checkout.post("/v1/program/preview", json={"order": {}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/order/total"


async def test_another_currency_earns_nothing_by_money(checkout: httpx.AsyncClient) -> None:
    """Given a cart in yen; then only what does not go by money."""
    found = await ask(checkout, order={"total": "5000", "currency": "JPY"})

    assert by_rule(found)["purchase"] == "other_currency"
    assert found["points"] == 100


async def test_a_customer_of_whom_only_other_things_are_known(
    checkout: httpx.AsyncClient, rewards: Rewards
) -> None:
    """Given somebody in the segment by what they last did; when a cart is previewed; then the segment counts."""
    pseudonym = rewards.pseudonyms.of("id", SHOP_ID)
    seen = activity("page.viewed", "p", facts={"spend_30d": 240}, identifiers={"id": [pseudonym]})
    await rewards.happen(seen)

    assert by_rule(await ask(checkout, customer=SHOP_ID, order={"total": "10"}))["vip"] == 10
    assert (
        by_rule(await ask(checkout, customer=SHOP_ID, order={"total": "9.99"}))["vip"] == "condition_not_met"
    )
    assert (
        by_rule(await ask(checkout, customer="nobody", order={"total": "10"}))["vip"] == "condition_not_met"
    )


async def test_what_is_left_of_a_budget_is_shown(checkout: httpx.AsyncClient, rewards: Rewards) -> None:
    """Given 150 points for all together; when an order has earned 100 of them; then 50 are left."""
    await rewards.happen(order("1", "10"))

    assert (await checkout.get("/v1/program/budgets")).json()["items"] == [
        {"rule": "launch", "cap": 150, "given": 100, "left": 50}
    ]
