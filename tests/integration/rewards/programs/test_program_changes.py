"""Whatever the next version says or no longer says: what was given stands, and every question is answered."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.rewards.adapters.programs import PostgresPrograms
from tests.integration.rewards.conftest import Rewards
from tests.support.clock import ManualClock
from tests.unit.rewards.building import CUSTOMER, activity, cancellation, order, refund

BEFORE = """
name: Before
currency: USD
time_zone: America/New_York
points:
  expire_after: P12M
  notice_before: P30D
  earn:
    - {id: purchase, on: order.completed, points_per_unit: 1, cap: {day: 5000}}
    - {id: double, on: order.completed, multiply: 2, products: [A]}
    - {id: review, on: review.posted, points: 50, limit: {times: 2, per: P1M}}
  redeem: {points: 100, value: 1.00, minimum: 100}
tiers:
  basis: {spend_over: P12M}
  grace: P30D
  notice_before: P14D
  levels:
    - {id: member, name: Member}
    - {id: gold, name: Gold, at: 200.01, keep_for: P6M, benefits: [{every: P1M, offer: monthly}, {perk: lounge}]}
offers:
  fifth: {gift: tote-bag, valid_for: P60D}
  monthly: {discount: {percent: 15}, valid_for: P1M}
  spring: {discount: {amount: 5}, code: SPRING, stock: 10, limit: {times: 2}}
rewards:
  mug: {points: 100, gift: mug, stock: 5}
milestones:
  - {id: fifth-order, when: "customer.orders == 5", offer: fifth}
  - {id: each-500, every: {spend: 500}, points: 50}
segments: {vip: "customer.spend_30d >= 500"}
"""
HEAD = "name: After\ncurrency: USD\ntime_zone: America/New_York\n"
AFTER = {
    "nothing": HEAD,
    "points only": HEAD + "points: {earn: [{id: other, on: order.completed, points_per_unit: 3}]}\n",
    "other tiers": BEFORE.replace("id: gold, name: Gold", "id: silver, name: Silver").replace(
        "id: member, name", "id: base, name"
    ),
    "tiers by orders": BEFORE.replace("{spend_over: P12M}", "{orders_in: calendar_year}").replace(
        "200.01", "3"
    ),
    "tiers by points": BEFORE.replace("{spend_over: P12M}", "{points_over: P3M}").replace("200.01", "3"),
    "higher tiers": BEFORE.replace("200.01", "99999"),
    "for ever": BEFORE.replace("keep_for: P6M, ", "")
    .replace("  grace: P30D\n  notice_before: P14D\n", "")
    .replace("  expire_after: P12M\n  notice_before: P30D\n", ""),
    "sooner": BEFORE.replace(
        "expire_after: P12M", "expire_after: P2M\n  expire_at: end_of_year\n  pending_for: P14D"
    ),
    "other currency": BEFORE.replace("currency: USD", "currency: JPY")
    .replace("value: 1.00", "value: 1")
    .replace("200.01", "200"),
    "other zone": BEFORE.replace("America/New_York", "Pacific/Kiritimati"),
    "other kinds": BEFORE.replace("points_per_unit: 1, cap: {day: 5000}", "points: 7, limit: {times: 1}")
    .replace("    - {id: double, on: order.completed, multiply: 2, products: [A]}\n", "")
    .replace("fifth: {gift: tote-bag, valid_for: P60D}", "fifth: {free_shipping: true, valid_for: P60D}")
    .replace("stock: 5", "stock: 1")
    .replace("every: {spend: 500}", "at: {orders: 2}"),
}


def look_again(rewards: Rewards) -> None:
    """A second has passed for the worker."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    programs.look_again()


async def put(rewards: Rewards, api: httpx.AsyncClient, source: str) -> int:
    """Put a text in force."""
    answer = await api.put("/v1/program", json={"source": source})
    assert answer.status_code == 200, answer.text
    look_again(rewards)
    return int(answer.json()["version"])


async def bought(rewards: Rewards, number: int, total: str = "150", **more: Any) -> None:
    """An order, with the facts that scoring would tell."""
    facts = {"orders": number, "spend": 150 * number}
    lines = [{"sku": "A", "quantity": 1, "unit_price": total}]
    made = order(f"o{number}", total, facts=facts, lines=lines, **more)
    await rewards.happen(replace_time(made, rewards))


