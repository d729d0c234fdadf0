"""Occasions in a program: which silences there are to wait for, who may, and what the guide shows."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.scoring.domain.settings import ScoreSettings
from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionContext, Scope
from shared.program.vocabulary.fields import event_fields
from shared.program.vocabulary.occasions import SHORT, WATCHED, awaited
from tests.unit.program.texts import load, only_fault

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "occasions.md"
TEMPLATE = "templates: {m: {subject: Hello, text: How are you?}}\n"


def campaign(on: str) -> str:
    """A program with one campaign on that."""
    return f"{TEMPLATE}campaigns: [{{id: c, on: {on}, after: P3D, do: [{{message: m}}]}}]\n"


@pytest.mark.parametrize("type_", sorted(WATCHED))
def test_what_customers_do_again_and_again_can_be_missed(type_: str) -> None:
    (one,) = load(campaign(f"{type_}.missing")).campaigns

    assert awaited(one.on) == type_


def test_short_names_stand_for_what_can_be_missed() -> None:
    assert set(SHORT.values()) <= WATCHED


@pytest.mark.parametrize("type_", ["order.refunded", "consent.changed", "email.unsubscribed"])
def test_what_nobody_does_again_and_again_is_not_missed(type_: str) -> None:
    fault = only_fault(campaign(f"{type_}.missing"))

    assert fault.message == f"The absence of {type_} is not noticed."
    assert "login.recorded.missing" in fault.hint


@pytest.mark.parametrize("type_", ["login.missing", "order.missing", "ticket.unanswered", "renewal.due"])
def test_only_campaigns_wait(type_: str) -> None:
    """Given a rule that gives points on silence, of which nobody says how long; when it is read; then it is refused."""
    fault = only_fault(f"points: {{expire_after: P1Y, earn: [{{id: e, on: {type_}, points: 1}}]}}\n")

    assert fault.message == f"Only campaigns begin on {type_}."


def test_scoring_waits_for_what_the_campaigns_name_each_length_once() -> None:
    """Given campaigns on the same silence, two of the same length; when scoring takes its settings from the program;
    then it waits for each length once, and for nothing of other campaigns."""
    program = load(
        TEMPLATE
        + """campaigns:
  - {id: a, on: login.missing, after: P14D, do: [{message: m}]}
  - {id: b, on: login.missing, after: P2W, when: "customer.logins > 3", do: [{message: m}]}
  - {id: c, on: login.missing, after: P1M, do: [{message: m}]}
  - {id: d, on: renewal.due, before: P30D, do: [{message: m}]}
  - {id: e, on: order.completed, after: P3D, do: [{message: m}]}
"""
    )

    watch = ScoreSettings.of(program).watch

    assert [one.name for one in watch.occasions] == [
        "login.missing P14D",
        "login.missing P1M",
        "renewal.due P30D",
    ]


def test_a_condition_may_ask_since_when() -> None:
    """Given a condition over a silence's own fields; when the silence is one; then it holds."""
    scope = Scope(event=event_fields("product.used.missing"))
    rule = Condition.compile("event.days >= 7 && event.since < timestamp('2026-02-01T00:00:00Z')", scope)
    told = {"days": 7, "since": "2026-01-10T00:00:00+00:00", "after": "P7D"}
    event = {**told, "type": "product.used.missing", "time": datetime(2026, 1, 17, tzinfo=UTC)}

    assert ConditionContext(Facts(currency="USD"), event).holds(rule)


def test_the_guides_example_loads() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    named = re.findall(r"message: ([a-z-]+)", example)
    templates = "".join(f"  {name}: {{subject: Hello, text: Hello}}\n" for name in named)

    assert len(load(f"templates:\n{templates}{example}").campaigns) == 5
