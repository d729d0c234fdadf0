"""The words of messages, from the program's templates."""

import re
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.messages.previewing import preview
from services.deliveries.application.messages.rendering import TemplateRenderer
from services.deliveries.application.ports import Rendered, RenderError
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.links import Links, Use
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.recipients.recipient import Recipient
from shared.program import default_program_text
from shared.program.model.program import Program
from shared.program.parse import load_program
from tests.support.letters import ANA, NOON, STRANGER, StoredPrograms, message, program

LINKS = Links("https://mail.example.com", b"k" * 32)
NO_DATABASE = cast("AsyncConnection", None)
OFFER = {"code": "MISS-1", "name": "10 % off", "valid_until": "2026-12-22T03:00:00Z"}

UNTIL = (
    "  hello: {sms: \"{% if offer %}{{ offer.valid_until|date }}, {{ offer.valid_until|date('weekday') }}"
    " {{ offer.valid_until|date('time') }}{% endif %}\"}\n"
)


async def renderer(*programs: Program, messages: list[Message], tracking: bool = True) -> TemplateRenderer:
    made = TemplateRenderer(StoredPrograms(*programs), LINKS, tracking)
    await made.prepare(NO_DATABASE, messages, NOON)
    return made


async def written(
    templates: str,
    channel: Channel = Channel.EMAIL,
    *,
    to: Recipient = ANA,
    campaigns: str = "",
    tracking: bool = True,
    **fields: Any,
) -> Rendered:
    """The words of a message by the template `hello`."""
    one = message(**fields)
    made = await renderer(program(templates, campaigns), messages=[one], tracking=tracking)
    return made.render(one, to, channel)


HELLO = '  hello: {subject: "Hello {{ customer.first_name or \'friend\' }}", text: "How are you?"}\n'


class TestWords:
    async def test_name_the_customer_or_a_friend(self) -> None:
        assert (await written(HELLO)).subject == "Hello Ana"
        assert (await written(HELLO, to=STRANGER)).subject == "Hello friend"

    async def test_tell_facts_points_tier_offer_and_the_shop(self) -> None:
        template = (
            '  hello: {sms: "{{ customer.orders }} {{ customer.spend|money }} {{ customer.visits }}'
            " {{ points|number }} {{ tier or 'no tier' }} {% if offer %}{{ offer.code }}"
            ' {{ offer.valid_until|date }}{% endif %} {{ shop.name }}"}\n'
        )
        context = {
            "customer": {"orders": 3, "spend": "149.5"},
            "points": 1250,
            "tier": "Gold",
            "offer": OFFER,
        }
        rich = await written(template, Channel.SMS, context=context)
        assert rich.text == "3 $149.50 0 1,250 Gold MISS-1 21 December 2026 Test"
        assert (await written(template, Channel.SMS)).text == "0 $0.00 0 0 no tier  Test"

    async def test_tell_the_event_by_its_types(self) -> None:
        campaigns = "campaigns: [{id: we-miss-you, on: order.completed, do: [{message: hello}]}]\n"
        template = (
            '  hello: {sms: "{% if event.total > 100 %}Wow: {% endif %}{{ event.total|money(event.currency) }}'
            ' on {{ event.time|date }}{% for line in event.lines %}, {{ line.name or line.sku }}{% endfor %}"}\n'
        )
        event = {
            "order_id": "1",
            "currency": "EUR",
            "total": "120.00",
            "lines": [{"sku": "A", "quantity": 1, "unit_price": "1", "name": "Mug"}, {"sku": "B"}],
        }
        got = await written(template, Channel.SMS, campaigns=campaigns, context={"event": event})
        assert got.text == "Wow: €120.00 on 22 November 2026, Mug, B"

    async def test_of_an_event_of_the_shops_own_say_what_there_is(self) -> None:
        campaigns = "campaigns: [{id: we-miss-you, on: x.run, do: [{message: hello}]}]\n"
        template = (
            "  hello: {sms: \"{{ event.km or 'some' }} km"
            "{% if event.shoe %}, {{ event.shoe.name or '?' }}{% endif %}\"}\n"
        )
        event = {"km": 5, "shoe": {"name": "Fast"}}
        assert (await written(template, Channel.SMS, campaigns=campaigns)).text == "some km"
        got = await written(template, Channel.SMS, campaigns=campaigns, context={"event": event})
        assert got.text == "5 km, Fast"

    @pytest.mark.parametrize("purpose", list(Purpose))
    async def test_every_e_mail_ends_with_the_imprint_and_no_sms_does(self, purpose: Purpose) -> None:
        """Given an imprint, set once in the program; then letters of both purposes end with it, and SMS do not."""
        template = '  hello: {subject: Hello, text: Hi, html: "<p>Hi</p>", sms: Hi}\n'
        plain, one = program(template), message(purpose=purpose)
        made = replace(plain, messages=replace(plain.messages, imprint="Mugs & more Ltd"))
        writer = await renderer(made, messages=[one])
        letter = writer.render(one, ANA, Channel.EMAIL)
        assert letter.text.endswith("\nMugs & more Ltd\n")
        assert "Mugs &amp; more Ltd" in letter.html
        assert writer.render(one, ANA, Channel.SMS).text == "Hi"

    async def test_dates_are_those_of_the_customers_own_zone(self) -> None:
        template = "  hello: {sms: \"{{ event.time|date('time') }} {{ event.time|date('weekday') }}\"}\n"
        assert (await written(template, Channel.SMS)).text == "07:00 Sunday"
        assert (await written(template, Channel.SMS, to=STRANGER)).text == "12:00 Sunday"

    async def test_a_code_that_ends_with_a_day_names_that_day_wherever_the_customer_is(self) -> None:
        """Given a code that is good through 21 December in the program's zone, told as the moment after; when it is
        written of, in other zones too; then every letter names the 21st."""
        ends = {"offer": {**OFFER, "valid_until": "2026-12-22T00:00:00Z"}}
        for whom in (ANA, STRANGER):
            made = await written(UNTIL, Channel.SMS, to=whom, context=ends)
            assert made.text == "21 December 2026, Monday 23:59"

    async def test_a_code_that_ends_at_an_hour_names_it_in_the_customers_zone(self) -> None:
        hours = {"offer": OFFER}
        assert (await written(UNTIL, Channel.SMS, context=hours)).text == "21 December 2026, Monday 22:00"
        made = await written(UNTIL, Channel.SMS, to=STRANGER, context=hours)
        assert made.text == "22 December 2026, Tuesday 03:00"

    async def test_lines_that_only_choose_leave_no_empty_lines(self) -> None:
        text = "One\n{% if points %}\nTwo\n{% else %}\n  Three\n{% endif %}\nFour\n"
        lines = "".join(f"      {line}\n" for line in text.splitlines())
        made = await written(f"  hello:\n    subject: Hi\n    text: |\n{lines}")
        assert made.text.startswith("One\n  Three\nFour\n\n-- ")

    async def test_the_persons_contacts_can_be_named(self) -> None:
        template = (
            '  hello: {push: "{{ customer.email or 1 }} {{ customer.phone or 1 }} {{ customer.id or 1 }}"}\n'
        )
        assert (await written(template, Channel.PUSH)).text == "ana@example.com +12125550100 c-42"


