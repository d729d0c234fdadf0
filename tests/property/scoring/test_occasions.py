"""Occasions over any life: each silence is told once, at its moment, whenever anybody looks, whatever comes late."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.due.occasions import LAST, Due, Occasion, Watch, look, pending, to_look_at
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import EMPTY, State
from shared.program.values.period import Period
from shared.program.vocabulary.occasions import WATCHED
from tests.support.life import SETTINGS, event, moment
from tests.support.mixed_life import mixed_lives

AFTER = Period.parse("P14D")
LOGIN = Occasion("login.missing", AFTER)
WATCH = Watch((LOGIN,), SETTINGS.zone)
ALL = Watch(
    (
        LOGIN,
        Occasion("login.missing", Period.parse("P1M")),
        Occasion("order.missing", Period.parse("P60D")),
        Occasion("x.workout.finished.missing", Period.parse("PT36H")),
        Occasion("ticket.unanswered", Period.parse("PT4H")),
        Occasion("renewal.due", Period.parse("P30D")),
    ),
    SETTINGS.zone,
)
NEVER = {one.name: moment(-400) for one in ALL.occasions}
HOURS = st.integers(1, 24 * 120)


class Shop:
    """What the worker does, in memory: events change the state, and looks happen when they are due."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.events: list[Event] = []
        self.state: State = EMPTY
        self.marks: list[str] = []
        self.next_at: datetime | None = None
        self.told: list[Due] = []

    def take_in(self, one: Event, now: datetime) -> None:
        """An event comes, perhaps late."""
        self.events.append(one)
        before, self.state = self.state, fold(self.events, SETTINGS).state
        if to_look_at(before, self.state, self.watch, now):
            self.next_at = now if self.next_at is None else min(self.next_at, now)

    def sweep(self, now: datetime) -> None:
        """Somebody looks, if there is reason to."""
        if self.next_at is None or self.next_at > now:
            return
        found = look(self.state, self.watch, self.marks, NEVER, now)
        self.told += found.told
        self.marks, self.next_at = found.marks, found.next_at


@given(st.lists(HOURS, min_size=1, max_size=12, unique=True), st.integers(1, 48))
@settings(max_examples=150)
def test_each_silence_is_told_once_at_its_moment_however_often_anybody_looks(hours, every):
    """Given logins that come at once; when sweeps run every so many hours; then all silences that a sweep could see are
    told, each once, as of when it was due."""
    shop, logins = Shop(WATCH), sorted(moment(hours=hour) for hour in hours)
    until = logins[-1] + timedelta(days=40)
    coming = [event("login.recorded", at, {}) for at in logins]
    now = moment(0)
    seen: set[datetime] = set()
    while now < until:
        now += timedelta(hours=every)
        while coming and coming[0].at <= now:
            shop.take_in(coming.pop(0), now)
        shop.sweep(now)
        last = max((at for at in logins if at <= now), default=None)
        if last is not None and AFTER.after(last, SETTINGS.zone) <= now:
            seen.add(AFTER.after(last, SETTINGS.zone))

    told = [one.at for one in shop.told]
    assert len(told) == len(set(told))
    assert set(told) == seen


@given(mixed_lives(most=12), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_whatever_comes_in_whichever_order_all_that_stands_is_told_once(life, random):
    """Given any life; when its events come in any order with looks between, and time goes on; then of all that
    stands in the end each was told once, and no mark is told twice."""
    shop = Shop(ALL)
    arrivals = {one.key: one for one in random.sample(life, k=len(life))}.values()
    now = max(one.at for one in life)
    for one in arrivals:
        shop.take_in(one, now)
        shop.sweep(now)
        now += timedelta(hours=random.choice([0, 1, 30]))
    for _ in range(200):
        shop.sweep(now)
        now += timedelta(hours=random.choice([1, 5, 30]))
    shop.sweep(now)

    told = [one.mark for one in shop.told]
    standing = {one.mark for one in pending(shop.state, ALL) if one.stands(now)}
    assert standing <= set(told)
    late = {one.mark for one in shop.told if one.occasion.on != "renewal.due"}
    assert all(told.count(mark) == 1 for mark in late & standing)


@given(mixed_lives(most=12), mixed_lives(most=4))
@settings(max_examples=100)
def test_nothing_is_due_earlier_than_when_somebody_looks(life, more):
    """Given any state and further events; when these give no reason to look; then nothing has become due earlier than
    what was known, and nothing that is due was not known."""
    before = fold(life, SETTINGS).state
    now = max(one.at for one in [*life, *more])
    known = look(before, ALL, (), NEVER, now)
    after = fold([*life, *more], SETTINGS).state
    if to_look_at(before, after, ALL, now):
        return
    found = look(after, ALL, known.marks, NEVER, now)
    soonest = known.next_at

    assert not found.told
    if found.next_at is not None and found.next_at > now + timedelta(hours=1):
        assert soonest is not None
        assert soonest <= found.next_at


def test_all_that_the_program_lets_be_missed_is_known_by_its_last_time():
    assert set(LAST) == WATCHED
