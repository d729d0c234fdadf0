"""`/v1/segments`: rules checked on save, live counts, previews; and lists of customers by segment and tag."""

import asyncio
from typing import Any

import httpx
import pytest

from services.scoring.adapters.customers.customers import PostgresCustomers
from services.scoring.adapters.metrics.stale import PostgresStale
from services.scoring.adapters.segments.memberships import PostgresMemberships
from services.scoring.adapters.segments.segments import PostgresRules
from services.scoring.application.due.membership import Membership
from services.scoring.application.due.reassess import Reassess
from services.scoring.domain.settings import ScoreSettings
from services.scoring.entrypoints import segments
from shared.program import default_program_text
from shared.program.parse import load_program
from tests.integration.scoring.api import Api
from tests.support.life import moment

BASE = ScoreSettings.of(load_program(default_program_text()))


async def call(api: Api, method: str, path: str, body: Any = None, key: str = "all") -> httpx.Response:
    """A request with a body."""
    headers = {"Authorization": f"Bearer {api._tokens[key]}"}
    return await api.client.request(method, path, json=body, headers=headers)


async def look_at_all(api: Api, days: float = 40) -> None:
    """What the worker does beside the stream."""
    memberships, rules = PostgresMemberships(), PostgresRules(BASE)
    reassess = Reassess(
        customers=PostgresCustomers(),
        memberships=memberships,
        rules=rules,
        membership=Membership(memberships, PostgresStale()),
        outbox=api.world.outbox,
        clock=lambda: moment(days),
    )
    more = True
    while more:
        async with api.world.engine.begin() as connection:
            more = await reassess(connection, moment(days))


@pytest.fixture
async def shop(api: Api) -> Api:
    """Three buyers, of 10, 100 and 1000 dollars on day 39."""
    for name, total in (("ana", "10"), ("ben", "100"), ("eve", "1000")):
        await api.order(39, f"o-{name}", total, id=name)
    await look_at_all(api)
    return api


async def test_the_program_s_segments_are_listed_with_live_counts(shop: Api):
    """Given buyers; then each segment tells how many are in it."""
    answer = (await shop.get("/v1/segments")).json()
    counts = {one["id"]: one["customers"] for one in answer["items"]}
    assert counts["one-time"] == 3
    assert counts["vip"] == 1
    assert {(one["source"], one["complete"]) for one in answer["items"]} == {("program", True)}


