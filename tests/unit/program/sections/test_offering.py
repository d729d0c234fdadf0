"""Offers with terms and codes for everybody, and the section `rewards`: what they mean, what they refuse, and where."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.program.describing.describe import describe
from shared.program.model.limit import Limit
from shared.program.model.offers import Terms
from shared.program.parse import load_program
from shared.program.values.period import Period
from tests.unit.program.texts import load, only_fault

TIERS = "tiers: {basis: {spend_over: P1Y}, levels: [{id: member, name: M}, {id: gold, name: G, at: 5}]}\n"


def test_the_terms_of_an_offer() -> None:
    """Given an offer with all terms; when it is read; then days are those of the program's zone, through the last."""
    offer = load(
        TIERS + "offers: {summer: {code: SUMMER-26, discount: {percent: 15, at_most: 30}, minimum_order: 50,"
        " products: [A-1], categories: [Toys], tiers: [gold], limit: {times: 2, per: P1M}, stock: 100,"
        " from: 2026-06-01, until: 2026-08-31, combinable: true}}"
    ).offers["summer"]

    assert (offer.code, offer.percent, offer.at_most) == ("SUMMER-26", Decimal(15), Decimal(30))
    assert offer.combinable
    assert offer.terms == Terms(
        minimum_order=Decimal(50),
        products=frozenset({"A-1"}),
        categories=frozenset({"Toys"}),
        tiers=frozenset({"gold"}),
        limit=Limit(2, Period(months=1)),
        stock=100,
        begins=datetime(2026, 6, 1, tzinfo=UTC),
        ends=datetime(2026, 9, 1, tzinfo=UTC),
    )


def test_days_are_those_of_the_programs_zone() -> None:
    """Given a zone in which clocks change in between; when a window is read; then both midnights are that zone's."""
    head = "name: T\ncurrency: USD\ntime_zone: America/New_York\n"
    terms = (
        load_program(head + "offers: {a: {code: MARCH, gift: pen, from: 2026-03-01, until: 2026-03-31}}")
        .offers["a"]
        .terms
    )
    assert terms.begins == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert terms.ends == datetime(2026, 4, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offer", "said", "path"),
    [
        ("{code: A1, gift: pen}", "cannot be a code", "offers.a.code"),
        ("{code: 'AB C D', gift: pen}", "cannot be a code", "offers.a.code"),
        ("{code: SPRING, gift: pen, valid_for: P1M}", "moment of its own", "offers.a.valid_for"),
        ("{code: SPRING, gift: pen, uses: 3}", "not counted apart", "offers.a.uses"),
        ("{code: ABCD-EFGH-IJKL, gift: pen}", "single customer", "offers.a.code"),
        ("{gift: pen, valid_for: P1M, from: 2026-02-30}", "needs a day", "offers.a.from"),
        ("{gift: pen, valid_for: P1M, from: tomorrow}", "needs a day", "offers.a.from"),
        (
            "{gift: pen, valid_for: P1M, from: 2026-02-02, until: 2026-02-01}",
            "before from",
            "offers.a.until",
        ),
        ("{gift: pen, valid_for: P1M, tiers: [goold]}", "no tier goold", "offers.a.tiers[0]"),
        ("{gift: pen, valid_for: P1M, tiers: []}", "nothing in tiers", "offers.a.tiers"),
        ("{free_shipping: true, valid_for: P1M, products: [A]}", "discount", "offers.a.products"),
        ("{discount: {percent: 5}, valid_for: P1M, products: []}", "nothing in", "offers.a.products"),
        (
            "{discount: {percent: 5}, valid_for: P1M, products: [[A]]}",
            "A name of 1",
            "offers.a.products[0]",
        ),
        (
            "{discount: {amount: 5, at_most: 3}, valid_for: P1M}",
            "bounds a percentage",
            "offers.a.discount.at_most",
        ),
        ("{gift: pen, valid_for: P1M, minimum_order: 0.001}", "cannot be paid", "offers.a.minimum_order"),
        ("{gift: pen, valid_for: P1M, stock: 0}", "between 1", "offers.a.stock"),
        ("{gift: pen, valid_for: P1M, limit: {times: 1, per: network}}", "ISO 8601", "offers.a.limit.per"),
        ("{gift: pen, valid_for: P1M, minimum: 5}", "no key minimum", "offers.a.minimum"),
    ],
)
def test_wrong_terms_are_refused(offer: str, said: str, path: str) -> None:
    fault = only_fault(TIERS + f"offers: {{a: {offer}}}")
    assert said.lower() in fault.message.lower()
    assert fault.path == path


def test_two_codes_that_read_alike_are_refused() -> None:
    fault = only_fault("offers: {a: {code: SAVE-10, gift: pen}, b: {code: savei0, gift: cup}}")
    assert "reads like" in fault.message
    assert fault.path == "offers.b.code"


def test_a_code_for_everybody_is_good_once_for_each_unless_it_says_otherwise() -> None:
    offers = load(
        "offers: {a: {code: SPRING, gift: pen}, b: {code: WINTER, gift: pen, limit: {times: 3}},"
        " c: {gift: pen, valid_for: P1M}}"
    ).offers
    assert [offers[id_].terms.limit for id_ in "abc"] == [Limit(1), Limit(3), None]


def test_a_code_for_everybody_is_not_given_to_single_customers() -> None:
    fault = only_fault(
        "offers: {a: {code: SPRING, gift: pen}}\nmilestones: [{id: m, when: 'customer.orders == 5', offer: a}]"
    )
    assert "not given to single customers" in fault.message
    assert fault.path == "milestones[0].offer"


def test_a_reward_costs_points() -> None:
    program = load("rewards: {mug: {points: 800, gift: mug, stock: 200, limit: {times: 1, per: P1Y}}}")
    reward = program.rewards["mug"]
    assert (reward.points, reward.gift, reward.terms.stock) == (800, "mug", 200)
    assert (
        describe(program)["reward:mug"]
        == "a gift: mug, for 800 points, 200 in all, at most once per 12 months"
    )


@pytest.mark.parametrize(
    ("reward", "said", "path"),
    [
        ("{gift: mug}", "points is missing", "rewards.a"),
        ("{points: 100}", "gives nothing", "rewards.a"),
        ("{points: 0, gift: mug}", "between 1", "rewards.a.points"),
        ("{points: 5, gift: mug, valid_for: P1M}", "no key valid_for", "rewards.a.valid_for"),
        ("mug", "Keys and values", "rewards.a"),
    ],
)
def test_a_wrong_reward_is_refused(reward: str, said: str, path: str) -> None:
    fault = only_fault(f"rewards: {{a: {reward}}}")
    assert said in fault.message
    assert fault.path == path


def test_the_id_of_a_reward_is_for_ever() -> None:
    body = "rewards: {mug: {points: 5, gift: mug}}"
    assert "removed before" in only_fault(body, retired_ids={"reward:mug"}).message


def test_terms_in_plain_words() -> None:
    program = load(
        TIERS
        + "offers: {a: {code: SPRING, discount: {percent: 10, at_most: 5}, categories: [Toys], tiers: [gold],"
        " minimum_order: 20, combinable: true}}"
    )
    assert describe(program)["offer:a"] == (
        "10 % off, at most 5 USD, with the code SPRING, on Toys, on orders of 20 USD or more, for gold,"
        " at most once, together with others"
    )
