"""The sections about customers (head, `segments`, `stages`) and what reaches them (`campaigns`, `messages`)."""

from datetime import time
from decimal import Decimal

import pytest

from shared.contracts.lifecycle import STAGES
from shared.program.parse import load_program
from tests.unit.program.texts import HEAD, faults, load, only_fault

CODE = "\noffers: {code: {gift: pen, valid_for: P1M}}"
TEMPLATE = "\ntemplates: {m: {subject: Hello, text: How are you?}}"


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("USD", "usd", "USD"),
        ("USD", "Dollar", "ISO 4217"),
        ("USD", "XYZ", "ISO 4217"),
        ("USD", "[USD]", ""),
        ("time_zone: UTC", "time_zone: America/NewYork", "America/New_York"),
        ("time_zone: UTC", "time_zone: Mars/Olympus", ""),
        ("time_zone: UTC", "time_zone: ../../etc/passwd", ""),
        ("time_zone: UTC", "time_zone: America", ""),
        ("name: Test", "name: ''", ""),
    ],
)
def test_a_wrong_head_is_refused(old: str, new: str, hint: str) -> None:
    fault = only_fault("", head=HEAD.replace(old, new))
    assert hint in fault.hint


@pytest.mark.parametrize("key", ["name", "currency", "time_zone"])
def test_the_head_must_be_whole(key: str) -> None:
    head = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(key))
    assert f"{key} is missing" in only_fault("", head=head).message


def test_an_unknown_section_is_refused_with_the_nearest_one() -> None:
    fault = only_fault("campaing: []")
    assert (fault.line, fault.column, fault.path) == (4, 1, "campaing")
    assert fault.hint == "Did you mean campaigns?"


@pytest.mark.parametrize(
    ("condition", "said", "column"),
    [
        ("customer.spend", "true or false", 27),
        ("customer.spnd > 5", "no field spnd", 27),
        ("event.total > 5", "no event here", 18),
        ("customer.in_segment('other')", "cannot ask for segments", 27),
        ("customer.stage == 'laps'", "never the value", 33),
        ("customer.orders == 'one'", "compared with text", 34),
        ("customer.orders = 1", "compares nothing", 34),
        ("customer.orders >", "ends too early", 35),
        ("customer.orders < 0", "never be true", 17),
        ("", "has no value|empty", None),
    ],
)
def test_a_wrong_segment_is_refused_at_the_character(condition: str, said: str, column: int | None) -> None:
    fault = only_fault(f'segments: {{vip: "{condition}"}}')
    assert any(part in fault.message for part in said.split("|"))
    assert fault.path == "segments.vip"
    if column is not None:
        assert (fault.line, fault.column) == (4, column)


def test_the_place_inside_a_condition_of_many_lines_is_told_by_character() -> None:
    fault = only_fault("segments:\n  vip: >-\n    customer.orders == 1 &&\n    customer.spnd > 5")
    assert "at character 34 of the condition" in fault.message


@pytest.mark.parametrize(
    ("stages", "path"),
    [
        ("{lapsed_after: P90D, churned_after: P90D}", "stages.churned_after"),
        ("{lapsed_after: P1Y}", "stages.lapsed_after"),
        ("{at_risk_at: 0.5}", "stages.at_risk_at"),
        ("{at_risk_at: often}", "stages.at_risk_at"),
        ("{lapsed_after: P0D}", "stages.lapsed_after"),
        ("{active_orders: 1}", "stages.active_orders"),
        ("{active_orders: 5}", "stages.active_orders"),
        ("{active_orders: 4, loyal_orders: 4}", "stages.loyal_orders"),
        ("{loyal_orders: some}", "stages.loyal_orders"),
        ("{won_back_orders: 1}", "stages.won_back_orders"),
        ("{won_back: 2}", "stages.won_back"),
    ],
)
def test_wrong_stages_are_refused(stages: str, path: str) -> None:
    assert only_fault(f"stages: {stages}").path == path


def test_the_fault_of_a_stage_names_its_place_and_a_hint() -> None:
    fault = only_fault("stages:\n  active_orders: 3\n  loyal_orders: 3")
    assert (fault.line, fault.column) == (6, 17)
    assert fault.hint == "Write such as loyal_orders: 6."


def test_all_thresholds_of_the_stages_are_read() -> None:
    stages = load(
        "stages: {lapsed_after: P2M, churned_after: P1Y, at_risk_at: 2, active_orders: 3, loyal_orders: 9,"
        " won_back_orders: 4}"
    ).stages
    assert (stages.lapsed_after.months, stages.churned_after.months, stages.at_risk_at) == (2, 12, 2)
    assert (stages.active_orders, stages.loyal_orders, stages.won_back_orders) == (3, 9, 4)


@pytest.mark.parametrize("stage", STAGES)
def test_a_condition_may_ask_for_every_stage(stage: str) -> None:
    program = load(
        f"segments: {{s: \"customer.stage == '{stage}'\"}}\n"
        f"campaigns: [{{id: c, on: stage.changed, when: \"event.to == '{stage}'\", do: [{{points: 5}}]}}]"
    )
    assert "s" in program.segments


def test_stages_that_are_not_named_keep_their_defaults() -> None:
    stages = load("stages: {lapsed_after: P30D}").stages
    assert stages.lapsed_after.rest.days == 30
    assert stages.churned_after.rest.days == 180
    assert stages.at_risk_at == Decimal("1.5")