async def test_a_rule_is_saved_counted_and_deleted(shop: Api):
    """Given a rule; when it is put; then members enter with the next pass; when it is deleted, they are gone."""
    answer = await call(shop, "PUT", "/v1/segments/rich", {"rule": "customer.spend >= 100"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["customers"], answer.json()["complete"]) == (0, False)
    profile = (await shop.get("/v1/customers/ben")).json()
    assert "rich" in profile["segments"]  # the customer's own page does not wait

    await look_at_all(shop)
    one = (await shop.get("/v1/segments/rich")).json()
    assert (one["customers"], one["complete"], one["source"]) == (2, True, "api")
    listed = (await shop.get("/v1/customers", segment="rich", sort="-spend")).json()["items"]
    assert [one["facts"]["spend"] for one in listed] == ["1000.00", "100.00"]

    assert (await call(shop, "DELETE", "/v1/segments/rich")).status_code == 204
    assert (await shop.get("/v1/segments/rich")).status_code == 404
    assert "rich" not in (await shop.get("/v1/customers/ben")).json()["segments"]


async def test_a_preview_counts_and_shows_some(shop: Api):
    """Given buyers; then a preview finds those for whom the rule holds, in SQL or not, and saves nothing."""
    for rule in (
        "customer.spend > 50.50",
        "customer.spend * 2 > 101",
        "customer.orders == 1 && customer.spend > 50.5",
    ):
        answer = await call(shop, "POST", "/v1/segments/preview", {"rule": rule})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["count"] == 2
        assert sorted(one["facts"]["spend"] for one in found["sample"]) == ["100.00", "1000.00"]
    assert (await call(shop, "POST", "/v1/segments/preview", {"rule": "customer.orders == 7"})).json() == {
        "count": 0,
        "sample": [],
    }


@pytest.mark.parametrize(
    ("rule", "detail"),
    [
        (
            "customer.spent > 5",
            "line 1, column 10: A customer has no field spent. Did you mean spend?",
        ),
        ("customer.spend >\n customer.order", "line 2, column 11: A customer has no field order."),
        ("customer.spend > ", "line 1, column 18: The condition ends too early."),
        ("customer.spend", "A condition is true or false"),
        ("event.total > 5", "There is no event here."),
        ("customer.in_segment('vip')", "A segment cannot ask for segments."),
        ("customer.orders > 5 && customer.orders < 3", "can never be true"),
        ("customer.stage == 'a\x00b'", ""),
    ],
)
async def test_a_wrong_rule_is_refused_with_its_place(shop: Api, rule: str, detail: str):
    """Given a rule that cannot be; then 422 says where and what would be right, and nothing is saved."""
    for method, path in (("PUT", "/v1/segments/new"), ("POST", "/v1/segments/preview")):
        answer = await call(shop, method, path, {"rule": rule})
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/rule"
        assert detail in error["detail"]
    assert (await shop.get("/v1/segments/new")).status_code == 404


async def test_ids_of_the_program_are_its_own(shop: Api):
    """Given a segment of the program; then it is neither saved nor deleted over the API."""
    body = {"rule": "customer.spend >= 100"}
    for answer in (
        await call(shop, "PUT", "/v1/segments/vip", body),
        await call(shop, "DELETE", "/v1/segments/vip"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "segment_of_program")
    refused = await call(shop, "PUT", "/v1/segments/No%20Id", body)
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (422, "segment")
    assert (await call(shop, "DELETE", "/v1/segments/none")).status_code == 404


async def test_only_keys_that_may_change_segments(shop: Api):
    """Given a key that may only read; then it previews, and saves nothing."""
    body = {"rule": "customer.spend >= 100"}
    assert (await call(shop, "POST", "/v1/segments/preview", body, "impersonal")).status_code == 200
    assert (await call(shop, "PUT", "/v1/segments/rich", body, "impersonal")).status_code == 403
    assert (await call(shop, "POST", "/v1/segments/preview", body, "other")).status_code == 403


async def test_the_ranking_of_then_counts_at_a_moment(shop: Api):
    """Given a ranking of day 40; then `?at=` before it knows no percentile, and today does."""
    now = (await shop.get("/v1/customers/eve")).json()
    then = (await shop.get("/v1/customers/eve", at="2026-02-09T16:00:00Z")).json()
    assert "big-spenders" not in then["segments"]
    assert now["facts"]["orders"] == then["facts"]["orders"] == 1


async def test_the_most_that_may_be_saved_is_exact(shop: Api, monkeypatch: pytest.MonkeyPatch):
    """Given room for two more; when five are saved at the same time; then two are, three are told that there are too
    many, and one that is there may still be changed."""
    monkeypatch.setattr(segments, "SEGMENTS_MAX", 3)
    assert (await save(shop, "first")).status_code == 200

    answers = await asyncio.gather(*(save(shop, f"s{number}") for number in range(5)))

    assert sorted(one.status_code for one in answers) == [200, 200, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"too_many_segments"}
    assert await shop.world.rows("SELECT count(*) FROM scoring.segments") == [(3,)]
    assert (await save(shop, "first", "customer.spend >= 7")).json()["rule"] == "customer.spend >= 7"


async def save(api: Api, name: str, rule: str = "customer.spend >= 100") -> httpx.Response:
    """Save a segment."""
    return await call(api, "PUT", f"/v1/segments/{name}", {"rule": rule})
