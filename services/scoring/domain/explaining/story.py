"""The story of a score: what it is made of, what changed it most lately, and what would raise it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.scoring.domain.assess import Assessment, assess, score_at
from services.scoring.domain.event import Event
from services.scoring.domain.explaining.explain import (
    Evidence,
    ExplainedPart,
    explain,
    weights_of,
    window_start,
)
from services.scoring.domain.explaining.suggest import Suggestion, suggest
from services.scoring.domain.fold.evolve import Folded, evolve_in
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY, State
from shared.contracts.activity import Facts

LATELY = timedelta(days=30)
"""How far back changes are told."""

CHANGES_MAX = 10
"""So many events that moved the score are named, those that moved it most."""


@dataclass(frozen=True, slots=True)
class PartChange:
    """A part that is not what it was: its values, and by how many points it moved the score (its weight considered)."""

    name: str
    old: int | None
    new: int | None
    points: float


@dataclass(frozen=True, slots=True)
class EventChange:
    """An event that moved the score by so many points."""

    event: Evidence
    points: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the score since a moment. `old` is None when the customer was not known then. The points of all
    events and those of `time` alone sum to the difference; `events` names those that moved it most, `parts` all."""

    since: datetime
    old: int | None
    parts: tuple[PartChange, ...]
    events: tuple[EventChange, ...]
    time: int


@dataclass(frozen=True, slots=True)
class Story:
    """The score of a customer at a moment, with its why."""

    assessment: Assessment
    parts: tuple[ExplainedPart, ...]
    changes: Changes
    suggestions: tuple[Suggestion, ...]


def tell_story(events: Sequence[Event], moment: datetime, settings: ScoreSettings) -> Story:
    """The story of the score at `moment`, which is not before the newest of these events (in order, one or more)."""
    since = moment - LATELY
    folded = Folded(EMPTY, {})
    own: dict[str, list[Event]] = {}
    then: Assessment | None = None
    moved: list[EventChange] = []
    for event in events:
        if event.at > since and folded.state.events and then is None:
            then = assess(folded.state, since, settings)
        before = folded.state
        folded.state = evolve_in(before, event, folded.book, settings)
        if settings.plan.own:
            _note_causes(own, before, folded.state, event, settings)
        if event.at > since:
            old = score_at(before, event.at, settings) if before.events else 0
            points = score_at(folded.state, event.at, settings) - old
            if points:
                moved.append(EventChange(Evidence.of(event), points))
    if then is None and events[0].at <= since:
        then = assess(folded.state, since, settings)
    now = assess(folded.state, moment, settings)
    trace = Trace(
        events, folded.state, folded.book, moment, window_start(moment, settings), settings.currency
    )
    return Story(
        now,
        explain(trace, settings, own),
        _changes(since, then, now, moved, settings),
        suggest(folded, moment, settings),
    )


def _note_causes(
    own: dict[str, list[Event]], before: State, after: State, event: Event, settings: ScoreSettings
) -> None:
    """An event stands behind a part of the shop's own when it changed a fact that the formula reads."""
    now = assess(after, event.at, settings).facts
    was = assess(before, event.at, settings).facts if before.events else Facts(currency=now.currency)
    for weighed in settings.plan.own:
        assert weighed.own is not None
        if any(getattr(was, name) != getattr(now, name) for name in weighed.own.value.fields):
            own.setdefault(weighed.name, []).append(event)


def _changes(
    since: datetime,
    then: Assessment | None,
    now: Assessment,
    moved: list[EventChange],
    settings: ScoreSettings,
) -> Changes:
    old = None if then is None else then.facts.score
    return Changes(
        since,
        old,
        _parts_changed(then, now, settings),
        tuple(sorted(moved, key=lambda one: -abs(one.points))[:CHANGES_MAX]),
        now.facts.score - (old or 0) - sum(one.points for one in moved),
    )


def _parts_changed(
    then: Assessment | None, now: Assessment, settings: ScoreSettings
) -> tuple[PartChange, ...]:
    """The parts that moved the score, those first that did most."""
    before, after = _contributions(then, settings), _contributions(now, settings)
    changed = [
        PartChange(name, old, new, round(more - less, 1))
        for name in dict.fromkeys([*after, *before])
        for (old, less), (new, more) in [(before.get(name, (None, 0.0)), after.get(name, (None, 0.0)))]
        if old != new or abs(more - less) >= 0.05
    ]
    return tuple(sorted(changed, key=lambda one: (-abs(one.points), one.name)))


def _contributions(
    assessment: Assessment | None, settings: ScoreSettings
) -> dict[str, tuple[int | None, float]]:
    """Each known part with its value and what it contributes to the score."""
    if assessment is None:
        return {}
    weights = weights_of(assessment.score, settings)
    return {
        weighed.name: (value, value * weights.get(weighed.name, 0.0))
        for weighed, value, _ in assessment.score.measured
    }
