"""A customer's next events: what each of them makes of the customer, told one by one."""

from collections.abc import Sequence

from msgspec import Struct

from services.scoring.domain.assess import Assessment, assess, score_at
from services.scoring.domain.event import Event, place
from services.scoring.domain.evolve import evolve_in, fold
from services.scoring.domain.membership import crossings
from services.scoring.domain.orders import Order
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.stages import stage_at
from services.scoring.domain.state import State
from shared.contracts.activity import Change


class Step(Struct, frozen=True):
    """One thing that happened: the customer right after it, and what it changed.

    `event` is None when customers became one, or events turned out to be somebody else's. `late`: events with a later
    time were known already, and the customer is seen after all of them.
    """

    event: Event | None
    assessment: Assessment
    changes: list[Change]
    late: bool = False


class Life(Struct):
    """A customer's state and order book with the steps that led there; `book` holds the orders that were needed, and
    `stored` the same as they are stored.

    `rewritten` says that `book` is all there is, and what is stored no longer true: the past became another one.
    """

    state: State
    book: dict[str, Order]
    steps: list[Step]
    stored: dict[str, Order]
    rewritten: bool = False


def is_late(state: State, event: Event) -> bool:
    """Whether the event comes before something that is known already."""
    return state.last_at is not None and (event.at, event.key) < (state.last_at, state.last_key)


def go_on(
    state: State,
    book: dict[str, Order],
    events: Sequence[Event],
    settings: ScoreSettings,
    segments: Sequence[str] = (),
) -> Life:
    """The fast path: `events` are sorted and come after all that is known. `book` holds the orders that they
    name, `segments` is the membership that was told last."""
    life = Life(state, book.copy(), [], book)
    _walk(life, events, settings)
    _tell_crossings(life, segments)
    return life


def begin_again(
    before: State,
    history: Sequence[Event],
    events: Sequence[Event],
    settings: ScoreSettings,
    *,
    disturbed: bool,
    segments: Sequence[str] = (),
) -> Life:
    """Fold everything again, because an event is late, because `history` is another one than the state knew, or because
    an event can only be folded with all before it (`needs_history`).

    `before` is the state as it was, `history` all events known (without `events`, which are sorted). `disturbed`: a
    step without an event tells that the history itself changed. `segments` is the membership that was told last.
    """
    newest = max((place(one) for one in history), default=None)
    late = [one for one in events if newest is not None and place(one) < newest]
    folded = fold([*history, *late], settings)
    rewritten = disturbed or bool(late)
    life = Life(folded.state, folded.book, [], {} if rewritten else folded.book.copy(), rewritten)
    if (late or disturbed) and folded.state.events:
        step = tell(before, folded.state, settings)
        if disturbed:
            life.steps.append(step)
        for one in late:
            changes = step.changes if not life.steps else []
            life.steps.append(Step(one, step.assessment, changes, late=True))
    _walk(life, events[len(late) :], settings)
    _tell_crossings(life, segments)
    return life


def tell(before: State, after: State, settings: ScoreSettings, event: Event | None = None) -> Step:
    """The step from `before` to `after`, both seen at the newest event known, so that time alone changes nothing."""
    assert after.last_at is not None
    moment = after.last_at if before.last_at is None else max(before.last_at, after.last_at)
    assessment = assess(after, moment, settings)
    facts = assessment.facts
    if not before.events:
        return Step(event, assessment, [Change(what="stage", old=None, new=facts.stage)])
    changes = []
    stage = stage_at(before, moment)
    if stage != facts.stage:
        changes.append(Change(what="stage", old=stage, new=facts.stage))
    if before.orders or after.orders:
        score = score_at(before, moment, settings)
        if score != facts.score:
            changes.append(Change(what="score", old=str(score), new=str(facts.score)))
    return Step(event, assessment, changes)


def _walk(life: Life, events: Sequence[Event], settings: ScoreSettings) -> None:
    for event in events:
        before = life.state
        life.state = evolve_in(before, event, life.book, settings)
        life.steps.append(tell(before, life.state, settings, event))


def _tell_crossings(life: Life, told: Sequence[str]) -> None:
    """Add to each step's changes how it leads on from the membership told before it."""
    for step in life.steps:
        present = step.assessment.facts.segments
        if told != present:
            step.changes.extend(one.change for one in crossings(told, present, step.assessment.at))
            told = present
