"""Entering and leaving alternate, whatever comes in whatever order, and lead to what is stored."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.event import Event, place
from services.scoring.domain.fold.advance import NOTHING_TOLD, Told, begin_again, go_on, is_late
from services.scoring.domain.fold.evolve import fold, needs_history
from services.scoring.domain.segments.membership import began_at, crossings
from services.scoring.domain.settings import ScoreSettings
from shared.program import default_program_text
from shared.program.parse import load_program
from tests.support.life import NEW_YORK, cancellation, moment, order, refund

SHIPPED = ScoreSettings.of(load_program(default_program_text()))
NAMES = st.lists(st.sampled_from("abcdef"), unique=True)
DAYS = st.integers(0, 120)
EVENTS = (
    st.builds(lambda day, n: order(moment(day), str(n), "260"), DAYS, st.integers(0, 9))
    | st.builds(lambda day, n: refund(moment(day), str(n), f"r{n}", "100"), DAYS, st.integers(0, 9))
    | st.builds(lambda day, n: cancellation(moment(day), str(n)), DAYS, st.integers(0, 9))
)


@given(told=NAMES, present=NAMES)
def test_crossings_lead_from_what_was_told_to_what_is(told: list[str], present: list[str]) -> None:
    inside = set(told)
    for one in crossings(told, present, moment()):
        assert (one.segment in inside) is not one.entered
        inside ^= {one.segment}
    assert inside == set(present)


@settings(max_examples=150)
@given(batches=st.lists(st.lists(EVENTS, min_size=1, max_size=4), min_size=1, max_size=5))
def test_what_events_tell_adds_up_to_the_membership(batches: list[list[Event]]) -> None:
    known: dict[str, Event] = {}
    state, told, inside = fold([], SHIPPED).state, NOTHING_TOLD, set[str]()
    for batch in batches:
        new = sorted({one.key: one for one in batch if one.key not in known}.values(), key=place)
        if not new:
            continue
        history = sorted(known.values(), key=place)
        if is_late(state, new[0]) or any(needs_history(one.record.type) for one in new):
            life = begin_again(state, history, new, SHIPPED, told, disturbed=False)
        else:
            life = go_on(state, dict(fold(history, SHIPPED).book), new, SHIPPED, told)
        for step in life.steps:
            for change in (one for one in step.changes if one.what == "segment"):
                name = change.new or change.old
                assert name is not None
                assert (name in inside) is (change.new is None)
                inside ^= {name}
        known |= {one.key: one for one in new}
        facts = life.steps[-1].assessment.facts
        state, told = life.state, Told(facts.stage, facts.segments)
        assert inside == set(told.segments)


@given(back=st.integers(0, 200), more=st.integers(0, 86_000))
def test_what_time_brought_is_dated_with_its_day(back: int, more: int) -> None:
    now = moment(300, seconds=more)
    turned = now - timedelta(days=back)
    began = began_at(lambda at: at >= turned, moment(-100), now, NEW_YORK)
    assert turned <= began <= now
    assert began - turned <= timedelta(days=1, hours=1) or began == now
