"""From the queue to a real mailbox, and back by the links in the mail: what customers do with it counts, and holds."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import text

from services.deliveries.adapters.recipients.withdrawals import Withdrawals
from services.deliveries.application.consuming import OutcomeHandler
from services.deliveries.wiring.sender import create_sender
from services.rewards.wiring.api import create_app
from shared.contracts.outcomes import Outcome
from shared.settings import Settings
from tests.integration.deliveries.sending import mail_settings
from tests.integration.deliveries.world import World
from tests.support.mailbox import Letter, Mailbox, mail_server

PIXEL = re.compile(r'<img src="([^"]+)"')


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def installed(world: World, mailbox: Mailbox) -> Settings:
    """The settings of an installation that sends to the mailbox, and has a public address of its own."""
    first, *others = world.handler.takers
    world.handler = OutcomeHandler([first, Withdrawals(), *others])
    return mail_settings(world.settings, mailbox.port, public_url="http://mail.shop.example")


@asynccontextmanager
async def browser(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, world.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client,
    ):
        yield client


async def written(world: World, settings: Settings, mailbox: Mailbox, *outcomes: Outcome) -> list[Letter]:
    """The letters that come of these outcomes."""
    before = len(mailbox.letters)
    await world.happen(*outcomes)
    stop = asyncio.Event()
    loop = asyncio.create_task(create_sender(settings, world.engine, world.clock).run(stop))
    async with asyncio.timeout(20):
        while await busy(world):  # noqa: ASYNC110  # what is looked at tells nobody
            await asyncio.sleep(0.02)
    stop.set()
    await loop
    return mailbox.letters[before:]


async def busy(world: World) -> bool:
    """Whether a message is due, or on its way."""
    async with world.admin.connect() as connection:
        due = text("SELECT 1 FROM deliveries.messages WHERE due_at <= :now OR state = 'sending' LIMIT 1")
        return (await connection.execute(due, {"now": world.clock()})).first() is not None


def header(letter: Letter, name: str) -> str:
    """As it stands on the wire: mail programs look for it on one line."""
    (line,) = [line for line in letter.wire.decode().splitlines() if line.startswith(f"{name}: ")]
    return line.partition(": ")[2]


async def test_one_click_in_a_real_mailbox_ends_it(
    world: World, installed: Settings, mailbox: Mailbox
) -> None:
    """Given a mail in a real mailbox; when the mail program posts to the address in its header (RFC 8058); then the
    next one of marketing is not sent, though older news of the customer come by, scoring is told, and service still
    comes, with nothing to unsubscribe from."""
    await world.knows("ana", consents=["email"])
    (letter,) = await written(world, installed, mailbox, world.due("ana"))
    assert header(letter, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    address = header(letter, "List-Unsubscribe").strip("<>")
    assert address.startswith("http://mail.shop.example/u/")
    async with browser(world, installed) as client:
        answer = await client.post(address, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200

    older = await world.told("ana", consents=["email"], customer={"email": "ana@example.com"})
    due, service = world.due("ana", "winback"), world.due("ana", "solved")
    (letter,) = await written(world, installed, mailbox, older, due, service)
    assert (letter.mail["Subject"], letter.mail["List-Unsubscribe"]) == ("Solved", None)
    assert await world.state(due) == ("skipped", "no_consent")
    assert [event.type for event in await world.events()] == [
        "email.sent",
        "email.unsubscribed",
        "email.sent",
    ]
    assert (await world.events())[1].identifiers == {"id": world.subject("ana")}


async def test_a_letter_that_is_opened_and_followed_is_told(
    world: World, installed: Settings, mailbox: Mailbox
) -> None:
    await world.knows("ana")
    (letter,) = await written(world, installed, mailbox, world.due("ana"))
    body = letter.mail.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    async with browser(world, installed) as client:
        pixel = PIXEL.search(html)
        assert pixel is not None
        for _ in range(2):
            assert (await client.get(pixel.group(1))).status_code == 200
    assert [event.type for event in await world.events()] == ["email.sent", "email.opened"]
    sent, opened = await world.events()
    assert opened.data["message_id"] == sent.data["message_id"]


async def test_who_chooses_sms_instead_gets_no_more_mail(
    world: World, installed: Settings, mailbox: Mailbox
) -> None:
    """Given a customer with an address and a telephone; when the page of preferences is saved without e-mail; then
    service still comes, and marketing does not."""
    await world.knows("ana", customer={"email": "ana@example.com", "phone": "+12125550100"})
    (letter,) = await written(world, installed, mailbox, world.due("ana"))
    found = re.search(r"What you get from us: (\S+)", letter.text)
    assert found is not None
    async with browser(world, installed) as client:
        page = await client.get(found.group(1))
        assert 'name="email.marketing" checked' in page.text
        saved = await client.post(
            found.group(1), data={"choices": "yes", "email.service": "on", "tracking": "on"}
        )
        assert "Saved." in saved.text
    marketing, service = world.due("ana", "winback"), world.due("ana", "solved")
    (letter,) = await written(world, installed, mailbox, marketing, service)
    assert letter.mail["Subject"] == "Solved"
    assert await world.state(marketing) == ("skipped", "no_consent")
