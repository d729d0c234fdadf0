"""Earn rules: products, caps, dates, tiers, the referral; what is refused, and where."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.program.describing.describe import describe
from shared.program.model.earn import Cap, Counted, EarnRule, Products
from shared.program.model.ids import ids_of
from shared.program.model.limit import Limit
from shared.program.parse import load_program
from shared.program.values.period import Period
from tests.unit.program.texts import HEAD, load, only_fault

PURCHASE = "{id: purchase, on: order.completed, points_per_unit: 1}"
TIERS = "\ntiers: {basis: {spend_over: P1Y}, levels: [{id: member, name: M}, {id: gold, name: G, at: 200}]}"
NEW_YORK = HEAD.replace("UTC", "America/New_York")


def earn(rule: str, more: str = "") -> str:
    return f"points: {{earn: [{rule}]}}{more}"


def order_rule(keys: str) -> str:
    return f"{{id: a, on: order.completed, points: 5, {keys}}}"


def rule(keys: str, more: str = "") -> EarnRule:
    return load(earn(order_rule(keys), more)).points.earn[0]


def test_a_rule_names_products_amounts_tiers_and_caps() -> None:
    found = rule(
        "categories: [Kitchen, Garden], products: [A-1], without: {products: [007]}, minimum_order: 19.99,"
        " tiers: [gold], cap: {order: 10, day: 20, month: 30, customer: 40, program: 50}",
        TIERS,
    )
    assert found.only == Products(frozenset({"A-1"}), frozenset({"Kitchen", "Garden"}))
    assert found.without == Products(frozenset({"007"}))
    assert found.minimum_order == Decimal("19.99")
    assert found.tiers == {"gold"}
    assert found.cap == Cap(10, 20, 30, 40, 50)


def test_a_cap_of_the_customer_s_own_is_remembered_and_one_of_an_order_is_not() -> None:
    assert Cap(day=5).remembers
    assert Cap(month=5).remembers
    assert Cap(customer=5).remembers
    assert not Cap(order=5, program=5).remembers


@pytest.mark.parametrize(
    ("dates", "starts", "ends"),
    [
        # A day ends at its midnight in New York: standard time before 14 March 2027, summer time after.
        ("from: 2027-03-14, until: 2027-03-14", (2027, 3, 14, 5), (2027, 3, 15, 4)),
        ("from: 2027-11-07, until: 2027-11-07", (2027, 11, 7, 4), (2027, 11, 8, 5)),
        ("from: 2028-02-29, until: 2028-02-29", (2028, 2, 29, 5), (2028, 3, 1, 5)),
    ],
)
def test_a_promotion_runs_from_its_first_to_its_last_moment(
    dates: str, starts: tuple[int, ...], ends: tuple[int, ...]
) -> None:
    found = load_program(NEW_YORK + earn(order_rule(dates))).points.earn[0]

    first, last = datetime(*starts, tzinfo=UTC), datetime(*ends, tzinfo=UTC)  # type: ignore[arg-type, misc]
    assert (found.begins, found.ends) == (first, last)
    assert found.runs(first)
    assert not found.runs(last)
    assert found.runs(last.replace(microsecond=0) - (last - first) / 2)
    assert not found.runs(first - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("keys", "path", "said", "hint"),
    [
        ("without: {}", "without", "names no product", "Kitchen"),
        ("without: {category: [Kitchen]}", "without.category", "no key category", "categories"),
        ("categories: Kitchen", "categories", "needs a list", "dash"),
        ("products: []", "products", "nothing in products", "Name one"),
        ("products: [[a]]", "products[0]", "A name", ""),
        ("products: [a], without: {products: [a, b]}", "without", "No product is left", "Remove"),
        ("minimum_order: 0", "minimum_order", "more than 0", ""),
        ("minimum_order: 0.001", "minimum_order", "cannot be paid", "decimals"),
        ("tiers: []", "tiers", "nothing in tiers", "Name one"),
        ("tiers: [gold]", "tiers[0]", "no tier gold", "under tiers"),
        ("cap: {}", "cap", "caps nothing", "month"),
        ("cap: {week: 5}", "cap.week", "no key week", "Known here"),
        ("cap: {day: 0}", "cap.day", "between 1", ""),
        ("cap: {day: 50, month: 20}", "cap.day", "never reached", "raise month"),
        ("cap: {order: 50, program: 20}", "cap.order", "never reached", "raise program"),
        ("from: 2027-02-30", "from", "needs a day", "year-month-day"),
        ("until: tomorrow", "until", "needs a day", "year-month-day"),
        ("from: 2027-03-02, until: 2027-03-01", "until", "is before from", "Exchange"),
    ],
)
def test_what_can_never_fire_or_is_not_understood_is_refused(
    keys: str, path: str, said: str, hint: str
) -> None:
    fault = only_fault(earn(order_rule(keys)))
    assert said in fault.message
    assert hint in fault.hint
    assert fault.path == f"points.earn[0].{path}"
    assert fault.line == 4


@pytest.mark.parametrize(
    ("unit", "times", "said"),
    [
        ("without: {categories: [A, B]}", "categories: [A]", "these products"),
        ("until: 2027-03-31", "from: 2027-04-01", "these days"),
        ("from: 2027-04-01", "until: 2027-03-31", "these days"),
    ],
)
def test_a_multiplier_that_never_finds_anything_is_refused(unit: str, times: str, said: str) -> None:
    unit_rule = f"{{id: p, on: order.completed, points_per_unit: 1, {unit}}}"
    fault = only_fault(earn(f"{unit_rule}, {{id: m, on: order.completed, multiply: 2, {times}}}"))
    assert (fault.path, said in fault.message) == ("points.earn[1].multiply", True)


@pytest.mark.parametrize(
    ("unit", "times"),
    [
        ("without: {categories: [A]}", "categories: [A, B]"),
        ("without: {categories: [A]}", "tiers: [gold]"),
        ("from: 2027-03-01, until: 2027-03-31", "from: 2027-03-31"),
        ("categories: [A]", "products: [a]"),
    ],
)
def test_a_multiplier_that_may_find_something_is_not(unit: str, times: str) -> None:
    unit_rule = f"{{id: p, on: order.completed, points_per_unit: 1, {unit}}}"
    assert load(earn(f"{unit_rule}, {{id: m, on: order.completed, multiply: 2, {times}}}", TIERS))


def test_a_tier_that_is_misspelt_is_recognised() -> None:
    assert only_fault(earn(order_rule("tiers: [gld]"), TIERS)).hint == "Did you mean gold?"


@pytest.mark.parametrize(
    "keys",
    ["products: [a]", "categories: [a]", "without: {products: [a]}", "minimum_order: 5", "cap: {order: 5}"],
)
def test_what_asks_for_an_order_stands_on_orders_alone(keys: str) -> None:
    fault = only_fault(earn(f"{{id: a, on: review.posted, points: 5, {keys}}}"))
    assert "is no purchase" in fault.message


def test_what_counts_as_paid_is_all_of_it_unless_the_program_says_otherwise() -> None:
    assert load("").points.count == Counted(shipping=True, tax=True, discounts=False)
    assert load("points: {count: {shipping: false, discounts: true}}").points.count == Counted(
        False, True, True
    )
    assert only_fault("points: {count: {tax: no}}").path == "points.count.tax"


def test_a_referral_has_two_sides() -> None:
    referral = load(
        "points: {referral: {id: f, points: 300, friend: 100, limit: {times: 5}}}"
    ).points.referral
    assert referral is not None
    assert (referral.points, referral.friend, referral.limit) == (300, 100, Limit(5))
    assert referral.kept_for == Period.parse("P14D")


def test_a_friend_s_order_is_kept_when_its_points_can_be_spent() -> None:
    referral = load("points: {pending_for: P30D, referral: {id: f, points: 300}}").points.referral
    assert referral is not None
    assert referral.kept_for == Period.parse("P30D")


@pytest.mark.parametrize(
    ("referral", "path"),
    [
        ("{points: 5}", "points.referral"),
        ("{id: f}", "points.referral"),
        ("{id: f, points: 0}", "points.referral.points"),
        ("{id: f, points: 5, friends: 5}", "points.referral.friends"),
        ("{id: f, points: 5, kept_for: P0D}", "points.referral.kept_for"),
        ("{id: f, points: 5, limit: {times: 1, per: network}}", "points.referral.limit.per"),
        ("{id: refund, points: 5}", "points.referral.id"),
    ],
)
def test_a_wrong_referral_is_refused(referral: str, path: str) -> None:
    assert only_fault(f"points: {{referral: {referral}}}").path == path


def test_the_referral_s_id_is_a_rule_s_for_ever() -> None:
    program = load("points: {referral: {id: friends, points: 300, friend: 100, minimum_order: 20}}")
    assert "rule:friends" in ids_of(program)
    assert describe(program)["rule:friends"] == (
        "300 points for who brings a friend, 100 points for the friend, once the friend's first order of 20 USD or more"
        " has been kept for 14 days"
    )


def test_a_promotion_in_one_sentence() -> None:
    program = load(
        earn(
            PURCHASE
            + ", {id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen], tiers: [gold],"
            " without: {products: [A-1]}, minimum_order: 20, from: 2027-03-01, until: 2027-03-31,"
            " cap: {order: 100, customer: 1000, program: 50000}}",
            TIERS,
        )
    )
    assert describe(program)["rule:kitchen"] == (
        "3 times the points for what was paid for Kitchen without A-1, on order.completed of 20 USD or more, for gold,"
        " from 2027-03-01 00:00 until 2027-04-01 00:00, at most 100 points an order, 1000 points in all,"
        " 50000 points for all customers together"
    )
