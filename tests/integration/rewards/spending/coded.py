"""A shop with codes, and what its checkout asks of them: for the tests of codes."""

import asyncio
from typing import Any

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, PROGRAM, order

OTHER = "cus_000000000000000000000002"
OFFERS = """
offers:
  fifth: {gift: tote-bag, valid_for: P60D}
  five-off: {discount: {amount: 5}, valid_for: P14D, uses: 2}
  summer: {code: SUMMER-26, discount: {percent: 10, at_most: 3}, minimum_order: 20, stock: 3}
  toys:   {code: TOYS5, discount: {amount: 5}, categories: [Toys], combinable: true, limit: {times: 2, per: P30D}}
  ship:   {code: SHIPFREE, free_shipping: true, combinable: true}
  gold:   {code: GOLDEN, gift: pen, tiers: [gold]}
  later:  {code: JULY, gift: pen, from: 2026-07-01, until: 2026-07-31}
"""
CODED = PROGRAM[: PROGRAM.index("offers:")] + OFFERS + PROGRAM[PROGRAM.index("milestones:") :]


async def open_shop(rewards: Rewards, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a shop with codes for everybody; the customer has ordered for 100."""
    put = await api.put("/v1/program", content=CODED, headers={"Content-Type": "application/yaml"})
    assert put.status_code == 200, put.text
    await asyncio.sleep(1.1)
    await rewards.happen(order("1", "100"))
    return api


async def validate(shop: httpx.AsyncClient, code: str, customer: str = CUSTOMER, **order_: Any) -> Any:
    """What is said of a code."""
    body = {"customer": customer, "order": order_}
    answer = await shop.post(f"/v1/offers/{code}/validate", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def redeem(
    shop: httpx.AsyncClient, code: str, key: str, customer: str = CUSTOMER, **order_: Any
) -> httpx.Response:
    """Use a code."""
    return await shop.post(
        f"/v1/offers/{code}/redeem",
        json={"customer": customer, "order": order_},
        headers={"Idempotency-Key": key},
    )


async def release(shop: httpx.AsyncClient, code: str, key: str, order_id: str) -> httpx.Response:
    """Give the use for an order back."""
    return await shop.post(
        f"/v1/offers/{code}/release",
        json={"customer": CUSTOMER, "order_id": order_id},
        headers={"Idempotency-Key": key},
    )
