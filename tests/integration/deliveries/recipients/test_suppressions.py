"""`/v1/suppressions`: addresses that nothing is sent to."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.deliveries.domain.providers.answers import Refused
from services.rewards.wiring.api import create_app
from shared.auth.keys import ensure_key
from shared.contracts.outcomes import message_id
from tests.integration.deliveries.world import World

TOKEN = "reg_" + "t" * 43
ANA = {"channel": "email", "address": "ana@example.com"}


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with all scopes."""
    async with world.admin.begin() as connection:
        await ensure_key(connection, TOKEN, world.clock())
    app = create_app(world.settings, world.clock)
    async with app.router.lifespan_context(app):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://rewards", headers=headers
        ) as client:
            yield client


async def test_a_bounce_that_came_later_stops_every_campaign(world: World, api: httpx.AsyncClient) -> None:
    """Given a known address; when a bounce is told, in another spelling; then nothing goes there until it is lifted."""
    await world.knows("ana")
    told = await api.post("/v1/suppressions", json=ANA | {"address": " Ana@Example.com"})
    assert told.status_code == 200
    assert told.json() == {
        "channel": "email",
        "at": "2026-06-01T12:00:00Z",
        "delivery": None,
        "code": "bounced",
    }
    first = world.due("ana")
    await world.happen(first)
    assert await world.send() == []
    assert await world.state(first) == ("skipped", "no_contact")

    assert (await api.post("/v1/suppressions/lift", json=ANA)).status_code == 204

    second = world.due("ana")
    await world.happen(second)
    assert await world.send() == [("hello", "ana@example.com")]
    again = await api.post("/v1/suppressions/lift", json=ANA)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_told_twice_the_first_report_stays(world: World, api: httpx.AsyncClient) -> None:
    await api.post("/v1/suppressions", json=ANA | {"reason": "complained"})
    again = await api.post("/v1/suppressions", json=ANA)

    assert again.json()["code"] == "complained"
    assert len((await api.get("/v1/suppressions")).json()["items"]) == 1


async def test_the_list_says_why_and_never_who(world: World, api: httpx.AsyncClient) -> None:
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello)
    await world.note(await world.claim(), Refused("no_such_address", "550 5.1.1", suppress=True))
    await api.post("/v1/suppressions", json={"channel": "sms", "address": "+15005550001"})

    answer = await api.get("/v1/suppressions?limit=1")
    (first,) = answer.json()["items"]
    page = await api.get("/v1/suppressions", params={"cursor": answer.json()["next"], "limit": 1})
    (second,) = page.json()["items"]

    assert {first["channel"], second["channel"]} == {"email", "sms"}
    assert {first["delivery"], second["delivery"]} == {None, message_id(hello.id)}
    assert page.json()["next"] is None
    assert "ana" not in answer.text + page.text


async def test_bad_input_gets_a_clear_answer_and_changes_nothing(api: httpx.AsyncClient) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"channel": "pigeon", "address": "x"}, "/channel"),
        ({"channel": "email"}, "/address"),
        ({"channel": "email", "address": ""}, "/address"),
        ({"channel": "email", "address": "a\x00b"}, "/address"),
        ({"channel": "email", "address": "x" * 321}, "/address"),
        (ANA | {"reason": "because"}, "/reason"),
        (ANA | {"more": 1}, "/more"),
    ]
    for body, pointer in wrong:
        answer = await api.post("/v1/suppressions", json=body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await api.get("/v1/suppressions")).json()["items"] == []
