"""`?at=`: every answer about a customer, as it stood at any moment."""

from typing import Any

import pytest

from tests.integration.scoring.api import Api
from tests.support.clock import ManualClock
from tests.support.life import moment
from tests.support.moments import heeding_at

OF_A_CUSTOMER = "/v1/customers/{customer}"


async def routes(api: Api) -> list[str]:
    """Every answer about one customer, by what the API itself says."""
    document = (await api.get("/openapi.json")).json()
    return sorted(
        path for path, item in document["paths"].items() if path.startswith(OF_A_CUSTOMER) and "get" in item
    )


async def answers(api: Api, **query: Any) -> dict[str, Any]:
    """What all of them answer about customer c-42, with the moment of asking left out."""
    found = {}
    for path in await routes(api):
        answer = await api.get(path.format(customer="c-42"), **query)
        assert answer.status_code == 200, (path, answer.text)
        body = answer.json()
        body.pop("at", None)
        found[path] = body
    return found


async def live(api: Api, first: float, last: float) -> None:
    """What a customer does between two days: orders, a refund, a ticket, a review, a visit, a new address."""
    who = {"id": "c-42", "email": f"ana-{first:.0f}@example.com"}
    for day in range(int(first), int(last), 9):
        await api.order(day, f"o{day}", f"{20 + day}.00", **who)
    happenings = [
        ("order.refunded", {"order_id": f"o{int(first)}", "refund_id": f"r{first}", "total": "5.00"}, {}),
        ("ticket.opened", {"ticket_id": f"t{first}", "priority": "high"}, {"text": "It broke, I am angry!"}),
        ("review.posted", {"rating": 5}, {"text": "I love this brand, they always fix things fast."}),
        ("survey.answered", {"kind": "nps", "score": 9}, {}),
        ("login.recorded", {}, {}),
    ]
    for number, (type_, data, hidden) in enumerate(happenings):
        await api.world.feed(await api.sealed(type_, first + 1 + number, who, data, **hidden))


async def test_every_answer_about_a_customer_can_be_asked_as_of_a_moment(api: Api):
    """Given the API's own description; then each GET below a customer takes `at`."""
    document = (await api.get("/openapi.json")).json()

    lacking = [
        path
        for path in await routes(api)
        if "at" not in {one["name"] for one in document["paths"][path]["get"]["parameters"]}
    ]

    assert lacking == []
    assert len(await routes(api)) >= 5


@pytest.mark.parametrize("day", [30, 47.5, 120])
async def test_answers_as_of_a_moment_are_those_that_were_given_then(
    api: Api, clock: ManualClock, day: float
):
    """Given what was answered at a moment, nothing later being known; when more has happened since, after a long
    silence too, and the same is asked as of that moment; then every answer is the same."""
    await live(api, 0, 29)
    clock.set(moment(day))
    then = await answers(api)
    clock.set(moment(400))
    await live(api, 200, 260)

    now, again = await answers(api), await answers(api, at=moment(day).isoformat())

    assert again == then
    assert all(now[path] != then[path] for path in then)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers",
        "/v1/customers/suggested-merges",
        "/v1/summary",
        "/v1/segments",
        "/v1/segments/vip",
        "/v1/metrics",
        "/v1/cohorts",
        "/v1/completeness",
        "/v1/alerts",
    ],
)
async def test_what_tells_of_many_as_of_now_says_so(api: Api, path: str):
    """Given an answer about many customers, which are as they are now; when asked as of a moment; then it is refused
    with what to ask instead, rather than answered as if nothing had been said."""
    assert (await api.get(path)).status_code == 200

    refused = await api.get(path, at=moment(1).isoformat())

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    (error,) = refused.json()["errors"]
    assert (error["code"], error["parameter"]) == ("not_as_of", "at")
    assert "GET /v1/customers/{customer}?at=" in error["detail"] or "state=all" in error["detail"]


async def test_every_route_heeds_a_moment_or_refuses_it(api: Api):
    """Given all routes of scoring; when one is asked as of a moment, those that write too; then it heeds that, or
    refuses it with where to ask; and first of all whoever may not ask."""
    heeding = await heeding_at(api.client, api._tokens["all"], api._tokens["events"])
    assert heeding == {f"get {path}" for path in [*await routes(api), "/v1/merges"]}
