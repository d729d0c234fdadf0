"""The score: its parts at known points, and how they make up the whole."""

import pytest

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.score.parts.part import Sign
from services.scoring.domain.score.plan import WHOLE, Plan, Weighed
from services.scoring.domain.score.weighing import weigh
from services.scoring.domain.settings import DEFAULT_PLAN
from shared.program.model.score import DEFAULT_WEIGHTS
from shared.program.model.score import Score as Section
from tests.support.life import SETTINGS, event, moment, order


def values(events, at):
    """The known parts of a customer with these events, by name."""
    assessment = assess(fold(events, SETTINGS).state, at, SETTINGS)
    return {weighed.name: value for weighed, value, _ in assessment.score.measured}


def value(name, events, at=None):
    """One part, right after the events."""
    return values(events, at or max(one.at for one in events)).get(name)


def ticket(days, number, what="opened", **more):
    """An event of a ticket."""
    return event(f"ticket.{what}", moment(days), {"ticket_id": f"t-{number}", **more})


def review(days, rating):
    """Stars."""
    return event("review.posted", moment(days), {"rating": rating})


def survey(days, kind, score):
    """An answer."""
    return event("survey.answered", moment(days), {"kind": kind, "score": score})


def test_who_did_nothing_yet_has_0_of_what_is_always_known_and_a_score_of_0():
    events = [event("email.sent", moment(0))]

    assert values(events, moment(1)) == {"recency": 0, "frequency": 0, "spend": 0, "tenure": 0}
    assert assess(fold(events, SETTINGS).state, moment(1), SETTINGS).facts.score == 0


@pytest.mark.parametrize(("days", "recency"), [(0, 100), (60, 50), (120, 25), (600, 0)])
def test_recency_halves_every_60_days(days, recency):
    assert value("recency", [order(moment(0), "1")], moment(days)) == recency


@pytest.mark.parametrize(("orders", "frequency"), [(1, 16), (4, 50), (8, 75), (60, 100)])
def test_four_orders_a_year_are_half_of_frequency(orders, frequency):
    events = [order(moment(number), str(number)) for number in range(orders)]

    assert value("frequency", events, moment(orders)) == frequency


@pytest.mark.parametrize(("total", "spend"), [("0", 0), ("200", 50), ("400", 75), ("999999999999.9999", 100)])
def test_a_good_year_is_half_of_spend(total, spend):
    assert value("spend", [order(moment(0), "1", total)], moment(1)) == spend


@pytest.mark.parametrize(
    ("days", "regularity"),
    [((0, 10, 20, 30), 100), ((0, 10), None), ((0, 5, 20), 50), ((0, 1, 2, 3, 400), 0)],
)
def test_even_intervals_are_regular(days, regularity):
    assert value("regularity", [order(moment(day), str(day)) for day in days]) == regularity


@pytest.mark.parametrize(("products", "diversity"), [(0, None), (1, 13), (5, 50), (10, 75)])
def test_five_products_are_half_of_diversity(products, diversity):
    lines = [{"sku": f"S-{number}", "quantity": 1, "unit_price": "1.00"} for number in range(products)]
    data = {"order_id": "1", "currency": "USD", "total": "9.00", "lines": lines}

    assert value("diversity", [event("order.completed", moment(0), data)]) == diversity


def test_orders_again_without_coupon_or_campaign_are_unprompted():
    def bought(day, **how):
        data = {"order_id": f"o-{day}", "currency": "USD", "total": "9.00", **how}
        return event("order.completed", moment(day), data)

    first, plain = bought(0, coupon="HELLO"), bought(1)
    assert value("unprompted", [first]) is None
    assert value("unprompted", [first, plain]) == 100
    assert value("unprompted", [first, plain, bought(2, campaign="sale")]) == 50
    assert value("unprompted", [first, bought(1, coupon="A"), bought(2, coupon="B")]) == 0


