"""Endpoints over HTTP: what is taken, what is refused and how, what is shown and what never again."""

import asyncio
from typing import Any

from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from shared.http.paging import encode_cursor
from tests.conftest import EngineFor
from tests.integration.deliveries.webhooks.conftest import Hooks
from tests.support.receiver import receiving

URL = "http://127.0.0.1:9/hook"


async def test_a_secret_is_shown_once(hooks: Hooks) -> None:
    made = await hooks.add(URL, name="crm", description="Our CRM")

    assert made["secret"].startswith("whsec_")
    assert "secret" not in await hooks.endpoint(made["id"])
    listed = (await hooks.ask("GET", "/v1/webhooks")).json()
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert made["secret"] not in str(listed)


async def test_secrets_rest_sealed_the_kept_answer_too(hooks: Hooks) -> None:
    from base64 import b64decode

    made = await hooks.add(URL)

    raw = b64decode(made["secret"].removeprefix("whsec_"))
    rows = await hooks.rows(
        "SELECT e.*, k.body FROM deliveries.webhook_endpoints e, deliveries.idempotency_keys k"
    )
    kept = b"".join(value for row in rows for value in row if isinstance(value, bytes))
    assert kept
    assert raw not in kept
    assert made["secret"].encode() not in kept


async def test_the_same_request_twice_adds_one_endpoint_and_answers_the_same(hooks: Hooks) -> None:
    body = {"url": URL, "events": ["*"]}
    key = {"Idempotency-Key": "same"}
    first = await hooks.ask("POST", "/v1/webhooks", json=body, headers=key)
    again = await hooks.ask("POST", "/v1/webhooks", json=body, headers=key)
    other = await hooks.ask("POST", "/v1/webhooks", json={**body, "events": ["tier.*"]}, headers=key)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await hooks.ask("GET", "/v1/webhooks")).json()["items"]) == 1


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"url": "http://10.0.0.1/", "events": ["*"]}, "/url", "invalid_url"),
    ({"url": "https://169.254.169.254/", "events": ["*"]}, "/url", "invalid_url"),
    ({"url": "http://shop.example:0/", "events": ["*"]}, "/url", "invalid_url"),
    ({"url": "ftp://shop.example/", "events": ["*"]}, "/url", "invalid_url"),
    ({"url": URL, "events": ["points.earn"]}, "/events/0", "unknown_event_type"),
    ({"url": "https://[::1]/x", "events": ["*"]}, "/url", "invalid_url"),
    ({"url": "https://0/x", "events": ["*"]}, "/url", "address_refused"),  # a name for 0.0.0.0
    ({"url": URL, "events": ["*", "message.due"]}, "/events/1", "unknown_event_type"),
    ({"url": URL, "events": []}, "/events", "too_short"),
    ({"url": URL}, "/events", "required"),
    ({"url": URL, "events": ["*"], "name": "Not A Name"}, "/name", "string_pattern_mismatch"),
    ({"url": URL, "events": ["*"], "secret": "mine"}, "/secret", "unknown_field"),
    ({"url": "https://shop.example/" + "a" * 3000, "events": ["*"]}, "/url", "string_too_long"),
]


async def test_what_is_refused_says_where_and_adds_nothing(hooks: Hooks) -> None:
    for body, pointer, code in REFUSED:
        answer = await hooks.ask("POST", "/v1/webhooks", json=body)

        assert answer.status_code == 422, body
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (pointer, code), body
    assert (await hooks.ask("GET", "/v1/webhooks")).json()["items"] == []


