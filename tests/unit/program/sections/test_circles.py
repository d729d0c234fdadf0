"""Campaigns that could bring about themselves or each other for ever, by way of segments that count messages, too."""

import pytest

from shared.contracts.facts import Facts
from shared.program.conditions.condition import Condition, Scope
from shared.program.describing.describe import describe_campaign
from shared.program.model.campaigns import BRAKE
from shared.program.sections.campaigns.circles import ANSWERED, SENT, TOTALS, WAVERING, counts_messages
from tests.support.fact_changes import changed_by
from tests.unit.program.texts import faults, load, only_fault

HEAD = """templates: {m: {subject: Hello, text: How are you?}}
segments: {silent: "customer.emails_unopened >= 3", rich: "customer.spend > 500", met: "customer.emails_sent >= 3"}
campaigns:
"""
WRITES = "do: [{message: m}]"
LIMITED = "at_most: {times: 1, per: P30D}"


def campaigns(*each: str) -> str:
    """A program with these campaigns."""
    return HEAD + "".join(f"  - {{{one}}}\n" for one in each)


@pytest.mark.parametrize("move", ["segment.entered", "segment.left"])
@pytest.mark.parametrize(
    "when", ["", "when: event.segment == 'silent', ", "when: 'event.segment in [\"silent\"]', "]
)
def test_a_message_on_a_segment_that_counts_messages_is_limited(move: str, when: str) -> None:
    """Given a segment that counts messages; when a campaign writes on its being entered or left, or on any segment's;
    then it is refused, with the place, the segment and the remedy, unless it says how often."""
    fault = only_fault(campaigns(f"id: c, on: {move}, {when}{WRITES}"))
    assert "Segment silent counts messages" in fault.message
    assert "at_most" in fault.hint
    assert (fault.path, fault.line, fault.column) == ("campaigns[0].on", 7, 17)
    assert not faults(campaigns(f"id: c, on: {move}, {when}{WRITES}, {LIMITED}"))


@pytest.mark.parametrize("segment", ["rich", "met"])
def test_segments_that_messages_do_not_lead_back_to_limit_nothing(segment: str) -> None:
    assert not faults(campaigns(f"id: c, on: segment.entered, when: event.segment == '{segment}', {WRITES}"))


def test_what_writes_nothing_may_follow_any_segment() -> None:
    assert not faults(campaigns("id: c, on: segment.entered, do: [{tag: t}, {webhook: crm}, {alert: look}]"))


def test_circles_by_way_of_segments_are_found() -> None:
    """Given a campaign that writes on a tag, and one that tags on a segment which counts messages; then that is a
    circle, and is none once one of them says how often."""
    writes = f"id: a, on: customer.tagged, {WRITES}"
    tags = "id: b, on: segment.entered, when: event.segment == 'silent', do: [{tag: silent}]"

    fault = only_fault(campaigns(writes, tags))

    assert "each other" in fault.message
    assert fault.path == "campaigns[0].on"
    assert not faults(campaigns(writes, f"{tags}, {LIMITED}"))
    assert not faults(campaigns(writes, tags.replace("'silent'", "'rich'")))


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ("customer.emails_unopened == 0 && 'vip' in customer.tags", True),
        ("customer.email_open_rate_30d != null && customer.email_open_rate_30d < 0.1", True),
        ("customer.sms_sent_30d < 4 || customer.spend > 5", True),
        ("customer.emails_sent % 2 == 0", True),
        ("customer.emails_opened * 2 > customer.emails_sent", True),
        ("customer.emails_opened < customer.emails_sent", True),
        ("customer.emails_opened >= 5 && customer.orders > 1", False),
        ("'vip' in customer.tags", False),
        ("customer.spend > customer.spend_12m * 2", False),
    ],
)
def test_which_conditions_count_messages(condition: str, counts: bool) -> None:
    assert counts_messages(Condition.compile(condition, Scope(event=None, nested=True))) is counts


def test_what_messages_change_is_what_scoring_says() -> None:
    """Given every event that messages become; when it is folded; then the facts that change are those that circles are
    looked for by. (Every event is counted, and what follows from all facts cannot be said beforehand: the brake.)"""
    changed = frozenset[str]().union(*map(changed_by, SENT | ANSWERED))

    assert changed == TOTALS | WAVERING
    assert set(Facts.__struct_fields__) >= TOTALS | WAVERING


@pytest.mark.parametrize(
    ("campaign", "braked"),
    [
        (f"on: segment.entered, when: event.segment == 'rich', {WRITES}", True),
        (f"on: stage.changed, {WRITES}", True),
        ("on: stage.changed, do: [{points: 5}]", False),
        (f"on: order.completed, {WRITES}", False),
    ],
)
def test_what_could_go_in_circles_for_reasons_nobody_foresees_has_a_brake(
    campaign: str, braked: bool
) -> None:
    """Given no `at_most`; then a campaign that writes on a change of stage or segment begins three times a day at most,
    and says so."""
    (read,) = load(campaigns(f"id: c, {campaign}")).campaigns

    assert (read.at_most, read.limit) == (None, BRAKE if braked else None)
    assert ("at most 3 times per day" in describe_campaign(read)) is braked
