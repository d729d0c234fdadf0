"""Fixed points, limits, milestones and the offers they give."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.domain.issuing import offer_code
from services.rewards.domain.spending.offers import normal_code
from shared.contracts.activity import Activity
from tests.unit.rewards.building import CUSTOMER, NOW, Life, activity, cancellation, order, refund, rulebook
from tests.unit.rewards.earning.earn_rules import HEAD


def test_welcome_points_come_once_per_customer_for_ever() -> None:
    """Given a registration; when another event registers the customer again; then there are no more points."""
    life = Life().happen(activity("customer.registered", "a"), activity("customer.registered", "b"))

    assert life.kinds() == [("earn", "welcome", 100)]


def test_a_limit_per_period_holds_in_every_window() -> None:
    """Given at most 2 reviews a month; when 3 come in one, and 1 a month later; then 3 are rewarded."""
    life = Life().happen(
        *(
            activity("review.posted", f"r{day}", at=NOW + timedelta(days=day), rating=5)
            for day in (0, 10, 20, 31)
        )
    )

    assert life.kinds() == [("earn", "review", 50)] * 3


def test_a_late_event_cannot_slip_through_a_limit() -> None:
    """Given 2 reviews on days 10 and 20; when one of day 15 arrives late; then it gives nothing."""
    life = Life().happen(
        *(
            activity("review.posted", f"r{day}", at=NOW + timedelta(days=day), rating=5)
            for day in (10, 20, 15)
        )
    )

    assert len(life.kinds()) == 2


def test_a_limit_per_field_counts_each_value() -> None:
    """Given one follow per network; when two networks are followed, one twice; then 2 are rewarded."""
    life = Life().happen(
        activity("social.followed", "1", network="x"),
        activity("social.followed", "2", network="x"),
        activity("social.followed", "3", network="y"),
    )

    assert life.member.available == 40


def test_a_milestone_is_reached_once_and_gives_its_offer_a_code() -> None:
    """Given an offer for the fifth order; when the fact says five twice; then there is one code."""
    five = {"orders": 5}
    life = Life().happen(order("5", "10", facts=five), activity("page.viewed", "p", facts=five))

    (offer,) = life.changes.offers
    assert offer.offer == "fifth"
    assert offer.gift == "tote-bag"
    assert offer.valid_until == datetime(2026, 8, 1, 4, tzinfo=UTC)
    assert life.told().count("offer.issued") == 1


def test_milestone_points_are_posted_under_the_milestones_name() -> None:
    """Given 500 points for the tenth order; when it comes; then the ledger says so."""
    life = Life().happen(order("10", "10", facts={"orders": 10}))

    assert ("earn", "tenth-order", 500) in life.kinds()


def test_a_historical_activity_earns_and_its_outcomes_say_that_it_is_history() -> None:
    """Given imported history; when an order of it is taken; then points are there, marked for nobody to be told."""
    life = Life().happen(order("1", "250", historical=True, facts={"orders": 5}))

    assert life.member.available == 250
    assert {"points.earned", "tier.changed", "offer.issued", "milestone.reached"} == set(life.told())
    assert all(outcome.historical for outcome in life.changes.outcomes)


def test_what_shall_earn_nothing_counts_towards_the_tier_alone() -> None:
    """Given history that earns nothing; when an order of it is taken that would reach a milestone, and a live one
    follows; then the first gives spend and tier alone, and the second its own points, not the other's milestone."""
    life = Life().happen(order("1", "250", historical=True, unrewarded=True, facts={"orders": 5}))

    assert (life.member.available, life.member.tier) == (0, "gold")
    assert life.told() == ["tier.changed"]

    life.happen(order("2", "10", facts={"orders": 5}))

    assert life.member.available == 10
    assert "offer.issued" not in life.told()


def test_a_refund_of_what_earned_nothing_takes_nothing() -> None:
    """Given an order that earned nothing; when it is refunded; then no points go, and the tier follows the spend."""
    life = Life().happen(order("1", "250", unrewarded=True), order("2", "30"))

    life.happen(refund("1", "r", "250", unrewarded=True))

    assert (life.member.available, life.member.tier) == (30, "member")


def test_codes_are_stable_unguessable_and_forgiving() -> None:
    """Given a key; when a code is made; then it is the same for the same cause, another under another key, and may be
    typed carelessly."""
    code = offer_code(b"k" * 32, CUSTOMER, "fifth", "cause")

    assert code == offer_code(b"k" * 32, CUSTOMER, "fifth", "cause")
    assert code != offer_code(b"x" * 32, CUSTOMER, "fifth", "cause")
    assert len(code.replace("-", "")) == 12
    assert normal_code(f" {code.lower().replace('-', ' ')} ".replace("o", "0")) == code


def test_a_registration_that_earns_nothing_uses_the_welcome_up() -> None:
    """Given a registration from history that earns nothing; when the shop tells of one again; then nobody is welcomed
    who has been there for years."""
    life = Life().happen(
        activity("customer.registered", "then", unrewarded=True), activity("customer.registered", "now")
    )

    assert life.kinds() == []


@pytest.mark.parametrize("undoing", [refund("1", "r", "10"), cancellation("1")])
def test_a_rule_on_what_undoes_an_order_gives_its_points(undoing: Activity) -> None:
    """Given points as an apology; when an order is refunded or cancelled; then they are given, and stay."""
    source = f"{HEAD}points:\n  earn:\n    - {{id: sorry, on: {undoing.type}, points: 5}}\n"
    life = Life(rulebook(source)).happen(order("1", "10"), undoing)

    assert life.kinds() == [("earn", "sorry", 5)]