class TestMail:
    async def test_has_text_and_a_plain_layout_made_of_it(self) -> None:
        made = await written(HELLO)
        assert made.text.startswith("How are you?\n\n-- \nTest\nUnsubscribe: https://mail.example.com/u/")
        assert "<p style=" in made.html
        assert '<html lang="en-US">' in made.html

    async def test_made_of_html_only_has_a_text_too(self) -> None:
        made = await written('  hello: {subject: Hi, html: "<p>How are <b>you</b>?</p>"}\n')
        assert made.text.startswith("How are you?\n")
        assert "<p>How are <b>you</b>?</p>" in made.html

    async def test_can_be_unsubscribed_from_with_one_click(self) -> None:
        """RFC 8058, section 3.1."""
        made = await written(HELLO)
        assert made.headers == {
            "List-Unsubscribe": f"<{LINKS.make(Use.UNSUBSCRIBE, 'm-1')}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    async def test_of_service_is_no_subscription_but_leads_to_preferences(self) -> None:
        made = await written(HELLO, purpose=Purpose.SERVICE)
        assert made.headers == {}
        assert "/u/" not in made.text + made.html
        assert LINKS.make(Use.PREFERENCES, "m-1") in made.text

    async def test_counts_opens_and_clicks_but_not_ways_out(self) -> None:
        template = "  hello: {subject: Hi, html: \"<a href='https://shop.example.com/'>Shop</a>\"}\n"
        made = await written(template)
        assert f'href="{LINKS.make(Use.CLICK, "m-1", "https://shop.example.com/")}"' in made.html
        assert f'<img src="{LINKS.make(Use.OPEN, "m-1")}"' in made.html
        assert f'href="{LINKS.make(Use.UNSUBSCRIBE, "m-1")}"' in made.html

    @pytest.mark.parametrize("off", ["by the shop", "by the customer"])
    async def test_counts_nothing_where_that_is_turned_off(self, off: str) -> None:
        template = "  hello: {subject: Hi, html: \"<a href='https://shop.example.com/'>Shop</a>\"}\n"
        customer = Recipient(ANA.customer_id, ANA.contacts, withdrawn=frozenset({"tracking"}))
        made = (
            await written(template, tracking=False)
            if off == "by the shop"
            else await written(template, to=customer)
        )
        assert 'href="https://shop.example.com/"' in made.html
        assert "/c/" not in made.html
        assert "<img" not in made.html


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("<>&\"'\r\n\t\x00\u2028{}%"), st.characters()), max_size=40
)


