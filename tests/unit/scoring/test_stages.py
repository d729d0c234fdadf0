"""Stages: thresholds, their beginnings and causes."""

from datetime import timedelta

from services.scoring.domain.assess import assess
from services.scoring.domain.evolve import fold
from tests.support.life import SETTINGS, cancellation, event, moment, order

INSTANT = timedelta(microseconds=1)


def standing(events, at):
    """Stage, since, and the key of the cause."""
    found = assess(fold(events, SETTINGS).state, at, SETTINGS).standing
    return found.stage, found.since, found.cause


def test_a_registration_begins_onboarding():
    registered = event("customer.registered", moment(0))

    assert standing([registered], moment(1)) == ("onboarding", moment(0), registered.key)


def test_the_second_order_makes_active():
    first, second = order(moment(0), "1"), order(moment(10), "2")

    assert standing([first], moment(1)) == ("onboarding", moment(0), first.key)
    assert standing([first, second], moment(11)) == ("active", moment(10), second.key)


def test_one_and_a_half_intervals_of_silence_are_a_risk_to_the_instant():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20)]

    assert standing(orders, moment(35) - INSTANT)[0] == "active"
    assert standing(orders, moment(35)) == ("at_risk", moment(35), "")


def test_the_interval_counts_days_not_receipts():
    orders = [order(moment(0, minutes=at), f"{at}") for at in (0, 10)]

    assert standing(orders, moment(1))[0] == "active"
    assert assess(fold(orders, SETTINGS).state, moment(1), SETTINGS).facts.order_interval_days is None


def test_a_slow_rhythm_lapses_without_being_at_risk():
    orders = [order(moment(day), str(day)) for day in (0, 50)]

    assert assess(fold(orders, SETTINGS).state, moment(51), SETTINGS).next_change_at == moment(110, hours=-1)
    assert standing(orders, moment(110))[0] == "lapsed"


def test_lapsed_is_counted_on_the_calendar_of_the_zone():
    # 60 days after 15:00 UTC on 1 February, 10:00 in New York, is 10:00 there again: 14:00 UTC, in summer time.
    orders = [order(moment(31), "1")]

    assert standing(orders, moment(200)) == ("lapsed", moment(91, hours=-1), "")


def test_who_never_ordered_lapses_after_the_first_event():
    assert standing(
        [event("login.recorded", moment(0)), event("login.recorded", moment(59))], moment(60)
    ) == (
        "lapsed",
        moment(60),
        "",
    )


def test_an_order_brings_the_lapsed_back():
    orders = [order(moment(day), str(day)) for day in (0, 10, 300)]

    assert standing(orders, moment(301)) == ("active", moment(300), orders[-1].key)


def test_an_event_that_is_no_order_does_not_end_a_silence():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20)]

    assert standing([*orders, event("login.recorded", moment(40))], moment(41)) == ("at_risk", moment(35), "")


def test_a_cancellation_that_leaves_a_long_silence_is_its_cause():
    last = order(moment(200), "3")
    cancelled = cancellation(moment(201), "3")
    orders = [order(moment(0), "1"), order(moment(10), "2"), last]

    assert standing(orders, moment(201))[0] == "active"
    assert standing([*orders, cancelled], moment(202)) == ("lapsed", moment(201), cancelled.key)


def test_a_cancelled_only_order_leaves_somebody_who_never_ordered():
    events = [order(moment(0), "1"), cancellation(moment(1), "1")]
    state = fold(events, SETTINGS).state

    assert (state.orders, state.spend, state.last_order_at, state.order_days) == (0, 0, None, 0)
    assert standing(events, moment(2))[0] == "onboarding"
    assert standing(events, moment(60))[0] == "lapsed"
