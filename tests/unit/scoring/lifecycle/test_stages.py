"""Stages: thresholds, their beginnings and causes."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.lifecycle.stages import Passage, begins_at, passages, stage_at
from services.scoring.domain.settings import ScoreSettings
from shared.program.model.program import Stages
from shared.program.values.period import Period
from tests.support.life import NEW_YORK, SETTINGS, cancellation, event, moment, order

PERIODS = {"lapsed": "P60D", "churned": "P180D"}
INSTANT = timedelta(microseconds=1)


def by(**thresholds):
    """Settings with these thresholds."""
    lapsed, churned = (Period.parse(thresholds.pop(name, long)) for name, long in PERIODS.items())
    return ScoreSettings.by_stages(Stages(lapsed, churned, Decimal("1.5"), **thresholds), "USD", NEW_YORK)


def standing(events, at, settings=SETTINGS):
    """Stage, since, and the key of the cause."""
    found = assess(fold(events, settings).state, at, settings).standing
    return found.stage, found.since, found.cause


def test_a_registration_begins_onboarding():
    registered = event("customer.registered", moment(0))

    assert standing([registered], moment(1)) == ("onboarding", moment(0), registered.key)


def test_the_first_order_realises_value_and_the_second_makes_active():
    registered = event("customer.registered", moment(-1))
    first, second = order(moment(0), "1"), order(moment(10), "2")

    assert standing([first], moment(1)) == ("value_realisation", moment(0), first.key)
    assert standing([registered, first], moment(1)) == ("value_realisation", moment(0), first.key)
    assert standing([first, second], moment(11)) == ("active", moment(10), second.key)


def test_five_orders_within_365_days_make_loyal():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20, 30, 40)]

    assert standing(orders[:4], moment(40))[0] == "active"
    assert standing(orders, moment(41)) == ("loyal", moment(40), orders[-1].key)
    assert standing([*orders, order(moment(50), "50")], moment(50)) == ("loyal", moment(40), orders[-1].key)


def test_loyalty_fades_at_the_midnight_at_which_too_few_orders_are_left():
    # Four orders on day 0, then one every 50 days. On New York's day 365 later (from 5:00 UTC on) those four are gone.
    settings = by(loyal_orders=11)
    orders = [order(moment(0, minutes=at), f"{at}") for at in range(4)]
    orders += [order(moment(day), f"day {day}") for day in range(50, 400, 50)]
    fades = moment(365, hours=-10)
    state = fold(orders, settings).state

    assert standing(orders, fades - INSTANT, settings)[0] == "loyal"
    assert standing(orders, fades, settings) == ("active", fades, "")
    assert assess(state, fades - INSTANT, settings).facts.orders_12m == 11
    assert assess(state, fades, settings).facts.orders_12m == 7
    again = order(moment(366), "366")
    assert standing([*orders, again], moment(366), settings) == ("active", fades, "")


def test_silence_passes_through_every_stage_in_turn():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20, 30, 40)]
    state = fold(orders, SETTINGS).state

    assert [(one.old, one.new, one.at) for one in passages(state, "loyal", moment(1000))] == [
        ("loyal", "at_risk", moment(55)),
        ("at_risk", "lapsed", moment(100, hours=-1)),
        ("lapsed", "churned", moment(220, hours=-1)),
    ]
    for passage in passages(state, "loyal", moment(1000)):
        assert stage_at(state, passage.at - INSTANT) == passage.old
        assert stage_at(state, passage.at) == passage.new
    assert assess(state, moment(1000), SETTINGS).next_change_at is None


def test_what_was_told_of_another_state_leads_to_what_is():
    """Given a stage that was told and does not come in the course of what is known now; when it is asked what time has
    changed; then one change leads from it to the present stage, with its beginning and cause."""
    orders = [order(moment(day), str(day)) for day in (0, 10, 20)]
    state = fold(orders, SETTINGS).state

    assert passages(state, "won_back", moment(21)) == [
        Passage(moment(10), "won_back", "active", orders[1].key)
    ]
    assert passages(state, "won_back", moment(35)) == [Passage(moment(35), "won_back", "at_risk")]
    assert passages(state, "active", moment(34)) == []


def test_when_a_stage_begins_is_known_ahead():
    state = fold([order(moment(day), str(day)) for day in (0, 10, 20)], SETTINGS).state

    assert begins_at(state, "at_risk") == moment(35)
    assert begins_at(state, "loyal") is None


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


def test_of_two_stages_at_one_instant_the_graver_one_comes():
    """Given an interval of which one and a half are just the silence of the lapsed; then nobody is at risk between."""
    state = fold([order(moment(day), str(day)) for day in (120, 160)], SETTINGS).state

    assert passages(state, "active", moment(220)) == [Passage(moment(220), "active", "lapsed")]


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


@pytest.mark.parametrize("day", [80, 300])
def test_an_order_wins_back_who_had_lapsed_or_churned_and_the_next_one_makes_active_again(day):
    orders = [order(moment(at), str(at)) for at in (0, 10, day, day + 5)]

    assert standing(orders[:3], moment(day + 1)) == ("won_back", moment(day), orders[2].key)
    assert standing(orders, moment(day + 6)) == ("active", moment(day + 5), orders[3].key)
    assert fold(orders, SETTINGS).state.back is None


def test_who_lapsed_without_an_order_is_not_won_back_by_the_first_one():
    first = order(moment(100), "1")

    events = [event("login.recorded", moment(0)), first]

    assert standing(events[:1], moment(99))[0] == "lapsed"
    assert standing(events, moment(101)) == ("value_realisation", moment(100), first.key)


def test_who_is_being_won_back_can_be_at_risk_and_lapse_again():
    settings = by(active_orders=2, loyal_orders=9, won_back_orders=3, lapsed="P90D")
    orders = [
        order(moment(day), str(day)) for day in (0, 10, 20, 30, 140)
    ]  # 35 days on average: at risk after 52.5
    more = order(moment(200), "200")

    assert standing(orders, moment(193), settings)[0] == "at_risk"
    assert standing([*orders, more], moment(201), settings) == ("won_back", moment(200), more.key)
    assert standing([*orders, more], moment(300), settings)[0] == "lapsed"
    third = order(moment(210), "210")
    assert standing([*orders, more, third], moment(211), settings) == ("active", moment(210), third.key)
    late = order(moment(400), "400")
    assert standing([*orders, more, late], moment(401), settings) == ("won_back", moment(400), late.key)


def test_a_cancelled_order_does_not_count_towards_being_won_back():
    settings = by(active_orders=2, loyal_orders=9, won_back_orders=3)
    orders = [order(moment(day), str(day)) for day in (0, 10, 300, 305)]
    cancelled, third, fourth = (
        cancellation(moment(306), "305"),
        order(moment(307), "3"),
        order(moment(308), "4"),
    )

    events = [*orders, cancelled, third]

    assert standing(events, moment(307), settings)[0] == "won_back"
    assert standing([*events, fourth], moment(309), settings) == ("active", moment(308), fourth.key)


@pytest.mark.parametrize(
    ("called_off", "after", "stage"),
    [("0", 1, "won_back"), ("0", 2, "active"), ("300", 2, "won_back"), ("305", 2, "won_back")],
)
def test_only_orders_of_the_return_count_towards_it_and_only_while_they_stand(called_off, after, stage):
    """Given a return that takes three orders; when an order of before it is called off, or one of its own, and the next
    is placed; then it counts with those of the return that stand."""
    settings = by(active_orders=2, loyal_orders=9, won_back_orders=3)
    orders = [order(moment(day), str(day)) for day in (0, 5, 10, 300, 305)][: 3 + after]
    cancelled, last = cancellation(moment(306), called_off), order(moment(307), "307")

    assert standing([*orders, cancelled, last], moment(308), settings)[0] == stage
    assert (
        standing([*orders, cancelled, cancellation(moment(306), "5"), last], moment(308), settings)[0]
        == stage
    )


def test_a_first_order_after_a_silence_is_no_return():
    """Given somebody who lapsed without an order, and then orders, falls silent, and orders again; then nothing has to
    be won back."""
    settings = by(active_orders=2, loyal_orders=9, won_back_orders=5)
    events = [event("login.recorded", moment(0)), *(order(moment(day), str(day)) for day in (100, 110, 126))]

    assert standing(events[:3], moment(125), settings)[0] == "at_risk"
    assert standing(events, moment(126), settings)[0] == "active"


def test_a_cancellation_leaves_whom_it_makes_less_loyal():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20, 30, 40)]
    cancelled = cancellation(moment(41), "0")

    assert standing([*orders, cancelled], moment(42)) == ("active", moment(41), cancelled.key)
    assert standing([*orders, cancellation(moment(41), "none")], moment(42))[0] == "loyal"


def test_thresholds_are_the_programs():
    settings = by(active_orders=3, loyal_orders=4, won_back_orders=2, lapsed="P10D", churned="P20D")
    orders = [order(moment(day), str(day)) for day in range(4)]

    assert standing(orders[:2], moment(1), settings)[0] == "value_realisation"
    assert standing(orders[:3], moment(2), settings)[0] == "active"
    assert standing(orders, moment(3), settings)[0] == "loyal"
    assert standing(orders, moment(13), settings)[0] == "lapsed"
    assert standing(orders, moment(23), settings)[0] == "churned"


def test_an_event_that_is_no_order_does_not_end_a_silence():
    orders = [order(moment(day), str(day)) for day in (0, 10, 20)]

    assert standing([*orders, event("login.recorded", moment(40))], moment(41)) == ("at_risk", moment(35), "")


def test_a_cancellation_that_leaves_a_long_silence_is_its_cause():
    last = order(moment(200), "3")
    cancelled = cancellation(moment(201), "3")
    orders = [order(moment(0), "1"), order(moment(10), "2"), last]

    assert standing(orders, moment(201))[0] == "won_back"
    assert standing([*orders, cancelled], moment(202)) == ("churned", moment(201), cancelled.key)


@pytest.mark.parametrize(
    ("day", "stage"),
    [(34, "active"), (35, "at_risk"), (79, "at_risk"), (81, "lapsed"), (199, "lapsed"), (201, "churned")],
)
def test_a_cancellation_leaves_the_silence_that_there_was_without_the_order(day, stage):
    """Given orders every ten days until day 20, and one more that is called off at once, on a later day; then the
    customer is where the silence since day 20 leads, and from then on where it was not already."""
    orders = [order(moment(each), str(each)) for each in (0, 10, 20)]
    then = moment(day, minutes=1)
    cancelled = cancellation(then, "last")

    found = standing([*orders, order(moment(day), "last"), cancelled], then)

    since = (then, cancelled.key) if stage != "active" else (moment(10), orders[1].key)
    assert found == (stage, *since)


def test_a_cancelled_only_order_leaves_somebody_who_never_ordered():
    events = [order(moment(0), "1"), cancellation(moment(1), "1")]
    state = fold(events, SETTINGS).state

    assert (state.orders, state.spend, state.last_order_at, state.order_days) == (0, 0, None, 0)
    assert standing(events, moment(2))[0] == "onboarding"
    assert standing(events, moment(60))[0] == "lapsed"
