"""Why the score is what it is: each part with its value, its weight, the facts that gave it, the events behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.scoring.domain.assess import assess, view_at
from services.scoring.domain.event import Event
from services.scoring.domain.score.parts.part import FactValue, Sign
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.score.plan import Weighed
from services.scoring.domain.score.weighing import Score, shared_out
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state.days import WINDOW_DAYS
from shared.contracts.activity import Facts
from shared.program.model.score import BEHAVIOURAL, EMOTIONAL
from shared.program.values.calendar import midnight

EVIDENCE_MAX = 50
"""The most events named behind one part: the newest ones."""

UNKNOWN = "Nothing is known yet, so it does not count."
ONLY_LIFTS = "It counts only where it is above the mean of the others: good news never lowers the score."
ONLY_LOWERS = "It counts only where it is below the mean of the others: bad news never raises the score."


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that a part of the score rests on; `order_id` when it tells of an order."""

    event_key: str
    type: str
    at: datetime
    order_id: str | None = None

    @classmethod
    def of(cls, event: Event) -> "Evidence":
        """The reference to an event."""
        order_id = event.record.data.get("order_id")
        return cls(event.key, event.record.type, event.at, order_id if isinstance(order_id, str) else None)


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """One part: its `value` of 0 to 100 (None when nothing is known), the `weight` of 0 to 1 with which it counts for
    this customer (the score is the sum of value times weight), the one that the program gives it, why it does not count
    if so, the facts in the formula, and the events behind them, newest first."""

    name: str
    half: str
    value: int | None
    weight: float
    program_weight: int
    note: str | None
    facts: dict[str, FactValue]
    events: tuple[Evidence, ...]


def explain(
    trace: Trace, settings: ScoreSettings, own: Mapping[str, Sequence[Event]]
) -> tuple[ExplainedPart, ...]:
    """All parts that have a weight, as they stand after the events of `trace`, at its moment. `own` names the events
    behind each part of the shop's own."""
    assessment = assess(trace.state, trace.at, settings)
    view = view_at(trace.state, trace.at, settings)
    values = {weighed.name: value for weighed, value, _ in assessment.score.measured}
    weights = weights_of(assessment.score, settings)
    return tuple(
        ExplainedPart(
            name=one.name,
            half=half_of(one),
            value=values.get(one.name),
            weight=weights.get(one.name, 0.0),
            program_weight=one.weight // 1000,
            note=_note(one, values.get(one.name), weights.get(one.name, 0.0)),
            facts=one.part.facts(view) if one.part is not None else _own_facts(one, assessment.facts),
            events=_newest(one.part.behind(trace) if one.part is not None else own.get(one.name, ())),
        )
        for one in settings.plan.parts
    )


def weights_of(score: Score, settings: ScoreSettings) -> dict[str, float]:
    """The weight of each known part, 0 to 1; they sum to 1, unless no two-sided part is known."""
    shared, total = shared_out(score.measured, settings.plan.one_way)
    return {one.name: weight / total for one, _, weight in shared} if total else {}


def half_of(weighed: Weighed) -> str:
    """The name of the half that a part belongs to."""
    return BEHAVIOURAL if weighed.behavioural else EMOTIONAL


def window_start(moment: datetime, settings: ScoreSettings) -> datetime:
    """The first instant of the 365 days that end with the day of `moment` in the program's zone."""
    today = moment.astimezone(settings.zone).date()
    return midnight(today - timedelta(days=WINDOW_DAYS - 1), settings.zone)


def _note(weighed: Weighed, value: int | None, weight: float) -> str | None:
    if value is None:
        return UNKNOWN
    if weight or weighed.sign is Sign.BOTH:
        return None
    return ONLY_LIFTS if weighed.sign is Sign.LIFTS else ONLY_LOWERS


def _own_facts(weighed: Weighed, facts: Facts) -> dict[str, FactValue]:
    """The facts that a formula of the shop's own reads."""
    assert weighed.own is not None
    found: dict[str, FactValue] = {"formula": weighed.own.value.source}
    for name in weighed.own.value.fields:
        value = getattr(facts, name, None)
        found[name] = value if isinstance(value, str | int | float | datetime | None) else str(value)
    return found


def _newest(events: Iterable[Event]) -> tuple[Evidence, ...]:
    named = sorted(events, key=lambda event: (event.at, event.key), reverse=True)
    return tuple(Evidence.of(event) for event in named[:EVIDENCE_MAX])
