"""Timelines filtered and searched; customers found by what they are known by."""

from typing import Any

import pytest

from tests.integration.scoring.api import Api
from tests.support.life import moment


async def told(api: Api, **query: Any) -> list[str]:
    """The ids of orders and the types of other events in a timeline, page by page."""
    seen: list[str] = []
    while True:
        answer = await api.get("/v1/customers/c-1/timeline", **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [item["data"].get("order_id") or item["type"] for item in page["items"]]
        if page["next"] is None:
            return seen
        query["cursor"] = page["next"]


@pytest.fixture
async def life(api: Api) -> Api:
    """Four orders by two channels, a refund, a review of an order, a ticket with a text."""
    who = {"id": "c-1", "email": "ana@example.com"}
    for day, channel in enumerate(["web", "store", "web", "web"]):
        lines = [{"sku": f"S-{day}", "name": f"Mug {day}", "quantity": 1, "unit_price": "1.00"}]
        data = {"order_id": f"o{day}", "currency": "USD", "total": "1.00", "channel": channel, "lines": lines}
        await api.world.feed(await api.sealed("order.completed", day, who, data))
    refund = {"order_id": "o1", "refund_id": "r", "total": "1.00"}
    await api.world.feed(await api.sealed("order.refunded", 10, who, refund))
    review = {"rating": 5, "order_id": "o2"}
    await api.world.feed(await api.sealed("review.posted", 11, who, review, text="What a LOVELY mug"))
    ticket = {"ticket_id": "t"}
    await api.world.feed(await api.sealed("ticket.opened", 12, who, ticket, text="The parcel is late"))
    return api


@pytest.mark.parametrize("limit", [1, 2, 50])
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, ["ticket.opened", "o2", "o1", "o3", "o2", "o1", "o0"]),
        ({"type": "order.completed"}, ["o3", "o2", "o1", "o0"]),
        ({"type": ["order.refunded", "ticket.opened"]}, ["ticket.opened", "o1"]),
        ({"order_id": "o1"}, ["o1", "o1"]),
        ({"order_id": "o2", "type": "review.posted"}, ["o2"]),
        ({"channel": "store"}, ["o1"]),
        ({"from": moment(1).isoformat(), "to": moment(3).isoformat()}, ["o2", "o1"]),
        ({"from": moment(11).isoformat()}, ["ticket.opened", "o2"]),
        ({"q": "mug"}, ["o2", "o3", "o2", "o1", "o0"]),
        ({"q": "mug 3"}, ["o3"]),
        ({"q": "PARCEL"}, ["ticket.opened"]),
        ({"q": "parcel", "type": "order.completed"}, []),
        ({"q": "no such thing"}, []),
    ],
)
async def test_a_timeline_is_filtered_and_searched_page_by_page(
    life: Api, query: dict[str, Any], wanted: list[str], limit: int
):
    """Given a life; when its timeline is asked for with a filter, by pages of any size; then what passes comes once,
    newest first."""
    assert await told(life, **query, limit=limit) == wanted


async def test_words_of_texts_are_found_only_by_keys_that_may_see_them(life: Api):
    """Given a key without personal:read; when it searches for a word in a text; then it finds none, but plain data."""
    hidden = (await life.get("/v1/customers/c-1/timeline", key="impersonal", q="lovely")).json()
    plain = (await life.get("/v1/customers/c-1/timeline", key="impersonal", q="mug 0")).json()

    assert hidden["items"] == []
    assert [item["data"]["order_id"] for item in plain["items"]] == ["o0"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": moment(2).isoformat(), "to": moment(1).isoformat()}, "from"),
        ({"q": ""}, "q"),
        ({"order_id": "a\nb"}, "order_id"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"type": ["x"] * 51}, "type"),
    ],
)
async def test_bad_filters_get_a_problem(life: Api, query: dict[str, Any], parameter: str):
    """Given a filter that makes no sense; then a problem names the parameter."""
    answer = await life.get("/v1/customers/c-1/timeline", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["parameter"] == parameter


async def test_customers_are_found_by_id_address_and_number_and_not_by_name(api: Api):
    """Given a customer with address, number and name; when each is searched for; then all but the name find the
    customer: names rest sealed, and nothing is kept by which they could be found."""
    await api.order(0, "1", id="c-1", email="ana@example.com")
    await api.order(1, "2", phone="+1 212 555 0100")
    await api.world.feed(await api.sealed("customer.updated", 2, {"id": "c-1", "name": "Ana Miller"}, {}))

    async def found(q: str, **query: Any) -> int:
        return len((await api.get("/v1/customers", q=q, **query)).json()["items"])

    assert [await found(q) for q in ("c-1", "ANA@example.com", "+12125550100", "+1 (212) 555-0100")] == [
        1
    ] * 4
    assert await found("Ana Miller") == 0
    (item,) = (await api.get("/v1/customers", q="c-1")).json()["items"]
    other = "churned" if item["stage"] != "churned" else "active"
    assert [await found("c-1", stage=item["stage"]), await found("c-1", stage=other)] == [1, 0]


async def test_a_profile_says_what_is_missing_and_what_to_do(api: Api):
    """Given a customer with address and birthday; then the profile names the other fields, each with a remedy; a key
    that may not see the person sees that too."""
    who = {"id": "c-1", "email": "ana@example.com", "birthday": "1990-05-17"}
    await api.world.feed(await api.sealed("customer.registered", 0, who, {}))

    for key in ("all", "impersonal"):
        shown = (await api.get("/v1/customers/c-1", key=key)).json()["completeness"]
        missing = {one["field"]: one["remedy"] for one in shown["missing"]}
        assert shown["percent"] == 22
        assert set(missing) == {"phone", "name", "address", "locale", "time_zone", "preferences", "consent"}
        assert "customer.phone" in missing["phone"]
