"""The links in messages, over HTTP and on a real database: what they note, what they tell, where they lead."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.recipients.withdrawals import Withdrawals
from services.deliveries.domain.messages.links import Links, Use
from services.deliveries.wiring.parts import links_of
from services.rewards.wiring.api import create_app
from shared.contracts.codec import decode
from shared.contracts.events import EVENTS_TOPIC, EventRecord, event_key
from shared.contracts.outcomes import Outcome
from shared.program.versions.store import keep_file
from shared.settings import Settings
from shared.vault.subject_keys import SubjectKeys
from tests.conftest import EngineFor
from tests.support.clock import ManualClock
from tests.support.streams import on_stream

PROGRAM = """
name: Mug & Shop
currency: USD
time_zone: UTC
messages: {channels: [email, sms]}
templates: {hello: {subject: Hello, text: Hello}}
"""
ANA, PART, SUBJECT = "cus_" + "a" * 24, "cus_" + "p" * 24, "e" * 32
SHOP = "https://shop.example.com/?a=1"


@dataclass
class Mailbox:
    """A customer with a mail in her mailbox, and a browser."""

    engine: AsyncEngine
    browser: httpx.AsyncClient
    links: Links
    clock: ManualClock

    def link(self, use: Use, destination: str = "") -> str:
        """Of her mail."""
        return self.links.make(use, "m-1", destination)

    async def rows(self, statement: str) -> list[Any]:
        async with self.engine.connect() as connection:
            return list(await connection.execute(text(statement)))

    async def write(self, statement: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def told(self) -> list[EventRecord]:
        """The events that were written to the stream."""
        async with self.engine.connect() as connection:
            return [decode(each.value, EventRecord) for each in await on_stream(connection, EVENTS_TOPIC)]

    async def consents(self) -> tuple[list[str], list[str]]:
        """Given and withdrawn."""
        ((given, withdrawn),) = await self.rows("SELECT consents, withdrawn FROM deliveries.recipients")
        return given.split(), withdrawn.split()

    async def outcome(self, **data: Any) -> None:
        """What rewards tells of her is taken: as the queue does it, and then as we do."""
        person = data.get("person")
        async with self.engine.begin() as connection:
            if person:
                await connection.execute(
                    text("UPDATE deliveries.recipients SET consents = :given, withdrawn = :withdrawn"),
                    {
                        "given": " ".join(person["consents"]),
                        "withdrawn": " ".join(person["consents_withdrawn"]),
                    },
                )
            outcome = Outcome(
                id="o",
                customer_id=ANA,
                type="recipient.changed",
                time=self.clock(),
                cause="x",
                program_version=1,
                data={
                    "part": PART,
                    "at": self.clock().isoformat(),
                    "event": "x",
                    "type": "order.completed",
                    **data,
                },
            )
            await Withdrawals()(connection, [outcome], self.clock())


@pytest.fixture
async def mailbox(settings: Settings, engine_for: EngineFor, clock: ManualClock) -> AsyncIterator[Mailbox]:
    """Ana has agreed to everything, and a mail of the campaign `hi` was sent to her."""
    async with engine_for("regulars_rewards").begin() as connection:
        await keep_file(connection, PROGRAM, clock())
    async with engine_for(None).begin() as connection:
        await SubjectKeys(settings.secret).get_or_create(connection, [SUBJECT])
    engine = engine_for("regulars_deliveries")
    app = create_app(settings, clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_address) as browser,
    ):
        box = Mailbox(engine, browser, links_of(settings), clock)
        await box.write(
            """INSERT INTO deliveries.recipients
               (customer_id, consents, withdrawn, tickets_angry, emails_unopened)
               VALUES (:ana, 'email email_marketing sms terms', '', false, 0)""",
            ana=ANA,
        )
        await box.write(
            """INSERT INTO deliveries.recipient_parts (part, customer_id, epoch, subject, identifiers, sealed)
               VALUES (:part, :ana, 0, :subject, :identifiers, 'sealed')""",
            part=PART,
            ana=ANA,
            subject=SUBJECT,
            identifiers=json.dumps({"email": SUBJECT, "phone": "f" * 32}),
        )
        await box.write(
            """INSERT INTO deliveries.messages
               (id, customer_id, part, contact_part, campaign, run, template, arm, purpose, cause, caused_at,
                created_at, expires_at, program_version, context, state, channel, attempts, sent_at)
               VALUES ('m-1', :ana, :ana, :part, 'hi', 'r', 'hello', 'a', 'marketing', 'c', :now, :now, :now, 1, '{}',
                       'sent', 'email', 1, :now)""",
            ana=ANA,
            part=PART,
            now=clock(),
        )
        yield box


class TestOpened:
    async def test_is_an_event_once_for_ever(self, mailbox: Mailbox) -> None:
        for _ in range(3):
            answer = await mailbox.browser.get(mailbox.link(Use.OPEN))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
            assert answer.headers["cache-control"] == "no-store"
            mailbox.clock.advance(timedelta(days=1))
        (event,) = await mailbox.told()
        assert (event.type, event.source, event.id) == ("email.opened", "regulars", "m-1/opened")
        assert event.data == {"message_id": "m-1", "campaign": "hi"}
        assert (event.subject, event.identifiers["email"]) == (SUBJECT, SUBJECT)

    async def test_of_a_link_that_is_none_of_ours_nothing_is_noted(self, mailbox: Mailbox) -> None:
        answer = await mailbox.browser.get(mailbox.links.base + "/o/" + mailbox.links.token(Use.OPEN, "m-2"))
        assert answer.status_code == 200
        assert (await mailbox.browser.get(mailbox.links.base + "/o/nonsense")).status_code == 200
        assert await mailbox.told() == []

    async def test_of_somebody_erased_nothing_is_told(
        self, mailbox: Mailbox, settings: Settings, engine_for: EngineFor
    ) -> None:
        """Given an erased customer whose mails lie in a mailbox still."""
        async with engine_for(None).begin() as connection:
            await SubjectKeys(settings.secret).destroy(connection, [SUBJECT], mailbox.clock())
        assert (await mailbox.browser.get(mailbox.link(Use.OPEN))).status_code == 200
        assert (await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))).status_code == 200
        assert await mailbox.told() == []


class TestClicked:
    async def test_leads_to_the_shop_and_counts_each_link_once(self, mailbox: Mailbox) -> None:
        for destination in (SHOP, SHOP, "https://shop.example.com/other"):
            answer = await mailbox.browser.get(mailbox.link(Use.CLICK, destination))
            assert (answer.status_code, answer.headers["location"]) == (302, destination)
        told = await mailbox.told()
        assert [event.type for event in told] == ["email.clicked", "email.clicked"]
        assert len({event.id for event in told}) == 2
        assert "shop.example.com" not in str(told)

    async def test_leads_nowhere_that_we_did_not_sign(self, mailbox: Mailbox) -> None:
        for use in (Use.OPEN, Use.UNSUBSCRIBE):
            forged = mailbox.links.token(use, "m-1", "https://evil.example.com/")
            answer = await mailbox.browser.get(f"{mailbox.links.base}/c/{forged}")
            assert answer.status_code == 404
            assert "location" not in answer.headers

    async def test_is_not_counted_when_a_scanner_only_looks(self, mailbox: Mailbox) -> None:
        answer = await mailbox.browser.head(mailbox.link(Use.CLICK, SHOP))
        assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
        assert await mailbox.told() == []

    async def test_leads_on_while_the_database_is_away(
        self, mailbox: Mailbox, databases: Any, engine_for: EngineFor
    ) -> None:
        """Given a lock on the table that is written; when a link is followed; then the reader does not wait for it."""
        async with engine_for(None).begin() as connection:
            await connection.execute(text("LOCK deliveries.responses IN ACCESS EXCLUSIVE MODE"))
            answer = await mailbox.browser.get(mailbox.link(Use.CLICK, SHOP))
        assert (answer.status_code, answer.headers["location"]) == (302, SHOP)


class TestUnsubscribing:
    async def test_by_opening_the_link_nothing_happens(self, mailbox: Mailbox) -> None:
        """Mail programs and scanners open links by themselves."""
        answer = await mailbox.browser.get(mailbox.link(Use.UNSUBSCRIBE))
        assert answer.status_code == 200
        assert "Mug &amp; Shop" in answer.text
        assert '<form method="post">' in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await mailbox.consents())[1] == []
        assert await mailbox.told() == []

    async def test_with_one_click_holds_at_once_and_is_told(self, mailbox: Mailbox) -> None:
        """RFC 8058, section 3.2: the mail program posts, with no cookies and no other context."""
        answer = await mailbox.browser.post(
            mailbox.link(Use.UNSUBSCRIBE), data={"List-Unsubscribe": "One-Click"}
        )
        assert answer.status_code == 200
        assert await mailbox.consents() == (["email", "sms", "terms"], ["email_marketing"])
        (event,) = await mailbox.told()
        assert (event.type, event.data["message_id"]) == ("email.unsubscribed", "m-1")

    async def test_twice_is_as_good_as_once(self, mailbox: Mailbox) -> None:
        """RFC 8058, section 3.2, allows multipart/form-data as well."""
        form: dict[str, Any] = {"List-Unsubscribe": (None, "One-Click")}
        for _ in range(3):
            answer = await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE), files=form)
            assert answer.status_code == 200
            mailbox.clock.advance(timedelta(minutes=1))
        assert (await mailbox.consents())[1] == ["email_marketing"]
        assert len(await mailbox.told()) == 1

    async def test_at_the_same_time_counts_once(self, mailbox: Mailbox) -> None:
        """Given the mail program's click and the page's at once; then one waits for the other, and adds nothing."""
        posts = [mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE)) for _ in range(4)]
        opens = [mailbox.browser.get(mailbox.link(Use.OPEN)) for _ in range(4)]
        answers = await asyncio.gather(*posts, *opens)
        assert {answer.status_code for answer in answers} == {200}
        assert sorted(event.type for event in await mailbox.told()) == ["email.opened", "email.unsubscribed"]

    async def test_again_after_having_come_back_counts_again(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        mailbox.clock.advance(timedelta(days=1))
        await mailbox.browser.post(
            mailbox.link(Use.PREFERENCES), data={"choices": "yes", "email.marketing": "on"}
        )
        mailbox.clock.advance(timedelta(days=1))
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        told = [event.type for event in await mailbox.told()]
        assert told == ["email.unsubscribed", "consent.changed", "email.unsubscribed"]
        assert "email_marketing" in (await mailbox.consents())[1]

    async def test_after_a_merge_it_is_the_merged_customer_who_is_not_written_to(
        self, mailbox: Mailbox
    ) -> None:
        whole = "cus_" + "w" * 24
        await mailbox.write("UPDATE deliveries.recipient_parts SET customer_id = :whole", whole=whole)
        await mailbox.write("UPDATE deliveries.recipients SET customer_id = :whole", whole=whole)
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        assert "email_marketing" in (await mailbox.consents())[1]

    async def test_by_a_link_that_is_none_of_ours_changes_nothing(self, mailbox: Mailbox) -> None:
        for path in ("/u/nonsense", "/u/" + mailbox.links.token(Use.PREFERENCES, "m-1"), "/p/nonsense"):
            answer = await mailbox.browser.post(mailbox.links.base + path)
            assert answer.status_code == 404
            assert "not good any more" in answer.text
        assert (await mailbox.consents())[1] == []


class TestWhatIsUnderWay:
    """Until our own event has gone round, older news of the customer come along."""

    OLD: ClassVar[dict[str, Any]] = {"consents": ["email"], "consents_withdrawn": []}

    async def test_older_news_do_not_undo_it(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        await mailbox.outcome(person=self.OLD)
        assert await mailbox.consents() == (["email"], ["email_marketing"])

    async def test_once_it_has_come_back_scoring_is_right(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        (event,) = await mailbox.told()
        back = event_key("regulars", event.id).hex()
        await mailbox.outcome(
            event=back,
            type="email.unsubscribed",
            person={"consents": [], "consents_withdrawn": ["email_marketing"]},
        )
        assert await mailbox.consents() == ([], ["email_marketing"])
        await mailbox.outcome(person=self.OLD)
        assert await mailbox.consents() == (["email"], [])

    async def test_what_was_given_again_at_the_shop_counts(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        mailbox.clock.advance(timedelta(minutes=1))
        given = {"consents": ["email", "email_marketing"], "consents_withdrawn": []}
        await mailbox.outcome(type="consent.changed", person=given)
        assert await mailbox.consents() == (["email", "email_marketing"], [])

    async def test_what_was_given_before_does_not(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(mailbox.link(Use.UNSUBSCRIBE))
        mailbox.clock.advance(timedelta(minutes=-1))
        await mailbox.outcome(type="consent.changed", person=self.OLD)
        assert "email_marketing" in (await mailbox.consents())[1]


class TestPreferences:
    async def test_show_what_the_customer_gets_and_saved_unchanged_change_nothing(
        self, mailbox: Mailbox
    ) -> None:
        page = (await mailbox.browser.get(mailbox.link(Use.PREFERENCES))).text
        assert "What you get from Mug &amp; Shop" in page
        assert 'name="email.marketing" checked' in page
        assert 'name="sms.service" checked' in page
        assert 'name="tracking" checked' in page
        assert "Push" not in page
        boxes = re.findall(r'name="([a-z.]+)" checked', page)
        form = dict.fromkeys(("choices", *boxes), "on")
        assert "Saved." in (await mailbox.browser.post(mailbox.link(Use.PREFERENCES), data=form)).text
        assert await mailbox.told() == []

    async def test_are_saved_and_told_as_consents(self, mailbox: Mailbox) -> None:
        answer = await mailbox.browser.post(
            mailbox.link(Use.PREFERENCES),
            data={
                "choices": "yes",
                "email.service": "on",
                "sms.marketing": "on",
                "sms.service": "on",
                "tracking": "on",
            },
        )
        assert "Saved." in answer.text
        assert 'name="email.marketing">' in answer.text
        assert 'name="email.service" checked' in answer.text
        (event,) = await mailbox.told()
        assert event.type == "consent.changed"
        assert event.data == {"customer": {"consent": {"email_marketing": False}}}
        assert (await mailbox.consents())[1] == ["email_marketing"]

    async def test_end_the_counting(self, mailbox: Mailbox) -> None:
        await mailbox.browser.post(
            mailbox.link(Use.PREFERENCES), data={"choices": "yes", "email.service": "on"}
        )
        assert "tracking" in (await mailbox.consents())[1]

    async def test_of_a_form_that_is_none_nothing_breaks(self, mailbox: Mailbox) -> None:
        for body in (b"\xff\xfe", b"a" * 10_000, b"&".join(b"a%d=1" % n for n in range(500))):
            answer = await mailbox.browser.post(mailbox.link(Use.PREFERENCES), content=body)
            assert answer.status_code in (200, 404)
            assert "Saved" not in answer.text
        assert await mailbox.told() == []
