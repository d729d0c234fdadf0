"""A look at a customer: what it tells, and when it comes again."""

from datetime import timedelta

from services.scoring.domain.due.occasions import SETTLED, Occasion, Watch, look, to_look_at
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import EMPTY
from shared.program.values.period import Period
from tests.support.life import SETTINGS, event, moment, order

LOGIN = Occasion("login.missing", Period.parse("P14D"))
WATCH = Watch((LOGIN,), SETTINGS.zone)
SINCE = {LOGIN.name: moment(0)}


def test_a_silence_that_was_told_is_looked_at_once_more_an_hour_later_and_then_no_more() -> None:
    """Given a silence; when somebody looks before, at and after its moment; then the next look is at the moment, then
    an hour after it, for whatever a transaction under way had not shown yet, and then there is none."""
    state = fold([event("login.recorded", moment(1), {})], SETTINGS).state

    early = look(state, WATCH, (), SINCE, moment(5))
    due = look(state, WATCH, early.marks, SINCE, moment(15))
    settled = look(state, WATCH, due.marks, SINCE, moment(15) + SETTLED)

    assert (early.told, early.next_at) == ([], moment(15))
    assert ([one.at for one in due.told], due.next_at) == ([moment(15)], moment(15) + SETTLED)
    assert (settled.told, settled.next_at, settled.marks) == ([], None, due.marks)


def test_a_silence_that_a_clock_ahead_has_told_is_not_told_at_its_moment_but_looked_at_then() -> None:
    """Given a silence that was told days too early, by a clock that was ahead; when somebody looks once it is put back;
    then it is looked at again at its moment, and not told once more; whatever silence followed it is."""
    state = fold([event("login.recorded", moment(1), {})], SETTINGS).state
    ahead = look(state, WATCH, (), SINCE, moment(30))
    assert ([one.at for one in ahead.told], ahead.next_at) == ([moment(15)], None)

    back = look(state, WATCH, ahead.marks, SINCE, moment(5))
    assert (back.told, back.next_at, back.marks) == ([], moment(15), ahead.marks)

    same = look(state, WATCH, back.marks, SINCE, moment(15))
    assert (same.told, same.next_at) == ([], moment(15) + SETTLED)
    again = fold([event("login.recorded", moment(day), {}) for day in (1, 6)], SETTINGS).state
    broken = look(again, WATCH, back.marks, SINCE, moment(15))
    assert (broken.told, broken.next_at) == ([], moment(20))
    assert [one.at for one in look(again, WATCH, broken.marks, SINCE, moment(20)).told] == [moment(20)]


def test_an_occasion_that_is_not_introduced_yet_leaves_no_trace() -> None:
    """Given a silence of which nobody knows since when it is told; when somebody looks; then it is neither told nor
    marked as told, and the look that introduces it tells it."""
    state = fold([event("login.recorded", moment(1), {})], SETTINGS).state

    before = look(state, WATCH, (), {}, moment(16))

    assert (before.told, before.marks, before.next_at) == ([], [], None)
    assert look(state, WATCH, before.marks, SINCE, moment(16)).told != []


def test_most_events_give_no_reason_to_look() -> None:
    """Given somebody who logs in again and again; when logins and orders come; then only the first login, and one after
    a silence that was due, or is within a day of it, are reason to look."""
    life = [event("login.recorded", moment(day), {}) for day in (1, 4, 10, 23.5, 60)]
    life.insert(2, order(moment(5), "1"))
    reasons, before = [], EMPTY
    for number, one in enumerate(life, 1):
        after = fold(life[:number], SETTINGS).state
        reasons.append(to_look_at(before, after, WATCH, one.at + timedelta(seconds=1)))
        before = after

    assert reasons == [True, False, False, False, True, True]