def replace_time(made: Any, rewards: Rewards) -> Any:
    """The activity as of now."""
    return type(made)(
        **{**{name: getattr(made, name) for name in made.__struct_fields__}, "time": rewards.clock()}
    )


async def asked(api: httpx.AsyncClient, codes: list[str], redemptions: list[str]) -> None:
    """All that can be asked of this customer is answered."""
    base = f"/v1/customers/{CUSTOMER}"
    paths = [f"{base}/{what}" for what in ("points", "ledger", "tier", "tier/history", "offers")]
    paths += [
        "/v1/rewards",
        f"/v1/rewards?customer={CUSTOMER}",
        "/v1/summary",
        "/v1/program",
        "/v1/program/versions",
    ]
    entries = (await api.get(f"{base}/ledger", params={"limit": 200})).json()["items"]
    paths += [f"{base}/explain?ledger_entry={one['id']}" for one in entries]
    paths += [f"{base}/explain?offer={code}" for code in codes]
    paths += [f"{base}/explain?tier={tier}" for tier in ("gold", "silver", "member", "base")]
    for path in paths:
        answer = await api.get(path)
        assert answer.status_code in (200, 404), (path, answer.text)
    for code in [*codes, "SPRING", "FREE"]:
        for what in ("validate", "redeem"):
            answer = await api.post(
                f"/v1/offers/{code}/{what}",
                json={
                    "customer": CUSTOMER,
                    "order": {"order_id": f"{what}-{code}", "total": "100", "currency": "USD"},
                },
                headers={"Idempotency-Key": f"{what}-{code}-{len(entries)}"},
            )
            assert answer.status_code < 500, (code, what, answer.text)
    for number, redemption in enumerate(redemptions):
        answer = await api.post(f"/v1/redemptions/{redemption}/{('confirm', 'release')[number % 2]}")
        assert answer.status_code < 500, answer.text
    preview = {"customer": CUSTOMER, "order": {"total": "100", "currency": "USD"}}
    assert (await api.post("/v1/program/preview", json=preview)).status_code < 500


@pytest.mark.parametrize("after", AFTER)
async def test_another_program_breaks_nothing_and_neither_does_the_way_back(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock, after: str
) -> None:
    """Given a customer with points, a tier, offers, reservations and a reward; when the next version drops or changes
    what they rest on, and orders, refunds, cancellations and months come, and it is rolled back; then every question is
    answered, no record fails, and the ledger balances at each step."""
    first = await put(rewards, api, BEFORE)
    for number in range(1, 6):
        await bought(rewards, number)
        await rewards.happen(activity("review.posted", f"review-{number}", rating=5))
    await rewards.pass_time()
    codes = [row[0] for row in await rewards.rows("SELECT code FROM rewards.offers ORDER BY 1")]
    assert codes
    redemptions = []
    for number, what in enumerate(({"points": 100}, {"points": 200}, {"reward": "mug"}, {"reward": "mug"})):
        made = await api.post(
            "/v1/redemptions",
            json={"customer": CUSTOMER, "order_id": f"c{number}", **what},
            headers={"Idempotency-Key": f"r{number}"},
        )
        assert made.status_code == 201, made.text
        redemptions.append(made.json()["id"])
    await rewards.check()

    await put(rewards, api, AFTER[after])
    await asked(api, codes, redemptions[:2])
    await bought(rewards, 6)
    await rewards.happen(refund("o2", "r2", "50"), cancellation("o3"), refund("o6", "r6", "150"))
    await rewards.happen(order("late", "500", at=clock() - timedelta(days=200)))
    for _ in range(4):
        clock.advance(timedelta(days=50))
        await rewards.pass_time()
        await rewards.check()
    await asked(api, codes, redemptions)

    answer = await api.post(
        "/v1/program/activations", json={"version": first}, headers={"Idempotency-Key": "back"}
    )
    assert answer.status_code == 201
    look_again(rewards)
    await bought(rewards, 7)
    await rewards.happen(refund("o1", "r1", "150"), refund("o7", "r7", "20"))
    clock.advance(timedelta(days=200))
    await rewards.pass_time()
    await rewards.check()
    await asked(api, codes, redemptions)
    assert await rewards.rows("SELECT * FROM rewards.dead_letters") == []
