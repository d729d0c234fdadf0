"""The HTTP API of scoring: profiles, `?at=`, scores with their why, timelines, lists."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.scoring.api import Api
from tests.support.clock import ManualClock
from tests.support.life import moment


async def test_a_profile_shows_facts_stage_score_and_the_person(api: Api):
    """Given an order; when its customer is asked for by the shop's id; then all is there."""
    await api.order(0, "1", id="c-42", email="ana@example.com")

    answer = await api.get("/v1/customers/c-42")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["id"].startswith("cus_")
    assert (body["facts"]["orders"], body["facts"]["spend"]) == (1, "49.20")
    assert (body["stage"], body["segments"], body["tags"]) == (
        "value_realisation",
        ["one-time", "active"],
        [],
    )
    assert 0 < body["score"] <= 100
    assert body["profile"]["email"] == "ana@example.com"
    assert (await api.get(f"/v1/customers/{body['id']}")).json() == body


async def test_without_the_scope_personal_fields_are_null_with_a_note(api: Api):
    """Given a customer; when a key without personal:read asks; then contacts are null, and it says why."""
    await api.order(0, "1", id="c-42", email="ana@example.com")

    profile = (await api.get("/v1/customers/c-42", key="impersonal")).json()["profile"]

    assert (profile["email"], profile["id"]) == (None, None)
    assert profile["known"] == ["email", "id"]
    assert "personal:read" in profile["note"]
    (item,) = (await api.get("/v1/customers/c-42/timeline", key="impersonal")).json()["items"]
    assert item["data"]["customer"] == {"id": None, "email": None}
    assert item["hidden"] == ["customer.id", "customer.email"]


async def test_contacts_are_those_told_last_whatever_came_last(api: Api):
    """Given two e-mail addresses; when the older one arrives late; then the newer one is shown."""
    await api.order(10, "2", id="c-42", email="new@example.com")
    await api.order(0, "1", id="c-42", email="old@example.com")

    assert (await api.get("/v1/customers/c-42")).json()["profile"]["email"] == "new@example.com"


async def test_at_shows_the_customer_as_they_stood(api: Api):
    """Given orders on days 0 and 10; when asked for day 5; then only the first is known, also to the score."""
    await api.order(0, "1", id="c-42")
    await api.order(10, "2", id="c-42")

    then = (await api.get("/v1/customers/c-42", at=moment(5).isoformat())).json()

    assert (then["facts"]["orders"], then["stage"]) == (1, "value_realisation")
    score = (await api.get("/v1/customers/c-42/score", at=moment(5).isoformat())).json()
    assert score["score"] == then["score"]
    assert [one["order_id"] for one in score["parts"][0]["events"]] == ["1"]
    before = await api.get("/v1/customers/c-42", at=moment(-1).isoformat())
    assert (before.status_code, before.json()["code"]) == (404, "unknown_customer")


async def test_the_stages_of_a_customer_are_shown_with_their_causes_and_as_of_any_moment(
    api: Api, clock: ManualClock
):
    """Given a regular customer who fell silent and came back; when the stages are asked for, page by page and as of a
    moment; then each change has its moment and cause."""
    for number, day in enumerate((0, 10, 20, 300)):
        await api.order(day, f"{number}", id="c-42")
    clock.set(moment(301))

    first = (await api.get("/v1/customers/c-42/stages", limit=4)).json()
    rest = (await api.get("/v1/customers/c-42/stages", limit=4, cursor=first["next"])).json()
    then = (await api.get("/v1/customers/c-42/stages", at=moment(36).isoformat())).json()
    before = await api.get("/v1/customers/c-42/stages", at=moment(-1).isoformat())

    shown = first["items"] + rest["items"]
    assert [(one["from"], one["to"], one["cause"]) for one in shown] == [
        ("churned", "won_back", "event"),
        ("lapsed", "churned", "time"),
        ("at_risk", "lapsed", "time"),
        ("active", "at_risk", "time"),
        ("value_realisation", "active", "event"),
        (None, "value_realisation", "event"),
    ]
    assert rest["next"] is None
    assert (shown[3]["at"], shown[3]["event"]) == ("2026-02-05T15:00:00Z", None)
    assert len(shown[0]["event"]) == 32
    assert then["items"] == shown[3:]
    assert (before.status_code, before.json()["code"]) == (404, "unknown_customer")
    detail = (await api.get("/v1/customers/c-42")).json()["stage_detail"]
    assert (detail["since"], detail["event"]) == (shown[0]["at"], shown[0]["event"])


