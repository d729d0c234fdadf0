"""The sections `tiers`, `offers` and `milestones`: what they refuse, and where."""

from decimal import Decimal

import pytest

from tests.unit.program.texts import load, only_fault

MEMBER = "{id: member, name: Member}"


def tiers(levels: str, basis: str = "{spend_over: P12M}") -> str:
    return f"tiers: {{basis: {basis}, levels: [{levels}]}}\noffers: {{code: {{gift: pen, valid_for: P1M}}}}"


@pytest.mark.parametrize(
    ("levels", "said", "path"),
    [
        ("", "nothing in levels", "tiers.levels"),
        ("{id: gold, name: Gold, at: 200}", "first level begins at 0", "tiers.levels[0].at"),
        (MEMBER + ", {id: gold, name: Gold}", "at is missing", "tiers.levels[1]"),
        (MEMBER + ", {id: gold, name: Gold, at: 0}", "not more than 0", "tiers.levels[1].at"),
        (
            MEMBER + ", {id: gold, name: Gold, at: 200}, {id: silver, name: Silver, at: 100}",
            "nobody can reach",
            "tiers.levels[2].at",
        ),
        (
            MEMBER + ", {id: gold, name: Gold, at: 200}, {id: also, name: Also, at: 200.00}",
            "nobody can reach",
            "tiers.levels[2].at",
        ),
        (MEMBER + ", {id: gold, name: Gold, at: -5}", "less than 0", "tiers.levels[1].at"),
        (MEMBER + ", {id: gold, name: Gold, at: 200.001}", "no amount", "tiers.levels[1].at"),
        (MEMBER + ", {id: gold, name: Gold, at: 10000000000000}", "more than", "tiers.levels[1].at"),
        (MEMBER + ", {id: member, name: Gold, at: 5}", "used twice", "tiers.levels[1].id"),
        ("{id: member}", "name is missing", "tiers.levels[0]"),
        ("{id: member, name: M, keep_for: P0D}", "longer than nothing", "tiers.levels[0].keep_for"),
        ("{id: member, name: M, benefits: [{}]}", "gives nothing", "tiers.levels[0].benefits[0]"),
        ("{id: member, name: M, benefits: {perk: x}}", "needs a list", "tiers.levels[0].benefits"),
        (
            "{id: member, name: M, benefits: [{offer: code}]}",
            "every is missing",
            "tiers.levels[0].benefits[0]",
        ),
        (
            "{id: member, name: M, benefits: [{offer: cod, every: P1M}]}",
            "no offer cod",
            "tiers.levels[0].benefits[0].offer",
        ),
        (
            "{id: member, name: M, benefits: [{perk: x, every: P1M}]}",
            "as long as the tier",
            "tiers.levels[0].benefits[0].every",
        ),
        (
            "{id: member, name: M, benefits: [{offer: code, every: PT1M}]}",
            "once a day",
            "tiers.levels[0].benefits[0].every",
        ),
    ],
)
def test_wrong_tiers_are_refused(levels: str, said: str, path: str) -> None:
    fault = only_fault(tiers(levels))
    assert said in fault.message
    assert fault.path == path


@pytest.mark.parametrize(
    ("more", "said", "path"),
    [
        ("basis: {points_over: P1Y}", "nothing gives any", "tiers"),
        ("basis: {orders_over: P1Y}", "whole numbers", "tiers.levels[1].at"),
        ("basis: {spend_in: calender_year}", "no year calender_year", "tiers.basis.spend_in"),
        (
            "basis: {spend_over: P1Y, orders_over: P1Y}",
            "both spend_over and orders_over",
            "tiers.basis.orders_over",
        ),
        ("basis: {spent_over: P1Y}", "no key spent_over", "tiers.basis.spent_over"),
        ("basis: {spend_over: P1Y}, grace: P0D", "longer than nothing", "tiers.grace"),
        (
            "basis: {spend_over: P1Y}, notice_before: P1Y",
            "shorter than every keep_for",
            "tiers.notice_before",
        ),
        ("basis: {spend_over: P1Y}, downgrade: two_steps", "cannot be two_steps", "tiers.downgrade"),
    ],
)
def test_wrong_policies_of_tiers_are_refused(more: str, said: str, path: str) -> None:
    gold = "{id: gold, name: Gold, at: 10.50, keep_for: P12M}"
    if "points" in more:
        gold = gold.replace("10.50", "10")
    fault = only_fault(f"tiers: {{{more}, levels: [{MEMBER}, {gold}]}}")
    assert said in fault.message
    assert fault.path == path


@pytest.mark.parametrize("more", ["grace: P1M", "notice_before: P1M", "downgrade: one_step"])
def test_what_speaks_of_the_end_of_tiers_needs_tiers_that_end(more: str) -> None:
    fault = only_fault(
        f"tiers: {{basis: {{spend_over: P1Y}}, {more}, levels: [{MEMBER}, {{id: gold, name: Gold, at: 5}}]}}"
    )
    assert "none ever ends" in fault.message


