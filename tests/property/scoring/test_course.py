"""The course of a life: a chain of the table's transitions, the same for any order of arrival and any sweeps."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.event import place
from services.scoring.domain.fold.advance import Told, go_on
from services.scoring.domain.fold.course import course_of
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.lifecycle.stages import passages, standing_at
from services.scoring.domain.lifecycle.transitions import TRANSITIONS, By
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import EMPTY
from shared.program.model.program import Stages
from shared.program.values.period import Period
from tests.property.scoring.test_fold import lives
from tests.support.life import NEW_YORK, moment
from tests.support.life import SETTINGS as USUAL

QUICK = ScoreSettings.by_stages(
    Stages(Period.parse("P2M"), Period.parse("P100D"), Decimal(2), loyal_orders=3, won_back_orders=3),
    "USD",
    NEW_YORK,
)
SETTINGS = st.sampled_from([USUAL, QUICK])


@given(lives(), SETTINGS, st.integers(0, 48 * 400))
def test_the_course_of_a_life_is_a_chain_of_transitions_that_ends_at_the_present(life, settings, half_hours):
    state = fold(life, settings).state
    now = state.last_at + timedelta(minutes=30 * half_hours)

    course = course_of(life, now, settings)

    allowed = {(old, row.target) for row in TRANSITIONS for old in row.sources}
    first, *rest = course
    assert (first.at, first.old, first.cause) == (state.first_at, None, min(life, key=place).key)
    assert [one.at for one in course] == sorted(one.at for one in course)
    for before, one in pairwise(course):
        assert (before.new == one.old, one.old != one.new) == (True, True)
        assert (one.old, one.new) in allowed
    by_time = {(old, row.target) for row in TRANSITIONS if row.by is By.TIME for old in row.sources}
    assert all(one.cause or (one.old, one.new) in by_time for one in rest)
    present = standing_at(state, now)
    assert (course[-1].new, course[-1].at, course[-1].cause) == (present.stage, present.since, present.cause)


@given(lives(), SETTINGS, st.randoms(use_true_random=False))
def test_the_course_does_not_depend_on_the_order_of_arrival_and_at_is_its_beginning(life, settings, random):
    end = max(life, key=place).at + timedelta(days=400)
    course = course_of(life, end, settings)
    arrivals = life + random.choices(life, k=len(life))
    random.shuffle(arrivals)

    assert course_of(arrivals, end, settings) == course
    for turn in course:
        assert course_of(arrivals, turn.at, settings) == [one for one in course if one.at <= turn.at]


@given(lives(), SETTINGS, st.lists(st.integers(0, 48 * 1000), max_size=6))
def test_what_is_told_in_time_is_the_course_whenever_the_sweeps_come(life, settings, sweeps):
    """Events come in order, sweeps come at any moments between: all changes told, in the order told, are the course."""
    ordered = sorted({one.key: one for one in life}.values(), key=place)
    end = ordered[-1].at + timedelta(days=400)
    moments = sorted(moment(minutes=30 * at) for at in sweeps)
    state, book, stage, told = EMPTY, {}, "", []

    def sweep(until):
        nonlocal stage
        for one in passages(state, stage, until):
            told.append((one.at, one.old, one.new))
            stage = one.new

    for event in ordered:
        while moments and moments[0] < event.at:
            at = moments.pop(0)
            if state.events and at >= state.last_at:
                sweep(at)
        step_life = go_on(state, book, [event], settings, Told(stage))
        state, book = step_life.state, step_life.book
        (step,) = step_life.steps
        told += [(one.at or event.at, one.old, one.new) for one in step.changes if one.what == "stage"]
        stage = step.assessment.facts.stage
    sweep(end)

    assert told == [(one.at, one.old, one.new) for one in course_of(life, end, settings)]