@pytest.mark.parametrize(
    ("campaign", "said", "path"),
    [
        ("{id: c, on: stage.changed}", "do is missing", "campaigns[0]"),
        ("{id: c, on: stage.changed, do: []}", "nothing in do", "campaigns[0].do"),
        ("{id: c, on: stage.changed, do: [{}]}", "gives nothing", "campaigns[0].do[0]"),
        ("{id: c, on: stage.changed, do: [{offer: cod}]}", "no offer cod", "campaigns[0].do[0].offer"),
        ("{id: c, on: stage.changed, do: [{offer: code, points: 1}]}", "both", "campaigns[0].do[0].points"),
        (
            "{id: c, on: stage.changed, do: [{message: Hi there}]}",
            "no template Hi there",
            "campaigns[0].do[0].message",
        ),
        ("{id: c, on: login.missing, do: [{message: m}]}", "after is missing", "campaigns[0]"),
        ("{id: c, on: stage.changed, do: [{message: m}], holdout: 0.1}", "percent", "campaigns[0].holdout"),
        ("{id: c, on: stage.changed, do: [{message: m}], holdout: 100%}", "nobody", "campaigns[0].holdout"),
        ("{id: c, on: stage.changed, do: [{message: m}], holdout: 120%}", "nobody", "campaigns[0].holdout"),
        ("{id: c, on: stage.changed, do: [{message: m}], holdout: -5%}", "percent", "campaigns[0].holdout"),
        (
            "{id: c, on: stage.changed, do: [{message: m}], when: \"event.to == 'lost'\"}",
            "never the value",
            "campaigns[0].when",
        ),
        (
            "{id: c, on: segment.entered, do: [{message: m}], when: \"event.segment == 'vip'\"}",
            "never the value",
            "campaigns[0].when",
        ),
        (
            "{id: c, on: stage.changed, do: [{message: m}], at_most: {times: 1, per: to}}",
            "ISO 8601",
            "campaigns[0].at_most.per",
        ),
        (
            "{id: c, on: stage.changed, do: [{message: m}], success: {on: order.completed}}",
            "within is missing",
            "campaigns[0].success",
        ),
    ],
)
def test_a_wrong_campaign_is_refused(campaign: str, said: str, path: str) -> None:
    fault = only_fault(f"campaigns: [{campaign}]" + CODE + TEMPLATE)
    assert said in fault.message
    assert fault.path == path


def test_conditions_may_name_segments_that_are_defined_further_down() -> None:
    body = "points: {earn: [{id: a, on: review.posted, points: 5, when: \"customer.in_segment('vip')\"}]}\n"
    fault = only_fault(body)
    assert "The program has no segment vip" in fault.message
    assert "saved over the API, write its condition under segments" in fault.hint
    assert not faults(body + "segments: {vip: 'customer.orders > 5'}")


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ("{quiet_hours: late}", "messages.quiet_hours"),
        ("{quiet_hours: '21-8'}", "messages.quiet_hours"),
        ("{quiet_hours: '25:00-08:00'}", "messages.quiet_hours"),
        ("{quiet_hours: '08:00-08:00'}", "messages.quiet_hours"),
        ("{channels: []}", "messages.channels"),
        ("{channels: email}", "messages.channels"),
        ("{channels: [e-mail]}", "messages.channels[0]"),
        ("{channels: [email, email]}", "messages.channels[1]"),
        ("{sms_after_unopened: 5}", "messages.sms_after_unopened"),
        ("{at_most: {times: 2, per: week}}", "messages.at_most.per"),
        ("{consent: optional}", "messages.consent"),
        ("{hold_for_angry_tickets: sometimes}", "messages.hold_for_angry_tickets"),
        ("{service_at_night: sms}", "messages.service_at_night"),
        ("{imprint: ' '}", "messages.imprint"),
        ('{imprint: "a\\u0007b"}', "messages.imprint"),
        (f"{{imprint: {'a' * 1_001}}}", "messages.imprint"),
        ("{imprint: [a, b]}", "messages.imprint"),
        ("{hold_for_angry_ticket: true}", "messages.hold_for_angry_ticket"),
    ],
)
def test_wrong_limits_on_messages_are_refused(messages: str, path: str) -> None:
    assert only_fault(f"messages: {messages}").path == path


def test_an_imprint_may_have_lines() -> None:
    program = load("messages:\n  imprint: |\n    Mugs & more Ltd\n    1 High Street\n")
    assert program.messages.imprint == "Mugs & more Ltd\n1 High Street"


def test_a_template_that_no_channel_takes_is_refused() -> None:
    sms = "templates: {hi: {sms: Hello}}"
    fault = only_fault(sms)
    assert fault.path == "templates.hi"
    assert fault.message == "It is written for sms, and messages go by email."
    assert fault.hint == "Add sms to messages.channels, or write it for email."
    assert load_program(HEAD + f"messages: {{channels: [email, sms]}}\n{sms}\n").templates["hi"].sms


def test_limits_on_messages_have_careful_defaults() -> None:
    messages = load_program(HEAD).messages
    assert (messages.consent, messages.hold_for_angry_tickets) == ("required", True)
    wanted = "{consent: unless_withdrawn, hold_for_angry_tickets: false, channels: [push, email]}"
    messages = load_program(HEAD + f"messages: {wanted}\n").messages
    assert (messages.consent, messages.hold_for_angry_tickets) == ("unless_withdrawn", False)
    assert messages.channels == ("push", "email")


def test_quiet_hours_need_no_quotes() -> None:
    messages = load_program(HEAD + "messages:\n  quiet_hours: 22:30-07:00\n").messages
    assert (messages.quiet_from, messages.quiet_until) == (time(22, 30), time(7))