async def test_the_stage_shown_is_exact_also_where_no_sweep_came_by(api: Api, clock: ManualClock):
    """Given an active customer; when time alone passes; then the profile and the list follow to the second."""
    for day in (0, 10, 20):
        await api.order(day, str(day), id="c-42")

    async def stage_at(days: float, seconds: int) -> tuple[str, bool]:
        clock.set(moment(days) + timedelta(seconds=seconds))
        stage = (await api.get("/v1/customers/c-42")).json()["stage"]
        listed = (await api.get("/v1/customers", stage=stage)).json()["items"]
        return stage, len(listed) == 1

    assert await stage_at(35, -1) == ("active", True)
    assert await stage_at(35, 0) == ("at_risk", True)
    assert await stage_at(80, 0) == ("lapsed", True)


async def test_the_score_is_explained_by_parts_that_add_up(api: Api):
    """Given three orders; when the score is asked for; then weights and values give it, and events stand behind."""
    for day in (0, 10, 20):
        await api.order(day, str(day), id="c-42")

    body = (await api.get("/v1/customers/c-42/score")).json()

    parts = {part["name"]: part for part in body["parts"]}
    known = [part for part in parts.values() if part["value"] is not None]
    assert [part["name"] for part in known] == [
        *("recency", "frequency", "spend", "regularity", "unprompted", "tenure")
    ]
    assert sum(part["weight"] for part in known) == pytest.approx(1)
    assert body["score"] == int(sum(part["weight"] * part["value"] for part in known) + 0.5)
    assert (body["behavioural"], body["emotional"]["value"]) == (
        {"value": body["score"], "weight": 1.0},
        None,
    )
    assert [one["order_id"] for one in parts["frequency"]["events"]] == ["20", "10", "0"]
    assert parts["recency"]["facts"]["days_since_last_order"] == 20
    assert (parts["reviews"]["weight"], parts["reviews"]["events"]) == (0, [])
    assert "Nothing is known" in parts["reviews"]["note"]


async def test_the_score_tells_what_changed_it_and_what_would_raise_it(api: Api):
    """Given a ticket and a bad review after an order; when the score is asked for; then both are behind what changed it
    since then, each with its event, and resolving the ticket is among what would raise it."""
    await api.order(0, "1", id="c-42")
    await api.world.feed(
        await api.sealed("ticket.opened", 20, {"id": "c-42"}, {"ticket_id": "t", "priority": "high"}),
        await api.sealed("review.posted", 30, {"id": "c-42"}, {"rating": 1}),
    )

    body = (await api.get("/v1/customers/c-42/score")).json()

    changed, parts = body["changed"], {part["name"]: part for part in body["parts"]}
    moved = {one["event"]["type"]: one for one in changed["events"]}
    assert moved["review.posted"]["points"] < 0
    assert changed["score"] + sum(one["points"] for one in moved.values()) + changed["time"] == body["score"]
    assert "reviews" in [one["name"] for one in changed["parts"]]
    assert parts["reviews"]["events"][0]["key"] == moved["review.posted"]["event"]["key"]
    assert parts["complaints"]["facts"]["tickets_open"] == 1
    acts = {one["act"]: one for one in body["would_raise"]}
    assert acts["order"]["points"] > 0
    assert acts["recover"]["score"] > body["score"]


async def test_the_score_of_a_moment_knows_nothing_of_later_events(api: Api):
    """Given an order and a later review; when the score between them is asked for; then the review is not in it."""
    await api.order(0, "1", id="c-42")
    await api.world.feed(await api.sealed("review.posted", 20, {"id": "c-42"}, {"rating": 1}))

    then = (await api.get("/v1/customers/c-42/score", at=moment(10).isoformat())).json()
    now = (await api.get("/v1/customers/c-42/score")).json()

    assert {part["name"]: part["value"] for part in then["parts"]}["reviews"] is None
    assert {part["name"]: part["value"] for part in now["parts"]}["reviews"] == 0
    assert then["score"] > now["score"]


async def test_the_timeline_is_newest_first_paged_and_filtered(api: Api):
    """Given five events; when paged by two; then each comes once, newest first; `type` leaves others out."""
    for day in range(4):
        await api.order(day, str(day), id="c-42")
    await api.world.feed(
        await api.sealed("review.posted", 5, {"id": "c-42"}, {"rating": 5}, text="I love this")
    )

    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get("/v1/customers/c-42/timeline", **query)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert [item["type"] for item in seen] == ["review.posted"] + ["order.completed"] * 4
    assert [item["time"] for item in seen] == sorted((item["time"] for item in seen), reverse=True)
    assert seen[0]["data"] == {"customer": {"id": "c-42"}, "rating": 5, "text": "I love this"}
    only = (await api.get("/v1/customers/c-42/timeline", type="review.posted")).json()
    assert [item["type"] for item in only["items"]] == ["review.posted"]