def test_renewals_are_the_share_of_decisions_to_stay():
    def subscription(day, what, **more):
        return event(f"subscription.{what}", moment(day), {"subscription_id": "s", **more})

    begun = [subscription(0, "started")]
    renewed = [*begun, subscription(30, "renewed", automatic=True), subscription(60, "renewed")]

    assert value("renewals", begun) is None
    assert value("renewals", renewed) == 100
    assert value("renewals", [*renewed, subscription(70, "paused")]) == 80
    assert value("renewals", [*renewed, subscription(70, "cancelled")]) == 67


@pytest.mark.parametrize(("days", "tenure"), [(0, 0), (365, 50), (730, 75)])
def test_tenure_reaches_to_the_last_time_the_customer_came_not_to_now(days, tenure):
    events = [order(moment(0), "1"), order(moment(days), "2"), event("email.sent", moment(900))]

    assert value("tenure", events, moment(1000)) == tenure


@pytest.mark.parametrize(
    "came", ["page.viewed", "email.opened", "email.clicked", "push.opened", "social.liked"]
)
def test_opening_a_message_is_coming_whichever_way_it_went(came):
    """Given an order, and a year later a sign of the customer, but no order; then tenure reaches to it."""
    events = [
        order(moment(0), "1"),
        event(came, moment(365), {"message_id": "m"}),
        event("push.sent", moment(900)),
    ]

    assert value("tenure", events, moment(1000)) == 50


@pytest.mark.parametrize(("scores", "satisfaction"), [([10], 100), ([0], 0), ([0, 10], 75), ([10, 0], 25)])
def test_the_newest_answer_counts_as_much_as_all_of_them(scores, satisfaction):
    answers = [survey(day, "nps", score) for day, score in enumerate(scores)]

    assert value("satisfaction", answers) == satisfaction


def test_csat_begins_at_1_and_surveys_of_other_names_do_not_count():
    assert value("satisfaction", [survey(0, "csat", 1)]) == 0
    assert value("satisfaction", [survey(0, "csat", 5), survey(1, "nps", 0)]) == 50
    assert value("satisfaction", [survey(0, "taste", 5)]) is None


@pytest.mark.parametrize(("stars", "reviews"), [([1], 0), ([3], 50), ([5], 100), ([5, 4], 88)])
def test_reviews_are_the_mean_of_the_stars(stars, reviews):
    assert value("reviews", [review(day, rating) for day, rating in enumerate(stars)]) == reviews


def test_a_referral_counts_and_one_that_converted_counts_more():
    made = event("referral.made", moment(0), {"referral_id": "r"})
    converted = event("referral.converted", moment(1), {"referral_id": "r"})

    assert value("referrals", [made]) == 21
    assert value("referrals", [made, converted]) == 60


def test_a_ticket_resolved_and_then_five_stars_are_a_recovery():
    life = [ticket(0, 1), ticket(1, 1, "resolved")]

    assert value("recovery", [*life, review(2, 4)]) is None
    assert value("recovery", [*life, review(2, 5)]) == 75
    assert value("recovery", [review(0, 5), *life]) is None


def test_a_friendly_act_after_a_late_delivery_is_resilience():
    late = event("order.delivered", moment(3), {"order_id": "1", "days_late": 4})
    life = [order(moment(0), "1"), late]

    assert value("resilience", life) is None
    assert value("resilience", [*life, review(5, 5)]) == 100
    assert value("resilience", [*life, order(moment(9), "2")]) == 100


def test_complaints_weigh_less_the_more_went_well():
    def orders(many):
        return [order(moment(number / 10), str(number)) for number in range(many)]

    assert value("complaints", orders(4)) is None
    assert value("complaints", [ticket(1, 1)]) == 50
    assert value("complaints", [ticket(1, 1), ticket(2, 1, "resolved")]) == 71
    assert value("complaints", [*orders(4), ticket(1, 1), ticket(2, 1, "resolved")]) == 84
    assert value("complaints", [ticket(1, 1), ticket(2, 1, "resolved"), review(3, 5)]) is None


def test_who_used_to_sign_in_and_does_no_more_drops_off():
    logins = [event("login.recorded", moment(day)) for day in (0, 10, 20)]

    assert value("drop_off", logins[:2], moment(100)) is None  # no habit yet
    assert value("drop_off", logins, moment(30)) == 100
    assert value("drop_off", logins, moment(70)) == 50
    assert value("drop_off", [*logins, order(moment(65), "1")], moment(70)) == 100