async def test_a_name_is_one_endpoints(hooks: Hooks) -> None:
    await hooks.add(URL, name="crm")
    other = await hooks.add(URL, name="erp")

    for answer in (
        await hooks.ask("POST", "/v1/webhooks", json={"url": URL, "events": ["*"], "name": "crm"}),
        await hooks.ask("PATCH", f"/v1/webhooks/{other['id']}", json={"name": "crm"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


async def test_what_is_given_is_changed_and_the_rest_stays(hooks: Hooks) -> None:
    made = await hooks.add(URL, "tier.*", name="crm", description="Our CRM")
    path = f"/v1/webhooks/{made['id']}"

    changed = (await hooks.ask("PATCH", path, json={"events": ["points.*"], "name": None})).json()

    assert changed["events"] == ["points.*"]
    assert changed["name"] is None
    assert changed["url"] == URL
    assert changed["description"] == "Our CRM"
    disabled = (await hooks.ask("PATCH", path, json={"enabled": False})).json()
    assert (disabled["state"], disabled["reason"]) == ("disabled", "by_hand")
    assert (await hooks.ask("PATCH", path, json={"enabled": True})).json()["state"] == "enabled"
    for bad in (
        {"events": None},
        {"enabled": None},
        {"url": None},
        {"events": ["no"]},
        {"url": "gopher://x"},
    ):
        assert (await hooks.ask("PATCH", path, json=bad)).status_code == 422


async def test_what_is_not_there_is_404_everywhere(hooks: Hooks) -> None:
    nobody, nothing = f"whe_{'0' * 24}", f"msg_{'0' * 32}"
    made = await hooks.add(URL)
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    for method, path, body in (
        ("GET", f"/v1/webhooks/{nobody}", None),
        ("PATCH", f"/v1/webhooks/{nobody}", {"enabled": False}),
        ("DELETE", f"/v1/webhooks/{nobody}", None),
        ("POST", f"/v1/webhooks/{nobody}/rotate", {}),
        ("POST", f"/v1/webhooks/{nobody}/test", None),
        ("POST", f"/v1/webhooks/{nobody}/take", None),
        ("POST", f"/v1/webhooks/{nobody}/replay", period),
        ("GET", f"/v1/webhooks/{nobody}/messages", None),
        ("GET", f"/v1/webhooks/{made['id']}/messages/{nothing}", None),
        ("POST", f"/v1/webhooks/{made['id']}/messages/{nothing}/replay", None),
    ):
        answer = await hooks.ask(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


async def test_lists_are_paged(hooks: Hooks) -> None:
    made = [await hooks.add(URL) for _ in range(5)]
    for _ in range(5):
        await hooks.happen(hooks.outcome(), hooks.outcome("tier.changed", tier="gold"))
        hooks.later(minutes=1)

    async def all_of(path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            parameters = {"limit": 2, **query, **({"cursor": cursor} if cursor else {})}
            page = (await hooks.ask("GET", path, params=parameters)).json()
            assert len(page["items"]) <= 2
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    endpoints = await all_of("/v1/webhooks")
    assert sorted(each["id"] for each in endpoints) == sorted(each["id"] for each in made)
    path = f"/v1/webhooks/{made[0]['id']}/messages"
    messages = await all_of(path)
    assert len({each["id"] for each in messages}) == 10
    assert [each["made_at"] for each in messages] == sorted(
        (each["made_at"] for each in messages), reverse=True
    )
    assert len(await all_of(path, type="tier.changed")) == 5
    assert len(await all_of(path, state="waiting", to="2026-06-01T12:02:00Z")) == 4
    assert await all_of(path, state="failed") == []


async def test_a_test_is_sent_once_per_key_whatever_the_endpoint_subscribes_to(hooks: Hooks) -> None:
    async with receiving() as receiver, hooks.sending():
        made = await hooks.add(receiver.url, "tier.changed")
        path, key = f"/v1/webhooks/{made['id']}/test", {"Idempotency-Key": "try"}
        first = await hooks.ask("POST", path, headers=key)
        again = await hooks.ask("POST", path, headers=key)
        await hooks.until(made["id"], "delivered")

    assert first.status_code == 202
    assert first.json() == again.json()
    assert receiver.ids() == [first.json()["id"]]
    assert receiver.requests[0].json["type"] == "webhook.test"


async def test_a_listener_fetches_what_happens_once_and_is_forgotten_when_it_stops(hooks: Hooks) -> None:
    made = await hooks.add(None, "points.*")
    assert made["state"] == "listening"
    path = f"/v1/webhooks/{made['id']}/take"
    await hooks.happen(hooks.outcome(), hooks.outcome("tier.changed"), hooks.outcome())

    taken = (await hooks.ask("POST", path)).json()["items"]
    assert [each["type"] for each in taken] == ["points.earned"] * 2
    assert (await hooks.ask("POST", path)).json()["items"] == []

    hooks.later(minutes=11)
    async with hooks.sending(), asyncio.timeout(10):
        while True:
            if (await hooks.ask("GET", f"/v1/webhooks/{made['id']}")).status_code == 404:
                break
            await asyncio.sleep(0.02)
    assert (await hooks.ask("POST", path)).status_code == 404


async def test_only_listeners_fetch_and_only_others_are_replayed_to(hooks: Hooks) -> None:
    made, listener = await hooks.add(URL), await hooks.add(None)
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}

    fetched = await hooks.ask("POST", f"/v1/webhooks/{made['id']}/take")
    replayed = await hooks.ask("POST", f"/v1/webhooks/{listener['id']}/replay", json=period)

    assert (fetched.status_code, fetched.json()["code"]) == (409, "webhook_pushes")
    assert (replayed.status_code, replayed.json()["code"]) == (409, "webhook_listens")


async def test_a_period_that_is_none_and_a_cursor_that_is_none(hooks: Hooks) -> None:
    made = await hooks.add(URL)
    path = f"/v1/webhooks/{made['id']}/replay"
    same = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    later = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}

    empty = await hooks.ask("POST", path, json=same)
    cursor = await hooks.ask("POST", path, json={**later, "cursor": "!"})

    assert empty.json()["errors"][0]["code"] == "empty_period"
    assert cursor.json()["errors"][0]["code"] == "invalid_cursor"


async def test_a_cursor_of_somebody_elses_making(hooks: Hooks) -> None:
    """Given endpoints; when a cursor names a time of no zone; then it is refused, and nothing fails."""
    await hooks.add(URL)
    forged = encode_cursor(("2026-01-01T00:00:00", "whe_"))
    answer = await hooks.ask("GET", "/v1/webhooks", params={"cursor": forged})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "invalid_cursor")


async def test_scopes(hooks: Hooks, engine_for: EngineFor) -> None:
    async with engine_for(None).begin() as connection:
        reader = await create_key(
            connection, name="reader", scopes=frozenset({Scope.ADMIN_READ}), now=hooks.clock()
        )
        shop = await create_key(
            connection, name="shop", scopes=frozenset({Scope.REWARDS_WRITE}), now=hooks.clock()
        )
    for token, method, status in (
        (reader.token, "GET", 200),
        (reader.token, "POST", 403),
        (shop.token, "GET", 403),
    ):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await hooks.ask(method, "/v1/webhooks", json={"url": URL, "events": ["*"]}, headers=headers)
        assert answer.status_code == status


async def test_the_types_are_listed(hooks: Hooks) -> None:
    items = (await hooks.ask("GET", "/v1/webhook-types")).json()["items"]

    assert {"points.earned", "alert.raised", "campaign.action"} <= {each["type"] for each in items}
    assert all(each["tells"] for each in items)
