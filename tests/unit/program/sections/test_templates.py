"""The section `templates`: what may be written, and everything that a marketer is told when it may not."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from shared.program import default_program_text
from shared.program.faults import ProgramFault
from shared.program.parse import load_program
from shared.program.templating.filters import FILTERS
from shared.program.templating.names import OFFER, PERSON, ROOTS, SHOP
from shared.program.templating.template import Markup
from tests.unit.program.texts import faults, load, only_fault

PAUSED = "campaigns: [{id: c, on: subscription.paused, do: [{message: m}]}]\n"
ORDERED = """\
campaigns: [{id: c, on: order.completed, do: [{message: m}, {offer: o}]}]
offers: {o: {gift: mug, valid_for: P3D}}
"""


def template(text: str, campaigns: str = PAUSED) -> tuple[ProgramFault, ...]:
    """The faults of a program with this text in a template that these campaigns send."""
    lines = "\n".join(f"      {line}" for line in text.splitlines())
    return faults(f"{campaigns}templates:\n  m:\n    subject: Hello\n    text: |\n{lines}\n")


class TestWhatIsWritten:
    def test_an_email_an_sms_and_a_push_message(self) -> None:
        program = load("""
            templates:
              hello: {subject: Hello, text: Hello there, html: <p>Hello</p>, sms: Hello!, push: Hi, purpose: service}
            """)
        made = program.templates["hello"]
        assert (made.purpose, made.channels) == ("service", {"email", "sms", "push"})
        assert made.text is not None
        assert made.html is not None
        assert (made.text.markup, made.html.markup) == (Markup.TEXT, Markup.HTML)

    def test_left_out_it_is_marketing(self) -> None:
        assert (
            load("templates: {hello: {subject: Hello, text: Hello!}}").templates["hello"].purpose
            == "marketing"
        )

    def test_the_default_program_has_a_template_for_each_message_that_it_sends(self) -> None:
        program = load_program(default_program_text())
        sent = {action.message for campaign in program.campaigns for action in campaign.do if action.message}
        assert sent
        assert sent <= set(program.templates)

    @pytest.mark.parametrize(
        ("body", "said", "hint"),
        [
            ("{}", "says nothing", "Add subject and text"),
            ("{subject: Hello}", "says nothing", "Add subject and text"),
            ("{text: Hello}", "subject is missing", "E-mails have one"),
            ("{subject: Hello, sms: Hello}", "no e-mail", "Add text, or html"),
            ('{subject: "a\\nb", text: Hello}', "on one line", "in quotes"),
            ("{sms: Hello, purpose: adverts}", "no purpose adverts", "marketing, service"),
            ("{subject: Hello, txt: Hello}", "no key txt", "Did you mean text?"),
            ("{sms: ' '}", "1 to 1000 characters", ""),
        ],
    )
    def test_what_is_no_template(self, body: str, said: str, hint: str) -> None:
        found = faults(f"templates: {{hello: {body}}}")
        assert said in found[0].message
        assert hint in found[0].hint


class TestNames:
    @pytest.mark.parametrize(
        "text",
        [
            "{{ customer.first_name or 'friend' }}",
            "{{ customer.first_name|default('friend')|upper }}",
            "{% if customer.first_name %}{{ customer.first_name }}{% endif %}",
            "{{ customer.first_name if customer.first_name else 'friend' }}",
            "{% if customer.nps and customer.nps >= 9 %}Thank you!{% endif %}",
            "{{ customer.orders }} {{ customer.spend|money }} {{ customer.tags|join(' and ') }}",
            "{{ customer.attributes.plan or 'none' }} {{ customer['orders'] }}",
            "{% for tag in customer.tags %}{{ loop.index }}. {{ tag }}{% else %}none{% endfor %}",
            "{{ event.plan or 'yours' }} {{ event.time|date('weekday') }}",
            "{{ shop.name }} {{ points + 10 }} {{ unsubscribe_url }} {{ preferences_url }}",
            "{{ customer.spend / customer.orders if customer.orders else 0 }}",
        ],
    )
    def test_what_can_be_written(self, text: str) -> None:
        assert not template(text)

    def test_an_order_and_its_offer(self) -> None:
        text = "{{ event.total|money }}: {% for line in event.lines %}{{ line.name or line.sku }}{% endfor %}"
        assert not template(text + " {{ offer.code }} until {{ offer.valid_until|date }}", ORDERED)

    @pytest.mark.parametrize(
        ("text", "said", "hint"),
        [
            ("{{ customer.frist_name or 'you' }}", "no field frist_name", "Did you mean first_name?"),
            ("{{ first_name or 'you' }}", "nothing called first_name", "customer.first_name"),
            ("{{ custmer.orders }}", "nothing called custmer", "Did you mean customer?"),
            ("{{ event.plna or 'it' }}", "event has no field plna", "Did you mean plan?"),
            ("{{ event.reason or 'it' }}", "event.reason is personal", "Leave it out"),
            ("{{ customer }}", "holds several values", "Name one of them"),
            ("{{ customer.orders.many }}", "has no fields", "Write customer.orders"),
            ("{{ customer.first_name }}", "not known of everybody", "{{ customer.first_name or '…' }}"),
            ("{{ customer.first_name|upper }}", "not known of everybody", "customer.first_name or"),
            ("{{ 'Dear ' ~ customer.first_name }}", "not known of everybody", "customer.first_name or"),
            ("{% if customer.nps > 8 %}!{% endif %}", "customer.nps is not known of everybody", "or '…'"),
            ("{{ offer.code }}", "No offer goes with this message: campaign c", "Add {offer: …}"),
            ("{{ customer.tags|frist }}", "no filter frist", "Did you mean first?"),
            ("{% if points is devisibleby %}{% endif %}", "no test devisibleby", "Known here"),
            ("{{ points if points }}", "otherwise", "Add else"),
            ("{{ customer.first_name", "no template", "Each {{ needs its }}"),
            ("{% if points %}", "no template", "Close it"),
            ("{{ points + customer.stage }}", "could not be written", ""),
            ("{{ customer.spend / customer.orders }}", "divided by zero", ""),
        ],
    )
    def test_what_is_refused(self, text: str, said: str, hint: str) -> None:
        found = template(text)
        assert len(found) == 1, found
        assert said in found[0].message
        assert hint in found[0].hint

    def test_what_only_some_of_its_campaigns_tell_may_be_missing(self) -> None:
        both = PAUSED.replace("]}]", "]}, {id: d, on: order.completed, do: [{message: m}]}]")
        assert "not known of everybody" in template("{{ event.total }}", both)[0].message
        assert not template("{{ event.total or 'it' }}", both)

    def test_an_offer_that_only_some_of_its_campaigns_give_may_be_missing(self) -> None:
        both = ORDERED.replace("]}]", "]}, {id: d, on: order.completed, do: [{message: m}]}]")
        assert "not known of everybody" in template("{{ offer.code }}", both)[0].message
        assert not template("{% if offer %}{{ offer.code }}{% endif %}", both)

    def test_an_event_of_the_shops_own_may_tell_anything(self) -> None:
        own = PAUSED.replace("subscription.paused", "x.workout.finished")
        assert not template("{{ event.minutes or 'many' }}", own)
        assert "not known of everybody" in template("{{ event.minutes }}", own)[0].message


class TestPlaces:
    def test_of_a_block_the_line_and_the_column(self) -> None:
        body = dedent("""
            templates:
              hello:
                subject: Hello
                text: |

                  Dear customer,

                  you have {{ point }} points.
            """)
        fault = only_fault(body)
        assert (fault.line, fault.column, fault.path) == (11, 19, "templates.hello.text")

    def test_of_a_text_in_quotes(self) -> None:
        fault = only_fault('templates:\n  hello: {sms: "Hello {{ points }} {{ customer.ordrs }}"}')
        assert (fault.line, fault.column) == (5, 39)

    def test_all_slips_at_once(self) -> None:
        found = template("{{ a }}\n{{ b }}\n{% set c = 1 %}")
        assert [fault.line for fault in found] == [9, 10, 11]


class TestDangers:
    @pytest.mark.parametrize(
        "text",
        [
            "{{ ''.__class__.__mro__ }}",
            "{{ customer.__class__ }}",
            "{{ customer['__init__'] }}",
            "{{ self }}",
            "{{ range(10) }}",
            "{{ lipsum() }}",
            "{{ cycler('a') }}",
            "{{ customer.stage.upper() }}",
            "{{ 'a{0.__class__}'.format(points) }}",
            "{{ points|attr('__class__') }}",
            "{{ customer.stage|safe }}",
            "{{ customer.tags|map('upper')|list }}",
            "{{ 9 ** 9 ** 9 }}",
            "{{ 'a' * 1000000000 }}",
            "{{ '%1000000000d' % points }}",
            "{{ customer.stage|center(1000000000) }}",
            "{% set a = 1 %}",
            "{% for a in customer.tags %}{% for b in customer.tags %}{% endfor %}{% endfor %}",
            "{% for a in range(1000000000) %}x{% endfor %}",
            "{% for a, b in customer.attributes.items() %}x{% endfor %}",
            "{% for a in customer.tags recursive %}{{ loop(a) }}{% endfor %}",
            "{% for a in customer.tags if a %}{% endfor %}",
            "{% macro a() %}{{ a() }}{% endmacro %}",
            "{% include 'x' %}",
            "{% import 'x' as y %}",
            "{% extends 'x' %}",
            "{% block x %}{% endblock %}",
            "{% filter upper %}{% endfilter %}",
            "{% call x() %}{% endcall %}",
            "{% with a = 1 %}{% endwith %}",
            "{% autoescape false %}{% endautoescape %}",
            "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
            "{{ " + "not " * 400 + "1 }}",
            "{% if 1 %}" * 60 + "{% endif %}" * 60,
            "{{ {'a': 1} }}",
            "{{ customer.tags[0:2] }}",
            "{{ " + "9" * 5_000 + " }}",
        ],
    )
    def test_what_could_run_away_or_reach_inside_is_refused(self, text: str) -> None:
        assert template(text)


class TestTheGuide:
    """`docs/templates.md` is true."""

    GUIDE = (Path(__file__).parents[4] / "docs" / "templates.md").read_text(encoding="utf-8")

    def test_names_every_filter_and_none_that_there_is_not(self) -> None:
        part = self.GUIDE.split("## Filters", 1)[1].split("\n## ", 1)[0]
        rows = re.findall(r"^\| (`.*?) \| ", part, re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"`(\w+)", row)}
        assert named == set(FILTERS)

    def test_names_all_that_a_template_may_name(self) -> None:
        part = self.GUIDE.split("## What a template may name", 1)[1].split("\n## ", 1)[0]
        for name in (*ROOTS, *PERSON, *OFFER, *SHOP):
            assert re.search(rf"\b{name}\b", part), name