def test_emails_left_unopened_after_some_were_opened_are_a_drop_off():
    def emails(opened, unopened):
        first = [event("email.opened", moment(day), {"message_id": f"a-{day}"}) for day in range(opened)]
        return first + [
            event("email.sent", moment(10 + day), {"message_id": f"b-{day}"}) for day in range(unopened)
        ]

    assert value("drop_off", emails(0, 20)) is None
    assert value("drop_off", emails(1, 3)) == 100
    assert value("drop_off", emails(1, 9)) == 50
    assert value("drop_off", [*emails(1, 0), event("email.unsubscribed", moment(20))]) == 40


def parts(*given):
    """Measured parts: (name, value, weight) and, if not of both ways, the sign."""
    found = []
    for name, points, weight, *sign in given:
        way = sign[0] if sign else Sign.BOTH
        found.append((Weighed(name, weight, True, way, way is Sign.BOTH), points, weight))
    return found


def test_the_whole_is_the_weighted_mean_rounded_half_up():
    assert weigh(parts(("a", 100, 3), ("b", 0, 1)), 0).value == 75
    assert weigh(parts(("a", 5, 30), ("b", 0, 70)), 0).value == 2  # 1.5
    assert weigh([], 10).value == 0


def test_a_part_that_is_not_known_does_not_drag():
    assert weigh(parts(("a", 80, 10)), 0).value == 80
    assert weigh(parts(("a", 80, 10), ("b", 80, 90)), 0).value == 80


def test_good_news_lifts_or_does_nothing_and_bad_news_lowers_or_does_nothing():
    base = ("base", 60, 10)
    assert weigh(parts(base, ("good", 90, 10, Sign.LIFTS)), 20).value == 70
    assert weigh(parts(base, ("good", 30, 10, Sign.LIFTS)), 20).value == 60
    assert weigh(parts(base, ("bad", 30, 10, Sign.LOWERS)), 20).value == 50
    assert weigh(parts(base, ("bad", 90, 10, Sign.LOWERS)), 20).value == 60


def test_good_news_lifts_from_0_where_nothing_else_is_known():
    good, better = ("good", 60, 10, Sign.LIFTS), ("better", 100, 10, Sign.LIFTS)
    assert weigh(parts(good), 20).value == 30
    assert weigh(parts(good, better), 20).value == 80
    assert weigh(parts(("bad", 60, 10, Sign.LOWERS)), 20).value == 0


def test_evidence_makes_weight():
    once = assess(fold([order(moment(0), "1"), review(1, 1)], SETTINGS).state, moment(1), SETTINGS)
    often = [order(moment(0), "1"), *(review(1 + day / 10, 1) for day in range(9))]

    weights = {weighed.name: weight for weighed, _, weight in once.score.measured}
    assert weights["reviews"] == DEFAULT_WEIGHTS["reviews"] * WHOLE // 2
    assert assess(fold(often, SETTINGS).state, moment(2), SETTINGS).facts.score < once.facts.score


def test_the_halves_stand_apart():
    facts = assess(fold([order(moment(0), "1"), review(0.1, 5)], SETTINGS).state, moment(1), SETTINGS).facts

    assert facts.score_emotional == 100
    assert facts.score_behavioural < facts.score < 100


def test_a_customer_without_a_word_has_no_emotional_half():
    facts = assess(fold([order(moment(0), "1")], SETTINGS).state, moment(1), SETTINGS).facts

    assert facts.score_emotional is None
    assert facts.score_behavioural == facts.score


def test_the_program_weighs_exactly_the_parts_that_there_are():
    assert [one.name for one in DEFAULT_PLAN.parts] == list(DEFAULT_WEIGHTS)


def test_a_part_without_weight_is_not_asked():
    plan = Plan.of(Section({**DEFAULT_WEIGHTS, "reviews": 0}))

    assert "reviews" not in [one.name for one in plan.parts]
