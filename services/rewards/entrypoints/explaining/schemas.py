"""What `…/explain` answers: a sentence, and all behind it as data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from pydantic import BaseModel, Field

from services.rewards.domain.explaining.verdict_words import verdict_sentence
from services.rewards.domain.explaining.verdicts import Verdict
from services.rewards.domain.skips import Why
from services.rewards.domain.spending.refused import Asked
from services.rewards.entrypoints.customers import EntryView, OfferView
from shared.contracts.activity import Activity
from shared.program.conditions.trace import Join, Trace
from shared.program.model.program import Program


class Event(BaseModel):
    """The event behind it, as its sender named it."""

    source: str
    id: str
    type: str
    time: datetime


class LotView(BaseModel):
    """A lot that the cause touched, as it is now."""

    lot: str
    points: int
    remaining: int
    expired: int
    expires_at: datetime | None
    moved: int = Field(description="Points of this lot that this cause moved, from one account to another.")
    rules: list[str] = Field(description="The rules that filled it.")
    order_id: str | None = Field(description="The order whose points it holds.")


class SeenView(BaseModel):
    """A field that a condition asks for, or a side of it that is computed, and its value then; null: not known."""

    field: str
    value: Any


class ConditionView(BaseModel):
    """A condition, or a part of one, and its answer then. `holds` null: something that decides was not known, which
    counts as false. `join` says how the `parts` make it."""

    text: str
    holds: bool | None
    join: Join | None
    parts: list["ConditionView"]
    seen: list[SeenView]


class RuleView(BaseModel):
    """What one rule made of the event. `why` is null where it gave what it gives."""

    rule: str
    sentence: str
    why: Why | None
    rule_description: str | None
    rule_text: str | None
    points: int
    offers: list[str] = Field(description="Codes that it gave.")
    ledger_entries: list[str] = Field(description="Ids of the entries that posted its points.")
    condition: ConditionView | None = Field(description="Its condition on the facts right after the event.")
    figures: dict[str, Any] = Field(
        description="What stood in its way, such as the times it had given before."
    )


class RefusalView(BaseModel):
    """What a request to the checkout was refused, and what the customer had right after it."""

    request_id: str
    at: datetime
    what: Asked
    code: str
    detail: str
    asked: dict[str, Any] = Field(description="What the request named: points, reward, code, order.")
    figures: dict[str, Any] = Field(description="What the answer told beside its words.")
    available: int
    pending: int
    reserved: int
    tier: str | None


class Explanation(BaseModel):
    """Why: a sentence, the rule as its program version has it, the event, the facts at that moment.

    `rule_description` says the rule in plain words; `rule_text` is what the program's file states. `rules` is there for
    an event: what each rule that waits for such events made of it, or the one that was asked about. `lots` has
    200 at most, those that expire first, of the `lots_in_all` that were touched.
    """

    sentence: str
    rule: str | None = None
    rule_description: str | None = None
    rule_text: str | None = None
    program_version: int | None = None
    event: Event | None = None
    facts: dict[str, Any] | None = None
    cause: str | None = None
    ledger_entry: EntryView | None = None
    offer: OfferView | None = None
    tier: dict[str, Any] | None = None
    lots: list[LotView] = []
    lots_in_all: int = 0
    rules: list[RuleView] | None = None
    refusal: RefusalView | None = None


def event_view(activity: Activity) -> Event:
    """The event as its sender named it."""
    return Event(source=activity.source, id=activity.event_id, type=activity.type, time=activity.time)


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them, money as decimal strings."""
    shown: dict[str, Any] = to_builtins(dict(values))
    return shown


def condition_view(found: Trace) -> ConditionView:
    """A trace as the API shows it."""
    return ConditionView(
        text=found.text,
        holds=found.holds,
        join=found.join,
        parts=[condition_view(part) for part in found.parts],
        seen=[SeenView(**plain({"field": seen.field, "value": seen.value})) for seen in found.seen],
    )


def rule_view(
    verdict: Verdict, activity: Activity, program: Program, words: tuple[str | None, str | None]
) -> RuleView:
    """A verdict as the API shows it; `words` are the rule's description and its text in the file."""
    return RuleView(
        rule=verdict.id,
        sentence=verdict_sentence(verdict, activity, program),
        why=verdict.why,
        rule_description=words[0],
        rule_text=words[1],
        points=verdict.given.points,
        offers=list(verdict.given.offers),
        ledger_entries=list(verdict.given.entries),
        condition=condition_view(verdict.condition) if verdict.condition is not None else None,
        figures=plain(verdict.figures),
    )
