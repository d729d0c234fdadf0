"""A field that a request does not have is refused by its place, with the name that was meant; nothing else happens."""

from typing import Any

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, PROGRAM, order

TIER = {"tier": "gold", "until": "2027-01-01T00:00:00Z", "reason": "r"}
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "/v1/redemptions",
        {"customer": CUSTOMER, "points": 100, "orderid": "1"},
        "/orderid",
        "Did you mean order_id?",
    ),
    (
        "/v1/redemptions",
        {"customer": CUSTOMER, "points": 100, "sku": "m"},
        "/sku",
        "it belongs at order.lines[].sku.",
    ),
    (
        "/v1/adjustments",
        {"customer": CUSTOMER, "points": 5, "reason": "r", "order_id": "1"},
        "/order_id",
        "Known here: customer, points, reason.",
    ),
    (
        "/v1/offers/X/validate",
        {"customer": CUSTOMER, "order_id": "1"},
        "/order_id",
        "it belongs at order.order_id.",
    ),
    (
        "/v1/offers/X/release",
        {"customer": CUSTOMER, "order_id": "1", "a/b": 1},
        "/a~1b",
        "Known here: customer, order_id.",
    ),
    (
        "/v1/program/preview",
        {"customer": CUSTOMER, "order": {"total": 1}, "total": 1},
        "/total",
        "it belongs at order.total.",
    ),
    (
        f"/v1/customers/{CUSTOMER}/tier/grants",
        {**TIER, "from": "2026-01-01T00:00:00Z"},
        "/from",
        "Known here: tier, until, reason.",
    ),
    (
        "/v1/program/activations",
        {"version": 1, "starts_at": "2027-01-01T00:00:00Z"},
        "/starts_at",
        "Known here: version, at.",
    ),
    ("/v1/program/simulate", {"source": PROGRAM, "form": "2026-01-01"}, "/form", "Known here: source."),
]


async def test_a_field_that_is_not_there_is_refused_and_changes_nothing(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a customer with points; when anything is asked with a misspelt field, or one in another's place; then 422
    points at it, and says where it belongs, or the nearest name, or those that there are; nothing has changed."""
    await rewards.happen(order("1", "500"))
    before = await rewards.dump()

    for path, body, pointer, hint in WRONG:
        answer = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 422, (path, answer.text)
        [error] = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (pointer, "unknown_field")
        assert hint in error["detail"], error

    assert await rewards.dump() == before


async def test_the_body_of_each_request_is_closed(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given all calls at the address of rewards, those of deliveries too; when their bodies are read in OpenAPI; then
    none takes a field that it does not name."""
    document = (await api.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    closed = 0
    for path, calls in document["paths"].items():
        for call in calls.values():
            body = (
                call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            for one in body.get("anyOf", [body]):
                shape = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                if shape.get("type") == "object":
                    assert shape.get("additionalProperties") is False, path
                    closed += 1
    assert closed > 15


async def test_what_an_order_tells_besides_changes_no_answer(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given an order told to a checkout as the shop has it; when a code is asked about; then the answer is
    that of the order alone."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    ((code,),) = await rewards.rows("SELECT code FROM rewards.offers")
    bare = {"order_id": "9", "total": "20.00", "lines": [{"sku": "m", "unit_price": "20.00", "quantity": 1}]}
    lines = [{**bare["lines"][0], "name": "Mug", "amount": "20.00", "weight_g": 300}]  # type: ignore[dict-item]
    full = {
        **bare,
        "channel": "web",
        "coupon": None,
        "shipping": "0",
        "customer": {"id": "c-1"},
        "gift_wrap": True,
        "lines": lines,
    }

    answers = [
        await api.post(f"/v1/offers/{code}/validate", json={"customer": CUSTOMER, "order": told})
        for told in (bare, full)
    ]

    assert answers[0].json()["valid"] is True
    assert answers[0].json() == answers[1].json()
