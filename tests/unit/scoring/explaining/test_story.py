"""Why the score is what it is, what changed it, what would raise it; and parts of the shop's own."""

import pytest

from services.scoring.domain.assess import assess, score_at
from services.scoring.domain.explaining.story import LATELY, tell_story
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.score.plan import Plan
from services.scoring.domain.settings import ScoreSettings
from shared.program.model.score import DEFAULT_WEIGHTS
from tests.support.life import NEW_YORK, SETTINGS, STAGES, cancellation, event, moment, order, refund
from tests.unit.program.texts import load


def story(events, at, settings=SETTINGS):
    """The story at a moment."""
    return tell_story(sorted(events, key=lambda one: (one.at, one.key)), at, settings)


def part(told, name):
    """One explained part."""
    return next(one for one in told.parts if one.name == name)


def orders_of(told, name):
    """The orders behind a part."""
    return [one.order_id for one in part(told, name).events]


def settings_with(score):
    """Settings of a program with this section."""
    return ScoreSettings.by_stages(STAGES, "USD", NEW_YORK, plan=Plan.of(load(f"score: {score}").score))


def test_each_part_names_the_orders_behind_it():
    told = story(
        [
            order(moment(0), "old"),
            order(moment(380), "1"),
            order(moment(390), "2"),
            order(moment(395), "gone"),
            cancellation(moment(396), "gone"),
            refund(moment(397), "2", "r", "9.20"),
        ],
        moment(400),
    )

    assert orders_of(told, "recency") == ["2"]
    assert part(told, "recency").facts["days_since_last_order"] == 10
    assert orders_of(told, "frequency") == ["2", "1"]
    assert part(told, "spend").facts["spend_12m"] == "89.20"
    assert orders_of(told, "regularity") == ["2", "1", "old"]
    assert orders_of(told, "unprompted") == ["2", "1"]
    assert sum(one.weight for one in told.parts) == pytest.approx(1)


def test_orders_in_another_currency_are_not_behind_the_spend():
    told = story([order(moment(0), "euros", currency="EUR"), order(moment(1), "dollars")], moment(2))

    assert orders_of(told, "frequency") == ["dollars", "euros"]
    assert orders_of(told, "spend") == ["dollars"]


def test_evidence_counts_the_same_days_as_the_window():
    first = order(moment(0), "first")  # 10:00 in New York

    for days, inside in ((364, True), (365, False)):
        told = story([first], moment(days))
        assert told.assessment.facts.orders_12m == len(part(told, "frequency").events) == int(inside)


def test_every_part_with_a_value_but_those_of_0_orders_has_its_events():
    life = [
        order(moment(0), "1"),
        order(moment(10), "2"),
        order(moment(20), "3"),
        event("order.delivered", moment(21), {"order_id": "3", "days_late": 3}),
        event("survey.answered", moment(22), {"kind": "nps", "score": 9}),
        event("ticket.opened", moment(23), {"ticket_id": "t"}),
        event("ticket.resolved", moment(24), {"ticket_id": "t"}),
        event("ticket.opened", moment(24.5), {"ticket_id": "u"}),
        event("review.posted", moment(25), {"rating": 5}),
        event("referral.made", moment(26), {}),
        event("subscription.renewed", moment(27), {"subscription_id": "s"}),
        *(event("login.recorded", moment(28 + day)) for day in range(3)),
    ]

    told = story(life, moment(40))

    without = {one.name for one in told.parts if one.value is not None and not one.events}
    assert without == set()
    assert {one.name for one in told.parts if one.value is None} == {"diversity", "sentiment"}
    assert [one.type for one in part(told, "resilience").events] == ["order.delivered"]
    assert [one.type for one in part(told, "complaints").events] == ["ticket.opened", "ticket.opened"]
    assert [one.type for one in part(told, "drop_off").events] == ["login.recorded"]


def test_a_part_that_does_not_count_says_why():
    life = [order(moment(0), "1", "9000"), event("referral.made", moment(0.1), {})]
    told = story(life, moment(1))

    assert (part(told, "referrals").weight, "good news" in part(told, "referrals").note) == (0, True)
    assert (part(told, "reviews").value, "known" in part(told, "reviews").note) == (None, True)
    assert part(told, "recency").note is None


def test_what_changed_is_told_by_event_and_by_time_and_sums_up():
    life = [
        order(moment(0), "1"),
        order(moment(40), "2"),
        event("review.posted", moment(45), {"rating": 1}),
        event("email.sent", moment(46), {}),
    ]
    told = story(life, moment(60))
    changes = told.changes

    before = fold(life[:1], SETTINGS).state
    assert changes.since == moment(60) - LATELY
    assert changes.old == score_at(before, moment(30), SETTINGS)
    assert {one.event.type for one in changes.events} == {"order.completed", "review.posted"}
    assert [one.points > 0 for one in changes.events if one.event.type == "order.completed"] == [True]
    assert [one.points < 0 for one in changes.events if one.event.type == "review.posted"] == [True]
    by_events = sum(one.points for one in changes.events)
    assert changes.old + by_events + changes.time == told.assessment.facts.score
    assert changes.time < 0
    reviews = next(one for one in changes.parts if one.name == "reviews")
    assert (reviews.old, reviews.new) == (None, 0)


