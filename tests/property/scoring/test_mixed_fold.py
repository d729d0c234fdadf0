"""The fold over every type of event: any order and any repetition gives the same bytes, and the sums are right."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.state import decode_state, encode_state
from services.scoring.domain.state.distinct import count
from services.scoring.domain.state.goods import NO_GOODS
from services.scoring.domain.state.tally import TALLY_DAYS
from tests.support.arriving import arrive
from tests.support.life import SETTINGS
from tests.support.mixed_life import mixed_lives


@given(mixed_lives(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_any_order_and_repetition_of_all_types_gives_the_same_bytes(life, random):
    arrivals = life + random.choices(life, k=len(life))
    random.shuffle(arrivals)

    arrived, folded = arrive(arrivals), fold(life, SETTINGS)

    assert encode_state(arrived.state) == encode_state(folded.state)
    assert arrived.book == folded.book


@given(mixed_lives())
def test_a_state_survives_its_text(life):
    state = fold(life, SETTINGS).state

    assert decode_state(encode_state(state)) == state


@given(mixed_lives())
def test_what_was_bought_is_that_of_the_orders_that_stand(life):
    folded = fold(life, SETTINGS)
    told = [one.data for one in folded.book.values() if one.counts]

    goods = folded.state.goods

    assert count(goods.skus) == len({line["sku"] for data in told for line in data["lines"]})
    named = {line["category"] for data in told for line in data["lines"]} - {None}
    assert count(goods.categories) == len(named)
    assert goods.coupons == sum(1 for data in told if data["coupon"])
    assert goods.prompted == sum(1 for data in told if data["coupon"] or data["campaign"])
    assert sum(goods.channels.values()) == sum(1 for data in told if data["channel"])
    if not told:
        assert goods == NO_GOODS


@given(mixed_lives(), st.integers(0, 120), st.sampled_from([30, 90]))
def test_windows_of_tallies_are_exact_at_any_later_moment(life, days_later, window):
    state = fold(life, SETTINGS).state
    today = (state.last_at + timedelta(days=days_later)).astimezone(SETTINGS.zone).toordinal()
    keys = {one.key: one for one in life}.values()

    for type_, tally in {
        "email.sent": state.emails.sent,
        "login.recorded": state.engagement.logins,
        "page.viewed": state.engagement.views,
        "social.liked": state.engagement.likes,
        "referral.converted": state.engagement.referrals_converted,
        "x.other": state.custom.get("x.other"),
    }.items():
        days = [one.at.astimezone(SETTINGS.zone).toordinal() for one in keys if one.record.type == type_]
        if tally is None:
            assert not days
            continue
        assert tally.total == len(days)
        assert tally.within(window, today) == sum(1 for day in days if today - window < day <= today)
        assert all(day > tally.days[-1] - TALLY_DAYS for day in tally.days)


@given(mixed_lives())
def test_counts_never_contradict_each_other(life):
    state = fold(life, SETTINGS).state
    emails, tickets, feedback = state.emails, state.tickets, state.feedback

    assert emails.unopened <= emails.sent.total
    assert len(emails.seen) <= 4 * emails.opened.total
    assert tickets.open == sum(1 for one in tickets.newest.values() if one.resolved_at is None)
    assert tickets.resolved == sum(1 for one in tickets.newest.values() if one.resolved_at is not None)
    assert 0 <= tickets.timed <= tickets.resolved
    assert tickets.answered <= tickets.opened.total
    assert tickets.resolution_s >= 0 <= tickets.response_s
    if not tickets.timed:
        assert tickets.resolution_s == 0
    for answers in (feedback.nps, feedback.csat, feedback.reviews):
        assert answers.high + answers.low <= answers.count
    assert feedback.recoveries <= feedback.perfect
    assert state.deliveries.pending + state.deliveries.forgiven <= state.deliveries.late


@given(mixed_lives())
def test_only_text_whole_numbers_and_times_are_kept(life):
    """A running float would depend on the order of its sums; attributes are the shop's own values, never summed."""
    state = fold(life, SETTINGS).state

    assert not any(isinstance(part, float) for part in _leaves(state, skip="attributes"))


def _leaves(value, skip=""):  # type: ignore[no-untyped-def]
    fields = getattr(value, "__struct_fields__", None)
    if fields is not None:
        for name in fields:
            if name != skip:
                yield from _leaves(getattr(value, name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


@given(mixed_lives())
def test_facts_can_be_told_of_any_life(life):
    state = fold(life, SETTINGS).state

    facts = assess(state, state.last_at, SETTINGS).facts

    assert facts.events == len({one.key for one in life})
