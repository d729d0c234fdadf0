"""E-mails, visits, deliveries, subscriptions, consent and attributes, as facts."""

from typing import Any

import pytest

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.fold.person import PURPOSES_MAX
from shared.program.conditions.condition import Condition
from tests.support.life import SETTINGS, cancellation, event, moment, order


def facts(*events, days_later=0):
    state = fold(events, SETTINGS).state
    return assess(state, moment((state.last_at - moment()).days + days_later), SETTINGS).facts


def mail(kind, day, **data):
    return event(
        f"email.{kind}", moment(day, minutes=len(data)), data, id=f"{kind}-{day}-{sorted(data.items())}"
    )


def test_a_message_opened_twice_counts_once_and_a_click_is_an_opening():
    known = facts(
        *(mail("sent", day, message_id=f"m-{day}") for day in range(4)),
        mail("opened", 5, message_id="m-1"),
        mail("opened", 6, message_id="m-1"),
        mail("clicked", 7, message_id="m-2"),
    )

    assert (known.emails_sent, known.emails_opened, known.emails_clicked) == (4, 2, 1)
    assert (known.email_open_rate_30d, known.email_click_rate_30d) == (0.5, 0.25)
    assert known.emails_unopened == 0


def test_rates_are_null_once_all_e_mails_left_the_window():
    known = facts(mail("sent", 0), mail("opened", 1), days_later=40)

    assert (known.email_open_rate_30d, known.email_open_rate_90d) == (None, 1.0)


def test_unsubscribing_withdraws_marketing_by_e_mail_under_all_its_names_and_nothing_else():
    consent = {"customer": {"consent": {"email": True, "news.marketing.email": True, "sms": True}}}

    known = facts(event("consent.changed", moment(1), consent), mail("unsubscribed", 2))

    assert known.consents == ["email", "sms"]
    assert known.consents_withdrawn == ["email_marketing", "news.marketing.email"]


NAMED_OTHERWISE = {"customer": {"consent": {"News:marketing.EMAIL": False}}}


@pytest.mark.parametrize(
    "act", [mail("unsubscribed", 3), event("consent.changed", moment(3), NAMED_OTHERWISE)]
)
def test_what_is_refused_is_kept_however_many_purposes_there_are(act: Any):
    """Given as many consents as are kept; when one more is given, one that speaks of no messages is refused, and then
    marketing by e-mail is; then there is no room for the first two, and always for the last."""
    consent = {"customer": {"consent": {f"purpose-{number}": True for number in range(PURPOSES_MAX)}}}
    more = {"customer": {"consent": {"sms": True, "terms": False}}}

    known = facts(
        event("consent.changed", moment(1), consent), event("consent.changed", moment(2), more), act
    )

    assert len(known.consents) == PURPOSES_MAX
    assert known.consents_withdrawn == ["email_marketing"]


def test_a_pause_of_more_than_half_an_hour_begins_another_visit():
    views = [event("page.viewed", moment(minutes=at), id=f"v-{at}") for at in (0, 20, 50, 81)]

    known = facts(*views)

    assert (known.page_views, known.visits) == (4, 2)


@pytest.mark.parametrize(
    ("act", "forgiven"),
    [
        (event("review.posted", moment(20), {"rating": 4}), 1),
        (event("review.posted", moment(20), {"rating": 3}), 0),
        (event("referral.made", moment(20), {}), 1),
        (event("referral.made", moment(90), {}), 0),
        (event("survey.answered", moment(20), {"kind": "nps", "score": 9}), 1),
        (event("subscription.renewed", moment(20), {"automatic": True}), 0),
        (order(moment(20), "again"), 1),
    ],
)
def test_a_friendly_act_forgives_a_late_delivery(act, forgiven):
    late = event("order.delivered", moment(10), {"order_id": "A", "days_late": 2})

    assert facts(order(moment(1), "A"), late, act).deliveries_forgiven == forgiven


def test_an_order_that_was_cancelled_forgives_nothing():
    late = event("order.delivered", moment(10), {"order_id": "A", "days_late": 2})

    known = facts(order(moment(1), "A"), late, order(moment(20), "B"), cancellation(moment(21), "B"))

    assert known.deliveries_forgiven == 0


def test_a_paused_subscription_goes_on_with_a_renewal():
    def told(kind, day, **data):
        return event(f"subscription.{kind}", moment(day), {"subscription_id": "s-1", **data})

    paused = facts(told("started", 0, plan="monthly"), told("paused", 10), told("paused", 11))
    renewed = facts(
        told("started", 0, plan="monthly"), told("paused", 10), told("renewed", 20, automatic=True)
    )

    assert (paused.subscription, paused.subscriptions_paused, paused.subscription_pauses) == ("paused", 1, 1)
    assert (renewed.subscription, renewed.subscription_plans, renewed.renewals_automatic) == (
        "active",
        ["monthly"],
        1,
    )


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("customer.attributes.plan == 'pro'", True),
        ("customer.attributes.plan == 'free'", False),
        ("customer.attributes.children >= 2", True),
        ("customer.attributes.height > 1.7", True),
        ("customer.attributes.unknown == 'x'", False),
        ("customer.attributes.gone == 1", False),
        ("has(customer.attributes.plan)", True),
        ("customer.custom['x.workout.finished'] >= 2", True),
        ("customer.custom['x.other'] >= 1", False),
        ("customer.birthday_known && !customer.phone_known", True),
        ("'email' in customer.consents", False),
        ("customer.nps >= 9", False),
        ("customer.subscription == 'paused'", False),
    ],
)
def test_rules_ask_for_attributes_and_the_shops_own_events(source, holds):
    told = {"customer": {"attributes": {"plan": "pro", "children": 2.0, "height": 1.8, "gone": 1}}}
    gone = {"customer": {"attributes": {"gone": None}}}
    known = facts(
        event("customer.updated", moment(1), told, sealed_fields=["customer.birthday"]),
        event("customer.updated", moment(2), gone),
        event("x.workout.finished", moment(3)),
        event("x.workout.finished", moment(4)),
    )

    assert Condition.compile(source).holds(known) is holds


def test_cancelling_an_order_takes_back_what_its_lines_told():
    told = {"lines": [{"sku": "A", "category": "Tea"}], "coupon": "HELLO", "channel": "web"}
    first = event("order.completed", moment(1), {"order_id": "1", "currency": "USD", "total": "5", **told})
    other = {"lines": [{"sku": "B", "category": "Tea"}], "channel": "app"}
    second = event("order.completed", moment(2), {"order_id": "2", "currency": "USD", "total": "5", **other})
    third = order(moment(3), "3")

    both = facts(first, second, third)
    rest = facts(first, second, third, cancellation(moment(4), "1"))

    assert (both.skus, both.coupon_orders, both.unprompted_reorders, both.channels) == (
        2,
        1,
        2,
        ["app", "web"],
    )
    assert (rest.skus, rest.coupon_orders, rest.unprompted_reorders, rest.channels) == (1, 0, 1, ["app"])
