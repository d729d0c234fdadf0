"""Applies new events to a customer, one step an event: the state after it, and what it changed."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from services.scoring.domain.assess import Assessment, assess, score_at
from services.scoring.domain.event import Event, place
from services.scoring.domain.fold.evolve import evolve_in, fold
from services.scoring.domain.fold.person import person_of, person_told, person_told_late
from services.scoring.domain.lifecycle.stages import begins_at, passages, stage_at
from services.scoring.domain.segments.membership import crossings
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from services.scoring.domain.state.orders import Order
from shared.contracts.activity import Change, Person


class Step(Struct, frozen=True):
    """One thing that happened: the customer right after it, and what it changed.

    `event` is None when customers became one, or events turned out to be somebody else's. `late`: events with a later
    time were known already, and the customer is seen after all of them. `person`: how the customer is reached, if
    that may have changed.
    """

    event: Event | None
    assessment: Assessment
    changes: list[Change]
    late: bool = False
    person: Person | None = None


class Told(Struct, frozen=True):
    """What the activity stream was last told of a customer: the stage, in which segments, and the score. (Without a
    score, the one of the state before counts, as it has become by then.)"""

    stage: str = ""
    segments: list[str] = []
    score: int | None = None


NOTHING_TOLD = Told()


class Life(Struct):
    """A customer after new events."""

    state: State
    book: dict[str, Order]
    """The orders that were needed, as they are now; all orders of the customer if `rewritten`."""
    steps: list[Step]
    """What led to the state, in order."""
    stored: dict[str, Order]
    """The same orders as the database has them."""
    rewritten: bool = False
    """Whether the history itself became another: the stored orders are then replaced by `book`."""


def is_late(state: State, event: Event) -> bool:
    """Whether the event comes before something that is known already."""
    return state.last_at is not None and (event.at, event.key) < (state.last_at, state.last_key)


def go_on(
    state: State,
    book: dict[str, Order],
    events: Sequence[Event],
    settings: ScoreSettings,
    told: Told = NOTHING_TOLD,
) -> Life:
    """The fast path: `events` are sorted and come after all that is known. `book` holds the orders that they name."""
    life = Life(state, book.copy(), [], book)
    _walk(life, events, settings, told)
    _tell_crossings(life, told.segments)
    return life


def begin_again(
    before: State,
    history: Sequence[Event],
    events: Sequence[Event],
    settings: ScoreSettings,
    told: Told = NOTHING_TOLD,
    *,
    disturbed: bool,
) -> Life:
    """Fold everything again, because an event is late, because `history` is another one than the state knew, or
    because an event can only be folded with all before it (`needs_history`).

    `before` is the state as it was, `history` all events known (without `events`, which are sorted). `disturbed`: a
    step without an event tells that the history itself changed.
    """
    newest = max((place(one) for one in history), default=None)
    late = [one for one in events if newest is not None and place(one) < newest]
    folded = fold([*history, *late], settings)
    rewritten = disturbed or bool(late)
    life = Life(folded.state, folded.book, [], {} if rewritten else folded.book.copy(), rewritten)
    since = told
    if (late or disturbed) and folded.state.events:
        step = tell_anew(before, folded.state, settings, told)
        since = _told_by(step)
        if disturbed:
            life.steps.append(replace(step, person=person_of(folded.state)))
        for one in late:
            changes = step.changes if not life.steps else []
            person = person_told_late(before, folded.state, one)
            life.steps.append(Step(one, step.assessment, changes, late=True, person=person))
    _walk(life, events[len(late) :], settings, since)
    _tell_crossings(life, told.segments)
    return life


def tell(before: State, after: State, event: Event, settings: ScoreSettings, told: Told) -> Step:
    """The step from `before` to `after`, by an event after all others known. What time alone has done to the stage
    since `told` and until the event is told with it, each change with its moment."""
    assessment = assess(after, event.at, settings)
    stage = assessment.facts.stage
    if not before.events:
        return Step(event, assessment, [Change(what="stage", old=None, new=stage)])
    changes = []
    was = stage_at(before, event.at)
    if was != told.stage:
        passed = passages(before, told.stage, event.at)
        changes += [Change(what="stage", old=one.old, new=one.new, at=one.at) for one in passed]
    if was != stage:
        changes.append(Change(what="stage", old=was, new=stage))
    changes += _score_changes(before, event.at, assessment, settings, told)
    return Step(event, assessment, changes)


def tell_anew(
    before: State, after: State, settings: ScoreSettings, told: Told, event: Event | None = None
) -> Step:
    """The step between two states of which the second is not simply the first with another event at its end.

    Both are seen at the newest event known. The sweep may have told a later change that time brought: it stands when
    it is still true then, and is taken back when it is not.
    """
    assert after.last_at is not None
    moment = after.last_at if before.last_at is None else max(before.last_at, after.last_at)
    seen_at = begins_at(before, told.stage) if before.events and told.stage != before.stage else None
    if seen_at is not None and (seen_at <= moment or stage_at(after, seen_at) != told.stage):
        seen_at = None
    assessment = assess(after, moment, settings, stage_at=seen_at)
    stage = assessment.facts.stage
    if not before.events:
        return Step(event, assessment, [Change(what="stage", old=None, new=stage)])
    changes = [Change(what="stage", old=told.stage, new=stage)] if told.stage != stage else []
    changes += _score_changes(before, moment, assessment, settings, told)
    return Step(event, assessment, changes)


def _told_by(step: Step) -> Told:
    facts = step.assessment.facts
    return Told(facts.stage, facts.segments, facts.score)


def _score_changes(
    before: State, moment: datetime, assessment: Assessment, settings: ScoreSettings, told: Told
) -> list[Change]:
    old = score_at(before, moment, settings) if told.score is None else told.score
    new = assessment.facts.score
    return [Change(what="score", old=str(old), new=str(new))] if old != new else []


def _walk(life: Life, events: Sequence[Event], settings: ScoreSettings, told: Told) -> None:
    """One step an event. The sweep may have told a stage that begins after an event that only comes now."""
    ahead = life.state.events and told.stage != life.state.stage
    told_at = begins_at(life.state, told.stage) if ahead else None
    for event in events:
        before = life.state
        life.state = evolve_in(before, event, life.book, settings)
        if told_at is not None and event.at < told_at:
            step = tell_anew(before, life.state, settings, told, event)
            if step.assessment.facts.stage != told.stage:
                told_at = None
        else:
            step = tell(before, life.state, event, settings, told)
        told = _told_by(step)
        person = person_told(before, life.state, event)
        life.steps.append(step if person is None else replace(step, person=person))


def _tell_crossings(life: Life, told: Sequence[str]) -> None:
    """Add to each step's changes how it leads on from the membership told before it."""
    for step in life.steps:
        present = step.assessment.facts.segments
        if told != present:
            step.changes.extend(one.change for one in crossings(told, present, step.assessment.at))
            told = present