@pytest.mark.parametrize(
    ("milestone", "said", "path"),
    [
        ("at: {orders: 0}", "more than 0", "milestones[0].at.orders"),
        ("at: {orders: 2.5}", "whole number", "milestones[0].at.orders"),
        ("at: {order: 2}", "no key order", "milestones[0].at.order"),
        ("at: {score: 50}", "no key score", "milestones[0].at.score"),
        ("at: {spend_30d: 50}", "no key spend_30d", "milestones[0].at.spend_30d"),
        ("at: {orders: 2}, every: {orders: 3}", "both at and every", "milestones[0].every"),
        ("at: {orders: 2, spend: 3}", "counts one thing", "milestones[0].at"),
        ("at: {}", "counts one thing", "milestones[0].at"),
    ],
)
def test_wrong_counts_are_refused(milestone: str, said: str, path: str) -> None:
    fault = only_fault(f"milestones: [{{id: m, points: 5, {milestone}}}]")
    assert said in fault.message
    assert fault.path == path


@pytest.mark.parametrize(
    ("basis", "path"),
    [
        ("{}", "tiers.basis"),
        ("{spend_over: P0D}", "tiers.basis.spend_over"),
        ("spend", "tiers.basis"),
    ],
)
def test_a_wrong_basis_is_refused(basis: str, path: str) -> None:
    assert only_fault(tiers(MEMBER, basis)).path == path


def test_the_first_level_may_say_0() -> None:
    program = load(tiers("{id: member, name: Member, at: 0}"))
    assert program.tiers is not None
    assert program.tiers.levels[0].at == Decimal(0)


@pytest.mark.parametrize(
    ("offer", "said", "path"),
    [
        ("{valid_for: P1M}", "gives nothing", "offers.a"),
        ("{gift: pen, free_shipping: true, valid_for: P1M}", "both", "offers.a.gift"),
        ("{gift: pen}", "valid_for is missing", "offers.a"),
        ("{gift: pen, valid_for: P1M, uses: 0}", "between 1", "offers.a.uses"),
        ("{free_shipping: false, valid_for: P1M}", "gives nothing", "offers.a.free_shipping"),
        ("{free_shipping: 'true', valid_for: P1M}", "true or false", "offers.a.free_shipping"),
        ("{discount: 15, valid_for: P1M}", "Keys and values", "offers.a.discount"),
        ("{discount: {}, valid_for: P1M}", "gives nothing", "offers.a.discount"),
        ("{discount: {percent: 101}, valid_for: P1M}", "more than 100", "offers.a.discount.percent"),
        ("{discount: {percent: 0}, valid_for: P1M}", "more than 0", "offers.a.discount.percent"),
        ("{discount: {percent: 15%}, valid_for: P1M}", "needs a number", "offers.a.discount.percent"),
        ("{discount: {amount: -1}, valid_for: P1M}", "more than 0", "offers.a.discount.amount"),
        ("{discount: {amount: 1.005}, valid_for: P1M}", "cannot be paid", "offers.a.discount.amount"),
        ("{discount: {amount: 1, percent: 1}, valid_for: P1M}", "both", "offers.a.discount.amount"),
        ("free", "Keys and values", "offers.a"),
    ],
)
def test_a_wrong_offer_is_refused(offer: str, said: str, path: str) -> None:
    fault = only_fault(f"offers: {{a: {offer}}}")
    assert said in fault.message
    assert fault.path == path


def test_an_offer_may_give_free_shipping_several_times() -> None:
    offer = load("offers: {ship: {free_shipping: true, valid_for: P1M, uses: 3}}").offers["ship"]
    assert (offer.free_shipping, offer.uses) == (True, 3)


def test_offers_are_keys_and_values() -> None:
    assert "needs keys and values" in only_fault("offers: [a, b]").message


@pytest.mark.parametrize(
    ("milestone", "said", "path"),
    [
        ("{id: m, points: 5}", "when the milestone is reached", "milestones[0]"),
        ("{id: m, on: customer.birthday}", "gives nothing", "milestones[0]"),
        ("{id: m, when: 'customer.orders == 5', offer: pen}", "no offer pen", "milestones[0].offer"),
        ("{id: m, when: 'customer.orders == -5', points: 1}", "never be true", "milestones[0].when"),
        ("{id: m, when: 'customer.orders == 5.5', points: 1}", "never be true", "milestones[0].when"),
        ("{id: m, on: customer.birtday, points: 5}", "no event type", "milestones[0].on"),
    ],
)
def test_a_wrong_milestone_is_refused(milestone: str, said: str, path: str) -> None:
    fault = only_fault(f"milestones: [{milestone}]")
    assert said in fault.message
    assert fault.path == path


def test_a_milestone_may_give_points_and_an_offer() -> None:
    offer = "offers: {o: {gift: pen, valid_for: P1M}}\n"
    milestone = load(
        offer + "milestones: [{id: m, when: 'customer.orders == 5', points: 5, offer: o}]"
    ).milestones[0]
    assert (milestone.points, milestone.offer, milestone.on) == (5, "o", None)
