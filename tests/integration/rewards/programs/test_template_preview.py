"""What a template would say to a real customer: facts, points and tier from rewards, names from deliveries."""

from typing import Any

import httpx
import pytest

from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from shared.program.versions.store import keep_file
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.deliveries.world import World
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity

PROGRAM = """
name: Mug Shop
currency: USD
time_zone: UTC
points: {earn: [{id: welcome, on: customer.registered, points: 100}]}
tiers: {basis: {spend_over: P12M}, levels: [{id: member, name: Member}]}
offers: {o: {discount: {percent: 10}, valid_for: P30D}}
messages: {channels: [email, sms, push]}
campaigns: [{id: hi, on: order.completed, do: [{message: hello}, {offer: o}]}]
templates:
  hello:
    subject: "Hello {{ customer.first_name or 'friend' }}"
    text: |
      {{ offer.name }} with {{ offer.code }} until {{ offer.valid_until|date }}.
      You are {{ tier or 'new' }} and have {{ points }} points after {{ customer.orders }} orders.
    sms: "{{ shop.name }}: {{ event.total|money }}"
  broken:
    purpose: service
    push: "{% if customer.attributes.level %}{{ customer.attributes.level + 1 }}{% else %}none{% endif %}"
"""


@pytest.fixture
async def ana(rewards: Rewards, api: httpx.AsyncClient, settings: Settings, engine_for: EngineFor) -> str:
    """Ana, whom rewards and deliveries know; answers our id of her."""
    async with rewards.engine.begin() as connection:
        await keep_file(connection, PROGRAM, rewards.clock())
    world = World(engine_for("regulars_deliveries"), engine_for(None), settings, rewards.clock)
    id_ = world.id("ana")
    await rewards.happen(
        activity(
            "customer.registered",
            "r-1",
            customer=id_,
            facts={"orders": 3, "attributes": {"level": "high"}},
            identifiers={"id": [world.subject("ana")]},
        )
    )
    await world.knows("ana", customer={"email": "ana@example.com", "first_name": "Ana"})
    return id_


async def preview(api: httpx.AsyncClient, template: str = "hello", **body: Any) -> httpx.Response:
    return await api.post(f"/v1/templates/{template}/preview", json={"customer": "ana", **body})


async def test_is_what_the_customer_would_read_now(api: httpx.AsyncClient, ana: str) -> None:
    answer = (await preview(api)).json()
    assert (answer["template"], answer["customer"], answer["campaign"]) == ("hello", ana, "hi")
    assert answer["made_up"] == ["event", "offer"]
    email, sms = answer["words"]
    assert email["subject"] == "Hello Ana"
    assert email["text"].startswith(
        "10 % off with EXAMPLE-CODE until 1 July 2026.\nYou are Member and have 100 points after 3 orders.\n"
    )
    assert email["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<img" not in email["html"]
    assert sms["text"] == "Mug Shop: $3.00"


async def test_our_own_id_is_as_good_a_name(api: httpx.AsyncClient, ana: str) -> None:
    assert (await preview(api, customer=ana)).json() == (await preview(api)).json()


async def test_says_why_a_template_would_not_do_for_this_customer(api: httpx.AsyncClient, ana: str) -> None:
    (push,) = (await preview(api, "broken")).json()["words"]
    assert push["text"] is None
    assert "needs two numbers" in push["trouble"]


async def test_writes_and_sends_nothing(api: httpx.AsyncClient, ana: str, rewards: Rewards) -> None:
    before = await rewards.dump()
    await preview(api)
    assert await rewards.dump() == before
    assert await rewards.rows("SELECT 1 FROM platform.log_records WHERE topic = 'regulars.events'") == []


async def test_shows_names_only_to_keys_that_may_see_them(
    api: httpx.AsyncClient, ana: str, rewards: Rewards, engine_for: EngineFor
) -> None:
    async with engine_for(None).begin() as connection:
        key = await create_key(connection, name="reader", scopes=[Scope.REWARDS_READ], now=rewards.clock())
    api.headers["Authorization"] = f"Bearer {key.token}"
    answer = await preview(api)
    assert answer.json()["personal"] is False
    assert answer.json()["words"][0]["subject"] == "Hello friend"
    assert "Ana" not in answer.text


@pytest.mark.parametrize(
    ("template", "body", "status", "said"),
    [
        ("helo", {}, 404, "Did you mean hello?"),
        ("hello", {"customer": "bob"}, 404, "no customer of this name"),
        ("hello", {"version": 99}, 422, "no version of this number"),
        ("hello", {"customer": ""}, 422, ""),
        ("a%00b", {}, 422, ""),
    ],
)
async def test_what_is_not_there_is_told(  # noqa: PLR0917
    api: httpx.AsyncClient, ana: str, template: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await preview(api, template, **body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


async def test_an_earlier_version_can_be_previewed_too(
    api: httpx.AsyncClient, ana: str, rewards: Rewards
) -> None:
    version = (await preview(api)).json()["program_version"]
    async with rewards.engine.begin() as connection:
        await keep_file(connection, PROGRAM.replace("Hello {{", "Dear {{"), rewards.clock())
    old = (await preview(api, version=version)).json()
    assert old["words"][0]["subject"] == "Hello Ana"


async def test_a_draft_is_tried_before_anybody_stores_it(
    api: httpx.AsyncClient, ana: str, rewards: Rewards
) -> None:
    """Given words that stand in no program yet, of a template that there is and of a new one; then they are previewed
    with the campaign that sends them, and nothing is written."""
    draft = "subject: \"Dear {{ customer.first_name or 'friend' }}\"\ntext: Come to {{ offer.name }}\n"
    before = await rewards.dump()
    answer = (await preview(api, draft=draft)).json()
    (email,) = answer["words"]
    assert (answer["campaign"], email["subject"]) == ("hi", "Dear Ana")
    assert email["text"].startswith("Come to 10 % off")
    (new,) = (await preview(api, "brand-new", draft='{"sms": "Hello"}')).json()["words"]
    assert new["text"] == "Hello"
    assert await rewards.dump() == before


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ("", "The template is empty."),
        ("- a\n", "Keys and values are needed here"),
        ("subject: Hi\n", "There is a subject, and no e-mail."),
        ("subject: Hi\ntext: |\n  Dear\n  {{ customer.first_name }}\n", "line 4, column 6"),
        ("subject: Hi\ntxt: Hello\n", "line 2, column 1"),
        ("subject: [\n", "This is not YAML"),
        ("sms: '{{ event.totl }}'\n", "total"),
    ],
)
async def test_a_draft_with_a_fault_is_refused_by_its_place(
    api: httpx.AsyncClient, ana: str, draft: str, said: str
) -> None:
    answer = await preview(api, draft=draft)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid_template"
    assert {each["pointer"] for each in problem["errors"]} == {"/draft"}
    assert said in answer.text