@pytest.mark.parametrize(
    "sort",
    ["id", "spend", "-spend", "orders", "-orders", "last_order_at", "-last_order_at"],
)
async def test_lists_are_paged_in_every_order_without_gaps(api: Api, sort: str):
    """Given five customers, some alike; when listed by two; then each comes once, in order."""
    for number in range(5):
        await api.order(number // 2, "1", total=f"{number // 2}.00", id=f"c-{number}")

    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2, "sort": sort}
    while True:
        page = (await api.get("/v1/customers", **query)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert len({one["id"] for one in seen}) == len(seen) == 5
    column = sort.removeprefix("-")
    values = [one[column] if column == "id" else one["facts"][column] for one in seen]
    assert values == sorted(values, reverse=sort.startswith("-"))


async def test_q_finds_by_exact_id_or_address(api: Api):
    """Given two customers; when q is an e-mail address in another spelling, or an id; then that one is found."""
    await api.order(0, "1", id="c-1", email="ana@example.com")
    await api.order(0, "2", id="c-2")

    async def found(q: str) -> list[str]:
        return [one["id"] for one in (await api.get("/v1/customers", q=q)).json()["items"]]

    ana = (await api.get("/v1/customers/c-1")).json()["id"]
    assert await found(" Ana@Example.com".strip()) == [ana]
    assert await found("c-1") == await found(ana) == [ana]
    assert await found("nobody@example.com") == []


async def test_the_summary_counts_all(api: Api):
    """Given two customers with three orders; then the summary adds them up."""
    await api.order(0, "1", id="c-1")
    await api.order(1, "2", id="c-1")
    await api.order(0, "1", total="10", id="c-2")

    body = (await api.get("/v1/summary")).json()

    assert (body["customers"], body["orders"], body["spend"]) == (2, 3, "108.40")
    assert sum(one["customers"] for one in body["stages"]) == 2


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v1/customers/nobody", {}, 404, "unknown_customer"),
        ("/v1/customers/cus_nobody", {}, 404, "unknown_customer"),
        ("/v1/customers/nobody/score", {}, 404, "unknown_customer"),
        ("/v1/customers/nobody/timeline", {}, 404, "unknown_customer"),
        ("/v1/customers/nobody/stages", {}, 404, "unknown_customer"),
        ("/v1/customers/nobody/stages", {"cursor": "MA"}, 422, "invalid_request"),
        ("/v1/customers/nobody/stages", {"cursor": "nonsense"}, 422, "invalid_request"),
        ("/v1/customers/nobody", {"at": "yesterday"}, 422, "invalid_request"),
        ("/v1/customers/nobody", {"at": "2026-01-01T00:00:00"}, 422, "invalid_request"),
        ("/v1/customers", {"stage": "fond"}, 422, "invalid_request"),
        ("/v1/customers", {"sort": "name"}, 422, "invalid_request"),
        ("/v1/customers", {"limit": "0"}, 422, "invalid_request"),
        ("/v1/customers", {"cursor": "nonsense"}, 422, "invalid_request"),
        ("/v1/customers", {"cursor": "WyJpZCIsICJhIiwgImIiXQ", "sort": "spend"}, 422, "invalid_request"),
        ("/v1/customers", {"q": "a\x00b"}, 422, "invalid_request"),
        ("/v1/customers/a%00b", {}, 422, "invalid_request"),
        (
            "/v1/customers/c-1/timeline",
            {"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsICJ6eiJd"},
            422,
            "invalid_request",
        ),
    ],
)
async def test_bad_input_gets_a_problem(api: Api, path: str, query: dict[str, str], status: int, code: str):
    """Given bad input of any kind; then the answer is a problem document that says so."""
    answer = await api.get(path, **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_key_without_the_scope_and_no_key_are_refused(api: Api):
    """Given no key, or one for rewards; when a profile is asked for; then 401 and 403."""
    assert (await api.get("/v1/customers/c-1", key="none")).status_code == 401
    assert (await api.get("/v1/customers/c-1", key="other")).status_code == 403


async def test_the_api_is_ready_and_says_what_it_offers(api: Api):
    """Given a running API; then it is ready, and its OpenAPI names the routes."""
    assert (await api.client.get("/readyz")).status_code == 200
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    assert {
        "/v1/customers",
        "/v1/customers/{customer}/score",
        "/v1/customers/{customer}/timeline",
    } <= paths.keys()