def test_nothing_but_silence_is_a_change_by_time_alone():
    told = story([order(moment(0), "1")], moment(100))

    assert told.changes.events == ()
    assert told.changes.old + told.changes.time == told.assessment.facts.score
    assert [one.name for one in told.changes.parts] == ["recency"]


def test_a_customer_who_was_not_known_30_days_ago_began_with_nothing():
    told = story([order(moment(0), "1")], moment(10))

    assert told.changes.old is None
    assert told.changes.events[0].points + told.changes.time == told.assessment.facts.score


def test_a_suggestion_is_what_the_event_would_really_do():
    life = [
        *(order(moment(day), f"o-{day}", "200") for day in range(6)),
        *(event("ticket.opened", moment(1), {"ticket_id": ticket_id}) for ticket_id in "tuv"),
        event("subscription.started", moment(2), {"subscription_id": "s"}),
    ]
    now = moment(30)
    acts = {one.act: one for one in story(life, now).suggestions}

    real = {
        "review": [event("review.posted", now, {"rating": 5})],
        "resolve": [event("ticket.resolved", now, {"ticket_id": ticket_id}) for ticket_id in "tuv"],
        "renewal": [event("subscription.renewed", now, {"subscription_id": "s", "automatic": True})],
        "order": [order(now, "2", "200")],
    }
    assert set(real) <= set(acts)
    for act, events in real.items():
        score = assess(fold([*life, *events], SETTINGS).state, now, SETTINGS).facts.score
        assert (act, acts[act].score) == (act, score)
    assert acts["recover"].score >= acts["resolve"].score
    points = [one.points for one in story(life, now).suggestions]
    assert points == sorted(points, reverse=True)
    assert min(points) > 0


def test_a_referral_is_suggested_only_to_who_stands_below_it():
    def suggested(life):
        return {one.act: one for one in story(life, moment(30)).suggestions}

    low, high = [order(moment(0), "1")], [order(moment(day), f"o-{day}", "900") for day in range(20, 30)]
    referred = [*low, event("referral.made", moment(30), {}), event("referral.converted", moment(30), {})]

    assert (
        suggested(low)["referral"].score
        == assess(fold(referred, SETTINGS).state, moment(30), SETTINGS).facts.score
    )
    assert "referral" not in suggested(high)


def test_nothing_is_suggested_that_would_not_raise_it():
    told = story([order(moment(0), "1"), event("review.posted", moment(1), {"rating": 5})], moment(2))

    assert "resolve" not in {one.act for one in told.suggestions}
    assert "email" not in {one.act for one in told.suggestions}


def test_a_part_of_the_shops_own_counts_in_its_half():
    nothing = ", ".join(f"{name}: 0" for name in DEFAULT_WEIGHTS)
    settings = settings_with(
        f'{{weights: {{{nothing}}}, parts: [{{id: buys, value: "customer.orders * 30.25", weight: 1}},'
        ' {id: rich, value: "customer.spend > 90", points: 80, weight: 3, half: emotional}]}'
    )
    poor = assess(fold([order(moment(0), "1")], settings).state, moment(1), settings).facts
    rich = assess(fold([order(moment(0), "1", "91")], settings).state, moment(1), settings).facts
    often = [order(moment(number), str(number)) for number in range(5)]

    assert (poor.score, poor.score_behavioural, poor.score_emotional) == (30, 30, None)
    assert (rich.score, rich.score_behavioural, rich.score_emotional) == (68, 30, 80)
    assert assess(fold(often, settings).state, moment(9), settings).facts.score_behavioural == 100


def test_a_condition_may_say_what_it_gives_otherwise():
    settings = settings_with(
        '{parts: [{id: rich, value: "customer.spend > 90", points: 80, otherwise: 5, weight: 3}]}'
    )
    told = story([order(moment(0), "1")], moment(1), settings)

    assert part(told, "rich").value == 5
    assert part(told, "rich").facts == {"formula": "customer.spend > 90", "spend": "49.20"}


def test_an_own_part_may_ask_for_attributes_and_names_the_events_that_told_them():
    settings = settings_with('{parts: [{id: level, value: "customer.attributes.level * 10", weight: 50}]}')

    def told(day, level):
        return event("customer.updated", moment(day), {"customer": {"attributes": {"level": level}}})

    life = [order(moment(0), "1"), told(1, 4), event("login.recorded", moment(2)), told(3, 7)]
    level = part(story(life, moment(4), settings), "level")

    assert level.value == 70
    assert [one.at for one in level.events] == [moment(3), moment(1)]
    assert part(story(life[:1], moment(4), settings), "level").value is None


def test_an_own_part_whose_value_is_not_known_does_not_count():
    settings = settings_with('{parts: [{id: pace, value: "customer.order_interval_days * 2", weight: 50}]}')
    life = [order(moment(0), "1")]

    assert score_at(fold(life, settings).state, moment(1), settings) == score_at(
        fold(life, SETTINGS).state, moment(1), SETTINGS
    )
    assert part(story(life, moment(1), settings), "pace").value is None


def test_changing_a_weight_changes_the_score():
    life = [order(moment(0), "1"), event("review.posted", moment(1), {"rating": 1})]
    harsh = settings_with("{weights: {reviews: 100}}")

    assert score_at(fold(life, harsh).state, moment(2), harsh) < score_at(
        fold(life, SETTINGS).state, moment(2), SETTINGS
    )