class TestWhatPeopleCallThemselves:
    @given(HOSTILE)
    async def test_makes_no_header_of_its_own(self, name: str) -> None:
        """Given any name; then the subject is one printable line, so no header can follow it."""
        customer = Recipient(ANA.customer_id, ANA.contacts, personal={"first_name": name})
        made = await written(HELLO, to=customer)
        assert made.subject.isprintable()
        assert "\n" not in "".join([made.subject, *made.headers, *made.headers.values()])

    @given(HOSTILE)
    async def test_makes_no_html_of_its_own(self, name: str) -> None:
        """Given any name; then the page has as many tags as with an ordinary one, whether written or laid out."""
        name_here = "{{ customer.first_name or 'x' }}"
        html = f"  hello: {{subject: Hi, html: \"<p title='{name_here}'>{name_here}</p>\"}}\n"
        text = f'  hello: {{subject: Hi, text: "{name_here}!"}}\n'
        customer = Recipient(ANA.customer_id, ANA.contacts, personal={"first_name": name})
        for template in (html, text):
            made, plain = await written(template, to=customer), await written(template)
            assert made.html.count("<") - made.html.count("<br>") == plain.html.count("<")

    async def test_is_no_template_itself(self) -> None:
        customer = Recipient(ANA.customer_id, ANA.contacts, personal={"first_name": "{{ points }}"})
        assert (await written(HELLO, to=customer)).subject == "Hello {{ points }}"


class TestVersions:
    OLD = program(HELLO, version=1)

    async def test_a_slip_that_was_corrected_is_not_sent_on(self) -> None:
        one = message(program_version=1)
        new = program(HELLO.replace("Hello", "Dear"), version=2)
        made = await renderer(self.OLD, new, messages=[one])
        assert made.render(one, ANA, Channel.EMAIL).subject == "Dear Ana"

    async def test_a_template_that_is_gone_is_still_good_for_what_it_was_to_say(self) -> None:
        one = message(program_version=1)
        made = await renderer(self.OLD, program("  other: {sms: x}\n", version=2), messages=[one])
        assert made.channels(one) == {Channel.EMAIL}
        assert made.render(one, ANA, Channel.EMAIL).subject == "Hello Ana"

    async def test_without_any_template_there_is_no_channel(self) -> None:
        one = message(program_version=2, template="nothing")
        made = await renderer(self.OLD, messages=[one])
        assert made.channels(one) == frozenset()
        with pytest.raises(RenderError, match="gone"):
            made.render(one, ANA, Channel.EMAIL)

    async def test_what_cannot_be_written_says_why_and_nothing_personal(self) -> None:
        """Given a program whose campaign gives an offer, and a message without one."""
        campaigns = (
            "offers: {o: {gift: mug, valid_for: P3D}}\n"
            "campaigns: [{id: we-miss-you, on: order.completed, do: [{message: hello}, {offer: o}]}]\n"
        )
        template = "  hello: {sms: \"{{ customer.first_name or 'x' }} {{ offer.code }}\"}\n"
        with pytest.raises(
            RenderError, match=r"template hello of version 1: .* not known .*line 1"
        ) as caught:
            await written(template, Channel.SMS, campaigns=campaigns)
        assert "Ana" not in str(caught.value)

    async def test_a_text_that_is_too_long_is_not_sent(self) -> None:
        template = '  hello: {sms: "{% for tag in customer.tags %}{{ tag }}{% endfor %}"}\n'
        with pytest.raises(RenderError, match="more than 1600 characters"):
            await written(template, Channel.SMS, context={"customer": {"tags": ["a" * 1_000] * 50}})


class TestTheTemplatesThatShip:
    PROGRAM = load_program(default_program_text(), version=1)

    @pytest.mark.parametrize("name", sorted(PROGRAM.templates))
    @pytest.mark.parametrize("to", [ANA, STRANGER], ids=["known", "unknown"])
    def test_read_well_to_anybody(self, name: str, to: Recipient) -> None:
        """Given somebody of whom all is known, or nothing; then each channel can be written, without words that only
        machines use."""
        known = {"customer": {}, "points": 120, "tier": None}
        found = preview(self.PROGRAM, self.PROGRAM.templates[name], to, known, LINKS, NOON)
        assert found.campaign is not None
        for one in found.written:
            assert one.rendered is not None, one.trouble
            words = f"{one.rendered.subject}\n{one.rendered.text}"
            assert not re.search(r"None|\{|\d{4}-\d{2}-\d{2}|\w_\w", re.sub(r"https://\S+", "", words)), words
