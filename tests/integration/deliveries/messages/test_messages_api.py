"""`/v1/deliveries`, at the address of rewards."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.deliveries.domain.providers.answers import Again
from services.rewards.wiring.api import create_app
from shared.auth.keys import ensure_key
from shared.contracts.outcomes import message_id
from tests.integration.deliveries.world import World

TOKEN = "reg_" + "t" * 43


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with all scopes."""
    async with world.admin.begin() as connection:
        await ensure_key(connection, TOKEN, world.clock())
    app = create_app(world.settings, world.clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://rewards", headers=headers
        ) as client:
            yield client


async def test_a_message_tells_its_story(world: World, api: httpx.AsyncClient) -> None:
    """Given a message that waited for the morning, was tried, and was sent; then its page tells all of it."""
    await world.program('messages: {consent: unless_withdrawn, quiet_hours: "11:00-13:00"}')
    await world.knows("ana")
    hello = world.due("ana")
    await world.happen(hello)
    assert await world.claim() == []
    page = (await api.get(f"/v1/deliveries/{message_id(hello.id)}")).json()
    assert (page["state"], page["reason"], page["channel"]) == ("held", "quiet_hours", None)
    assert page["sentence"] == (
        "Where the customer lives it is a quiet hour. To be looked at again at 2026-06-01 13:00 UTC."
    )
    world.clock.advance(timedelta(hours=1))
    await world.note(await world.claim(), Again("busy", "451"), world.clock() + timedelta(minutes=5))
    world.clock.advance(timedelta(minutes=5))
    await world.send()

    page = (await api.get(f"/v1/deliveries/{message_id(hello.id)}")).json()
    assert (page["state"], page["reason"], page["channel"]) == ("sent", None, "email")
    assert page["sentence"] == "Sent by email at 2026-06-01 13:05 UTC."
    assert [(hold["reason"], hold["since"], hold["until"]) for hold in page["holds"]] == [
        ("quiet_hours", "2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z"),
        ("retry", "2026-06-01T13:00:00Z", "2026-06-01T13:05:00Z"),
    ]
    assert [(each["number"], each["result"], each["code"]) for each in page["tries"]] == [
        (1, "again", "busy"),
        (2, "sent", ""),
    ]
    assert page["customer"] == world.id("ana")
    assert page["settled_at"] == page["sent_at"] == "2026-06-01T13:05:00Z"
    assert "ana@example.com" not in str(page)


async def test_lists_are_filtered_and_paged(world: World, api: httpx.AsyncClient) -> None:
    """Given messages of two customers by two campaigns; when lists are asked for; then each has what was asked for,
    newest first, and pages join without a gap."""
    await world.knows("ana")
    await world.knows("ben", customer={"first_name": "Ben"})
    outcomes = []
    for number in range(6):
        outcomes.append(world.due(("ana", "ben")[number % 2], ("hello", "winback")[number % 3 == 2]))
        await world.happen(outcomes[-1])
        world.clock.advance(timedelta(seconds=1))
    await world.send()
    ids = [message_id(outcome.id) for outcome in reversed(outcomes)]

    async def listed(**asked: str) -> list[str]:
        answer = await api.get("/v1/deliveries", params=asked)
        assert answer.status_code == 200
        return [item["id"] for item in answer.json()["items"]]

    assert await listed() == ids
    assert await listed(customer="ana") == await listed(customer=world.id("ana")) == ids[1::2]
    assert await listed(campaign="winback") == [ids[0], ids[3]]
    assert await listed(state="sent") == ids[1::2]
    assert await listed(state="skipped", customer="ben", campaign="hello") == [ids[2], ids[4]]
    first = (await api.get("/v1/deliveries", params={"limit": 4})).json()
    second = (await api.get("/v1/deliveries", params={"limit": 4, "cursor": first["next"]})).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next"] is None


async def test_a_merged_customer_is_found_by_either_name(world: World, api: httpx.AsyncClient) -> None:
    """Given a customer who was merged into another; when messages of the first are asked for; then they are found."""
    await world.knows("ana")
    await world.knows("ben")
    await world.happen(world.due("ana"), world.merged("ana", "ben", 1))
    for name in ("ana", "ben", world.id("ana"), world.id("ben")):
        (item,) = (await api.get("/v1/deliveries", params={"customer": name})).json()["items"]
        assert item["customer"] == world.id("ben")


WRONG = [
    ("/v1/deliveries/msg_nothing", 404, "not_found"),
    ("/v1/deliveries/%00", 422, "invalid_request"),
    ("/v1/deliveries?customer=nobody", 404, "not_found"),
    ("/v1/deliveries?customer=a%00", 422, "invalid_request"),
    ("/v1/deliveries?campaign=a%00", 422, "invalid_request"),
    ("/v1/deliveries?state=lost", 422, "invalid_request"),
    ("/v1/deliveries?cursor=xx", 422, "invalid_request"),
    ("/v1/deliveries?limit=0", 422, "invalid_request"),
]


async def test_wrong_questions_get_a_clear_answer(api: httpx.AsyncClient) -> None:
    """Given questions that cannot be answered; then each gets a problem with its code."""
    for path, status, code in WRONG:
        answer = await api.get(path)
        assert (path, answer.status_code, answer.json()["code"]) == (path, status, code)


async def test_without_a_key_nothing_is_shown(api: httpx.AsyncClient) -> None:
    """Given no key; then the answer is 401."""
    assert (await api.get("/v1/deliveries", headers={"Authorization": ""})).status_code == 401
