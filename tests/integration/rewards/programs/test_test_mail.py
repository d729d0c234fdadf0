"""A template sent to oneself: through the API to a real mail server, and counted nowhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.wiring.api import create_app
from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from shared.http.app import Application
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.deliveries.sending import mail_settings
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.programs.test_template_preview import ana
from tests.support.clock import ManualClock
from tests.support.mailbox import Mailbox, mail_server

__all__ = ["ana"]

ME = "me@shop.example"


class Shop:
    """The API with a mail server behind it, and words for sending tests."""

    def __init__(self, api: httpx.AsyncClient, mailbox: Mailbox, admin: AsyncEngine) -> None:
        self.api = api
        self.admin = admin
        self.mailbox = mailbox
        self._number = 0

    async def rows(self, statement: str) -> list[Any]:
        """What the database has."""
        async with self.admin.connect() as connection:
            return list(await connection.execute(text(statement)))

    async def test(self, template: str = "hello", key: str | None = None, **body: Any) -> httpx.Response:
        self._number += 1
        return await self.api.post(
            f"/v1/templates/{template}/test",
            json={"to": ME, **body},
            headers={"Idempotency-Key": key or f"k-{self._number}"},
        )


@asynccontextmanager
async def process(
    settings: Settings, clock: ManualClock, like: httpx.AsyncClient, **limits: float
) -> AsyncIterator[httpx.AsyncClient]:
    """Another process of the API, called with the same key; `limits` as its boundary has them."""
    app = create_app(settings, clock)
    assert isinstance(app, Application)
    app.boundary = partial(app.boundary, **limits)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://rewards", headers=like.headers
        ) as client,
    ):
        yield client


@pytest.fixture
async def shop(
    ana: str, api: httpx.AsyncClient, settings: Settings, clock: ManualClock, engine_for: EngineFor
) -> AsyncIterator[Shop]:
    async with (
        mail_server() as mailbox,
        process(mail_settings(settings, mailbox.port), clock, api) as client,
    ):
        yield Shop(client, mailbox, engine_for(None))


async def test_arrives_as_the_customer_would_read_it_marked_as_a_test(shop: Shop) -> None:
    """Given a mail server; when an operator tests a template as a customer; then it is in the operator's mailbox, with
    the customer's name, facts and points, and says in subject, text, HTML and a header that it is a test."""
    answer = await shop.test(customer="ana")

    assert answer.status_code == 200
    told = answer.json()
    assert (told["result"], told["campaign"], told["personal"]) == ("sent", "hi", True)
    (letter,) = shop.mailbox.to(ME)
    assert letter.mail["Subject"] == "[Test] Hello Ana"
    assert letter.mail["X-Regulars-Test"] == "true"
    assert letter.message_id.startswith(f"<{told['id']}@")
    assert letter.text.startswith("This is a test.")
    assert "You are Member and have 100 points after 3 orders." in letter.text
    html = letter.mail.get_body(("html",))
    assert html is not None
    assert html.get_content().index("This is a test.") < html.get_content().index("EXAMPLE-CODE")
    assert "/o/" not in html.get_content()
    assert ME not in answer.text


async def test_counts_nowhere(shop: Shop, rewards: Rewards) -> None:
    """Given a test that arrived, and whose link to unsubscribe was followed; then there is no delivery, no event, no
    run, and nobody's consent has changed."""
    before = await rewards.dump()
    consents = "SELECT consents, withdrawn FROM deliveries.recipients"
    agreed = await shop.rows(consents)

    await shop.test(customer="ana")
    (letter,) = shop.mailbox.to(ME)
    link = letter.mail["List-Unsubscribe"].strip("<>").partition("/u/")[2]
    assert (await shop.api.post(f"/u/{link}")).status_code == 404

    assert (await shop.api.get("/v1/deliveries")).json()["items"] == []
    assert await rewards.dump() == before
    assert await shop.rows(consents) == agreed
    for table in ("messages", "attempts", "responses"):
        assert await shop.rows(f"SELECT count(*) FROM deliveries.{table}") == [(0,)]
    assert await shop.rows("SELECT 1 FROM platform.log_records WHERE topic = 'regulars.events'") == []


async def test_facts_may_be_given_instead_of_a_customer(shop: Shop) -> None:
    """Given facts and a draft, and no customer; then the draft is written with them."""
    draft = (
        "subject: After {{ customer.orders }}\ntext: \"{{ customer.stage or 'new' }}, {{ points }} points\""
    )

    answer = await shop.test(facts={"orders": 7, "stage": "loyal"}, draft=draft)

    assert answer.json()["personal"] is False
    (letter,) = shop.mailbox.to(ME)
    assert letter.mail["Subject"] == "[Test] After 7"
    assert "loyal, 0 points" in letter.text


async def test_the_same_request_twice_sends_once(shop: Shop) -> None:
    """Given a key that was used; when the request comes again, the answer is the same and nothing is sent; when another
    one comes with that key, it is refused."""
    first = await shop.test(key="once")
    again = await shop.test(key="once")

    assert again.content == first.content
    assert len(shop.mailbox.arrived) == 1
    assert (await shop.test(key="once", customer="ana")).status_code == 422


