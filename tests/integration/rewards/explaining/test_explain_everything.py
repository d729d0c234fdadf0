"""Nothing that a customer got, or did not get, is without an answer: a life with everything in it, asked about."""

from datetime import timedelta
from typing import Any

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import end, reserve
from tests.integration.rewards.tiering.test_tiers import BENEFITS, use
from tests.unit.rewards.building import CUSTOMER, activity, cancellation, order, refund

OTHER = "cus_000000000000000000000002"
RICH = (
    BENEFITS.replace("  expire_after: P12M", "  expire_after: P12M\n  pending_for: P2D")
    .replace(
        "\n  redeem:",
        """
    - {id: golden, on: order.completed, multiply: 2, tiers: [gold], cap: {order: 100, month: 150, program: 1000}}
    - {id: kitchen, on: order.completed, points_per_unit: 2, categories: [Kitchen], minimum_order: 20}
  redeem:""",
    )
    .replace("offers:\n", "rewards:\n  mug: {gift: mug, points: 100, stock: 1}\noffers:\n")
)


async def live(rewards: Rewards, api: httpx.AsyncClient) -> list[str]:
    """Everything happens to two customers who merge and part; the events' ids."""
    await use(rewards, RICH)
    lines = [{"sku": "A", "category": "Kitchen", "quantity": 1, "unit_price": "30.00"}]
    happened = [
        activity("customer.registered", "reg"),
        activity("customer.registered", "reg2", customer=OTHER),
        order("1", "0.40"),
        order("2", "250.00", facts={"orders": 5}),
        order("3", "30.00", lines=lines),
        order("4", "900.00", currency="EUR"),
        order("5", "100.00", customer=OTHER),
        order("6", "80.00"),
        activity("review.posted", "rev", rating=5),
    ]
    await rewards.happen(*happened)
    rewards.clock.advance(timedelta(days=3))
    await rewards.pass_time()
    grant = {"tier": "platinum", "until": "2026-12-31T00:00:00Z", "reason": "sorry"}
    answer = await api.post(
        f"/v1/customers/{OTHER}/tier/grants", json=grant, headers={"Idempotency-Key": "g"}
    )
    assert answer.status_code == 201, answer.text
    await spend(api)
    await refuse(rewards, api)
    later = [
        refund("2", "r1", "100.00"),
        refund("3", "r2", "30.00"),
        cancellation("6"),
        refund("none", "r3", "5.00"),
        activity("customer.merged", "m", **{"from": OTHER, "parts": [OTHER], "epoch": 1}),
    ]
    await rewards.happen(*later)
    parted = {"from": CUSTOMER, "parts": [OTHER], "epoch": 2}
    await rewards.happen(activity("customer.unmerged", "u", customer=OTHER, **parted))
    rewards.clock.advance(timedelta(days=500))
    await rewards.pass_time()
    return [each.event_id for each in (*happened, *later[:4])]


async def spend(api: httpx.AsyncClient) -> None:
    """Points are spent, given back, bought a reward with, and given by hand."""
    await end(api, await reserve(api, 100, "k1", order_id="6"), "confirm")
    await end(api, await reserve(api, 100, "k2"), "release")
    await reserve(api, 100, "k3")
    bought = {"customer": CUSTOMER, "reward": "mug", "order": {"order_id": "8"}}
    answer = await api.post("/v1/redemptions", json=bought, headers={"Idempotency-Key": "k4"})
    assert answer.status_code == 201, answer.text
    await end(api, answer, "confirm")
    for points, key in ((25, "a1"), (-5, "a2")):
        adjusted = {"customer": CUSTOMER, "points": points, "reason": "sorry"}
        answer = await api.post("/v1/adjustments", json=adjusted, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text


async def refuse(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """The checkout refuses points, a reward and a code."""
    assert (await reserve(api, 900_000, "k5")).status_code == 409
    bought = {"customer": CUSTOMER, "reward": "mug", "order": {"order_id": "9"}}
    answer = await api.post("/v1/redemptions", json=bought, headers={"Idempotency-Key": "k6"})
    assert answer.json()["code"] == "reward_out_of_stock"
    codes = await rewards.rows("SELECT code FROM rewards.offers WHERE customer_id = :id", id=CUSTOMER)
    for number in range(3):
        used = {"customer": CUSTOMER, "order": {"order_id": f"x{number}"}}
        key = {"Idempotency-Key": f"c{number}"}
        answer = await api.post(f"/v1/offers/{codes[0][0]}/redeem", json=used, headers=key)
    assert answer.status_code == 409


async def asked(api: httpx.AsyncClient, customer: str, **query: str) -> Any:
    """The answer, whole: with a sentence that says nothing unknown."""
    answer = await api.get(f"/v1/customers/{customer}/explain", params=query)
    assert answer.status_code == 200, (query, answer.text)
    told = answer.json()
    assert told["sentence"].endswith("."), told["sentence"]
    assert "None" not in told["sentence"], told["sentence"]
    return told


async def test_everything_has_its_why(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a life with everything in it; when each entry, event, rule, offer, tier and refusal is asked about; all
    have an answer, every entry that a rule gave names it, and no reason is unknown."""
    events = await live(rewards, api)

    kinds = set()
    for customer in (CUSTOMER, OTHER):
        ledger = (await api.get(f"/v1/customers/{customer}/ledger", params={"limit": 200})).json()["items"]
        for entry in ledger:
            told = await asked(api, customer, ledger_entry=entry["id"])
            assert entry["rule"] is None or entry["rule"] in told["sentence"]
            assert told["event"] is not None or entry["rule"] is None
            kinds.add(entry["kind"])
        for code, owner in await rewards.rows("SELECT code, customer_id FROM rewards.offers"):
            if owner == customer:
                await asked(api, customer, offer=code)
        tiers = {
            tier: await asked(api, customer, tier=tier) for tier in ("current", "member", "gold", "platinum")
        }
        if customer == OTHER:
            assert "granted by hand (by key_" in tiers["platinum"]["sentence"]
    assert kinds >= {
        *("earn", "release_pending", "reserve", "confirm", "release", "return", "expire"),
        *("reverse", "adjust", "merge", "restore"),
    }

    reasons = set()
    for event in events:
        owner = OTHER if event in {"reg2", "order-5"} else CUSTOMER
        for rule in (await asked(api, owner, event=event))["rules"]:
            one = await asked(api, owner, event=event, rule=rule["rule"])
            assert one["rules"][0]["why"] == rule["why"]
            reasons.add(rule["why"])
    assert reasons >= {None, "condition_not_met", "other_currency", "no_whole_point", "no_product_counts"}
    assert "state_changed" not in reasons

    refused = await rewards.rows("SELECT request_id FROM rewards.refusals")
    assert len(refused) >= 3
    for (request_id,) in refused:
        await asked(api, CUSTOMER, refusal=request_id)
