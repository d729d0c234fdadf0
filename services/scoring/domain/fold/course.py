"""The stages of a life: every change of stage that a customer's events and the time between them have brought."""

from collections.abc import Iterable
from datetime import datetime

from services.scoring.domain.event import Event, place
from services.scoring.domain.fold.evolve import evolve_in
from services.scoring.domain.lifecycle.stages import Passage, passages, standing_at
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY, State
from services.scoring.domain.state.orders import Order


def course_of(events: Iterable[Event], until: datetime, settings: ScoreSettings) -> list[Passage]:
    """All changes of stage up to `until`, oldest first; the first one is from nothing. `events` are of one customer.

    It is the fold, stopped at each turn: what it says does not depend on the order in which the events arrived.
    """
    state: State = EMPTY
    book: dict[str, Order] = {}
    course: list[Passage] = []
    for event in sorted(events, key=place):
        if event.at > until:
            break
        if event.key == state.last_key:
            continue
        if course:
            course += passages(state, course[-1].new, event.at)
        state = evolve_in(state, event, book, settings)
        stage = standing_at(state, event.at).stage
        if not course:
            course.append(Passage(event.at, None, stage, event.key))
        elif stage != course[-1].new:
            course.append(Passage(event.at, course[-1].new, stage, event.key))
    if course:
        course += passages(state, course[-1].new, until)
    return course