async def test_ten_may_go_at_once_over_all_processes(
    shop: Shop, settings: Settings, clock: ManualClock
) -> None:
    """Given two processes of the API; when many tests are asked for, ten go, and the others are told when to come
    again; half a minute later there is room for one more."""
    async with process(mail_settings(settings, shop.mailbox.port), clock, shop.api) as other:
        second = Shop(other, shop.mailbox, shop.admin)
        answers = await asyncio.gather(
            *(shop.test(key=f"a-{number}") for number in range(7)),
            *(second.test(key=f"b-{number}") for number in range(7)),
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 10 + [429] * 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too_many_tests"
    assert refused.headers["Retry-After"] == "30"
    assert len(shop.mailbox.arrived) == 10

    clock.advance(timedelta(seconds=30))
    assert [(await shop.test()).status_code for _ in range(2)] == [200, 429]


async def test_what_the_mail_server_says_is_told(shop: Shop) -> None:
    """Given a mail server that refuses the address, and then is gone; then the operator reads its code, no address is
    suppressed by that, and the circuit of real messages stays closed."""
    shop.mailbox.refuse[ME] = "550 5.1.1 No such user"
    told = (await shop.test()).json()
    assert (told["result"], told["code"], told["detail"]) == ("refused", "no_such_address", "550 5.1.1")

    shop.mailbox.answer = "451 4.3.0 Try again later"
    del shop.mailbox.refuse[ME]
    assert (await shop.test()).json()["result"] == "again"

    assert await shop.rows("SELECT 1 FROM deliveries.suppressed") == []
    assert await shop.rows("SELECT failures FROM deliveries.providers WHERE channel = 'email'") == [(0,)]


def nested(depth: int) -> list[Any]:
    """A list in a list, deeper than a body can be written down again."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("template", "body", "status", "said"),
    [
        ("hello", {"to": "nobody"}, 422, "is no e-mail address"),
        ("hello", {"to": "a@x.example\r\nBcc: b@x.example"}, 422, "is no e-mail address"),
        ("helo", {}, 404, "Did you mean hello?"),
        ("hello", {"customer": "bob"}, 404, "no customer of this name"),
        ("hello", {"customer": "ana", "facts": {}}, 422, "either customer or facts"),
        ("hello", {"facts": {"order": 3}}, 422, "/facts/order"),
        ("hello", {"facts": {"orders": "many"}}, 422, "$.orders"),
        ("hello", {"facts": {"orders": nested(300)}}, 422, "$.orders"),
        ("hello", {"draft": "sms: only"}, 422, "no_email"),
        ("broken", {}, 422, "no_email"),
        ("hello", {"version": 99}, 422, "no version of this number"),
    ],
)
async def test_what_is_wrong_is_told_and_sends_nothing(
    shop: Shop, template: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await shop.test(template, **body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text
    assert shop.mailbox.arrived == []


async def test_a_suppressed_address_gets_no_test_either(shop: Shop) -> None:
    await shop.api.post("/v1/suppressions", json={"channel": "email", "address": ME})
    answer = await shop.test()
    assert (answer.status_code, answer.json()["code"]) == (409, "address_suppressed")
    assert shop.mailbox.arrived == []


async def test_a_mail_server_may_take_longer_than_other_requests(
    shop: Shop, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a mail server that takes its time; when that is longer than requests may take; then it is heard out."""
    taken = shop.mailbox.handle_DATA

    async def slowly(*given: Any) -> str:
        await asyncio.sleep(2.5)
        return await taken(*given)

    monkeypatch.setattr(shop.mailbox, "handle_DATA", slowly)
    mail = mail_settings(settings, shop.mailbox.port)
    async with process(mail, clock, shop.api, deadline_s=2) as patient:
        answer = await Shop(patient, shop.mailbox, shop.admin).test()
    assert (answer.status_code, answer.json()["result"]) == (200, "sent")


async def test_without_a_mail_server_the_remedy_is_told(ana: str, api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/templates/hello/test", json={"to": ME}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_provider")
    assert "REGULARS_SMTP_URL" in answer.json()["detail"]


async def test_keys_that_may_only_read_send_nothing_and_others_no_names(
    shop: Shop, rewards: Rewards, engine_for: EngineFor
) -> None:
    """Given a key that may read, and one that may write but see nobody's name; then the first sends nothing, and what
    the second sends names nobody."""
    for scope, status in ((Scope.REWARDS_READ, 403), (Scope.REWARDS_WRITE, 200)):
        async with engine_for(None).begin() as connection:
            key = await create_key(connection, name=scope, scopes=[scope], now=rewards.clock())
        shop.api.headers["Authorization"] = f"Bearer {key.token}"
        assert (await shop.test(customer="ana")).status_code == status
    (letter,) = shop.mailbox.arrived
    assert letter.mail["Subject"] == "[Test] Hello friend"
    kept = await shop.rows("SELECT body FROM deliveries.idempotency_keys")
    assert len(kept) == 1
    assert ME.encode() not in bytes(kept[0][0])
