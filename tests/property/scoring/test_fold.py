"""The fold: any order and any repetition of the same events gives the same state, to the byte."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.scoring.domain.assess import assess
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.language.reading import TAGS, Mention, Reading
from services.scoring.domain.state import encode_state
from tests.support.arriving import arrive
from tests.support.life import SETTINGS, cancellation, event, moment, order, refund

HALF_HOURS = st.integers(0, 48 * 800)  # more than two years, so that days leave every window
ORDER_IDS = st.sampled_from(["A", "B", "C", "D"])
AMOUNTS = st.decimals("0", "300", places=2).map(str)

READINGS = st.builds(
    Reading,
    engine=st.just("trial"),
    sentiment=st.none() | st.integers(-100, 100),
    mentions=st.lists(
        st.builds(Mention, st.sampled_from(TAGS), st.just("text"), st.integers(0, 50), st.integers(51, 99)),
        max_size=3,
    ).map(tuple),
)


@st.composite
def lives(draw: st.DrawFn, most: int = 14) -> list[Event]:
    """Some events of one customer, with ids and times that collide."""
    return [
        draw(_events(number, moment(minutes=30 * at)))
        for number, at in enumerate(draw(st.lists(HALF_HOURS, min_size=1, max_size=most)))
    ]


@st.composite
def _events(draw: st.DrawFn, number: int, at) -> Event:  # type: ignore[no-untyped-def]
    kind = draw(st.sampled_from(["order", "order", "order", "refund", "cancel", "login", "register", "text"]))
    name = f"event-{number}"
    if kind == "order":
        currency = draw(st.sampled_from(["USD", "USD", "USD", "EUR"]))
        return order(at, draw(ORDER_IDS | st.just(f"own-{number}")), draw(AMOUNTS), currency, id=name)
    if kind == "refund":
        return refund(at, draw(ORDER_IDS), draw(st.sampled_from("xyz")), draw(AMOUNTS), id=name)
    if kind == "cancel":
        return cancellation(at, draw(ORDER_IDS), id=name)
    if kind == "text":
        return replace(event("feedback.given", at, id=name), reading=draw(READINGS))
    if kind == "register":
        consent = {
            "customer": {
                "locale": draw(st.sampled_from(["en", "de"])),
                "consent": {"email": draw(st.booleans())},
            }
        }
        return event("customer.registered", at, consent, id=name, sealed_fields=["customer.email"])
    return event("login.recorded", at, id=name, sealed_fields=["customer.id"])


@given(lives(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_events_gives_the_same_bytes_and_orders(life, random):
    arrivals = life + random.choices(life, k=len(life))
    random.shuffle(arrivals)

    arrived, folded = arrive(arrivals), fold(life, SETTINGS)

    assert encode_state(arrived.state) == encode_state(folded.state)
    assert arrived.book == folded.book


@given(lives())
def test_sums_equal_those_counted_from_the_orders(life):
    folded = fold(life, SETTINGS)
    state, orders = folded.state, folded.book.values()
    standing = [one for one in orders if one.counts]

    assert state.events == len(life)
    assert state.orders == len(standing)
    assert state.spend == sum(one.net for one in standing if one.currency == "USD")
    assert state.first_order_at == min((one.placed_at for one in standing), default=None)
    assert state.last_order_at == max((one.placed_at for one in standing), default=None)
    days = sorted({one.placed_at.astimezone(SETTINGS.zone).toordinal() for one in standing})
    assert state.order_days == len(days)
    assert state.gap_squares == sum((b - a) ** 2 for a, b in pairwise(days))
    assert all(0 <= one.refunded <= one.total for one in orders)


@given(lives(), st.integers(0, 500))
def test_windows_equal_those_counted_from_the_orders_at_any_later_moment(life, days_later):
    folded = fold(life, SETTINGS)
    now = folded.state.last_at + timedelta(days=days_later)
    today = now.astimezone(SETTINGS.zone).date()

    facts = assess(folded.state, now, SETTINGS).facts

    ages = [
        ((today - one.placed_at.astimezone(SETTINGS.zone).date()).days, one)
        for one in folded.book.values()
        if one.counts
    ]
    assert facts.orders_12m == sum(1 for age, _ in ages if age < 365)
    for window, spend in ((365, facts.spend_12m), (30, facts.spend_30d)):
        counted = sum(one.net for age, one in ages if age < window and one.currency == "USD")
        assert spend * 10_000 == counted


@given(lives(), st.integers(0, 48 * 200))
def test_the_stage_changes_by_time_alone_exactly_when_it_was_said_to(life, half_hours):
    state = fold(life, SETTINGS).state
    now = state.last_at + timedelta(minutes=30 * half_hours)
    assessment = assess(state, now, SETTINGS)
    due = assessment.next_change_at

    if due is None:
        eternity = assess(state, now + timedelta(days=40_000), SETTINGS)
        assert eternity.standing == assessment.standing
        return
    assert due > now
    assert assess(state, due - timedelta(microseconds=1), SETTINGS).standing == assessment.standing
    changed = assess(state, due, SETTINGS).standing
    assert changed.stage != assessment.standing.stage
    assert (changed.since, changed.cause) == (due, "")
