"""Earn rules with products, minimum orders, tiers, dates, and caps; refunds by line."""

from datetime import timedelta
from typing import Any

import pytest

from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from services.rewards.domain.verdicts import Given, verdicts
from tests.unit.rewards.building import NOW, Life, activity, cancellation, order, refund, rulebook

HEAD = "name: T\ncurrency: USD\ntime_zone: America/New_York\n"
TIERS = """
tiers:
  basis: {spend_over: P12M}
  levels: [{id: member, name: M}, {id: gold, name: G, at: 200}, {id: top, name: T, at: 1000}]
"""
PURCHASE = "{id: purchase, on: order.completed, points_per_unit: 1}"


def rules(*earn: str, count: str = "{}") -> Rulebook:
    """A program of these earn rules."""
    listed = "".join(f"    - {rule}\n" for rule in earn)
    return rulebook(f"{HEAD}points:\n  count: {count}\n  earn:\n{listed}{TIERS}")


def line(sku: str, quantity: int, price: str, category: str | None = None, **more: Any) -> dict[str, Any]:
    """A line of an order."""
    return {"sku": sku, "quantity": quantity, "unit_price": price, "category": category, **more}


def back(sku: str, quantity: int, amount: str | None = None) -> dict[str, Any]:
    """A line of a refund."""
    return {"sku": sku, "quantity": quantity, "amount": amount}


LINES = [line("mug", 4, "10", "Kitchen"), line("gift", 1, "50", "Gift cards"), line("hat", 1, "10")]


def earned(life: Life) -> dict[str | None, int]:
    """Points that are left of what each rule gave."""
    left: dict[str | None, int] = {}
    for kind, rule, points in life.kinds():
        left[rule] = left.get(rule, 0) + (points if kind == "earn" else -points)
    return left


# Products


def test_a_multiplier_for_a_category_multiplies_what_was_paid_for_it() -> None:
    """Given triple points on Kitchen; when an order has 40 of it among 100; then 80 more than the plain points."""
    life = Life(rules(PURCHASE, "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"))

    life.happen(order("1", "100", lines=LINES))

    assert earned(life) == {"purchase": 100, "kitchen": 80}


def test_excluded_products_earn_nothing() -> None:
    """Given points but for gift cards; when half the order is one; then half the points."""
    life = Life(
        rules("{id: purchase, on: order.completed, points_per_unit: 1, without: {categories: [Gift cards]}}")
    )

    life.happen(order("1", "100", lines=LINES))

    assert earned(life) == {"purchase": 50}


def test_a_discount_on_the_order_is_shared_by_its_lines() -> None:
    """Given an order of 100 for which 90 was paid; then of the 40 for Kitchen 36 count."""
    life = Life(rules("{id: k, on: order.completed, points_per_unit: 1, categories: [Kitchen]}"))

    assert earned(life.happen(order("1", "90", lines=LINES))) == {"k": 36}


def test_what_was_paid_for_a_line_counts_rather_than_its_price() -> None:
    """Given a line that tells what was paid for it; then that counts."""
    life = Life(rules("{id: k, on: order.completed, points_per_unit: 1, categories: [Kitchen]}"))
    lines = [line("mug", 4, "10", "Kitchen", amount="15"), line("hat", 1, "10")]

    assert earned(life.happen(order("1", "25", lines=lines))) == {"k": 15}


def test_a_multiplier_multiplies_no_excluded_product() -> None:
    """Given points but for gift cards, and double points for gift cards and mugs; then only mugs are doubled."""
    life = Life(
        rules(
            "{id: p, on: order.completed, points_per_unit: 1, without: {categories: [Gift cards]}}",
            "{id: d, on: order.completed, multiply: 2, products: [mug, gift]}",
        )
    )

    assert earned(life.happen(order("1", "100", lines=LINES))) == {"p": 50, "d": 40}


def test_thirds_of_a_cent_are_not_lost() -> None:
    """Given three products for 10 in all, at 3 points a dollar for one of them; then 10 points, not 9."""
    life = Life(rules("{id: a, on: order.completed, points_per_unit: 3, products: [a]}"))
    lines = [line(sku, 1, "4") for sku in "abc"]

    assert earned(life.happen(order("1", "10", lines=lines))) == {"a": 10}


def test_an_order_without_the_product_gives_nothing_and_remembers_no_basket() -> None:
    """Given fixed points for a product; when an order lacks it; then nothing, and the reason is said."""
    life = Life(rules("{id: a, on: order.completed, points: 50, products: [lamp]}"))
    life.changes.skips = []

    life.happen(order("1", "100", lines=LINES), order("2", "100"))

    assert life.kinds() == []
    assert [skip.why for skip in life.changes.skips] == [Why.NO_PRODUCT, Why.NO_PRODUCT]
    assert life.member.purchases["1"].basket is None


def test_an_ordinary_order_remembers_no_basket() -> None:
    """Given rules that ask for no product; when an order tells lines; then they are not kept."""
    life = Life().happen(order("1", "100", lines=LINES, shipping="5", tax="1"))

    assert life.member.purchases["1"].basket is None
    assert life.member.purchases["1"].grants[0].terms is None


# What counts as paid


@pytest.mark.parametrize(
    ("count", "points"),
    [
        ("{}", 100),
        ("{shipping: false}", 90),
        ("{tax: false}", 93),
        ("{shipping: false, tax: false}", 83),
        ("{discounts: true}", 120),
        ("{shipping: false, tax: false, discounts: true}", 103),
    ],
)
def test_shipping_tax_and_discounts_count_as_the_program_says(count: str, points: int) -> None:
    """Given an order of 100 with 10 for shipping, 7 of tax, and 20 taken off before."""
    life = Life(rules(PURCHASE, count=count)).happen(order("1", "100", shipping="10", tax="7", discount="20"))

    assert earned(life) == {"purchase": points}


def test_a_refund_of_the_goods_leaves_no_points_for_the_shipping() -> None:
    """Given points for goods alone; when all goods come back and the shipping is kept; then no point is left."""
    life = Life(rules(PURCHASE, count="{shipping: false}"))

    life.happen(
        order("1", "25", lines=[line("mug", 2, "10")], shipping="5"),
        refund("1", "r", "20", lines=[back("mug", 2)]),
    )

    assert earned(life) == {"purchase": 0}
    assert life.member.available == 0


# Refunds by line


def test_a_refund_by_line_takes_back_what_that_line_earned() -> None:
    """Given triple points on Kitchen; when one of four mugs comes back; then a quarter of its points."""
    life = Life(rules(PURCHASE, "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"))

    life.happen(order("1", "100", lines=LINES), refund("1", "r", "10", lines=[back("mug", 1)]))

    assert earned(life) == {"purchase": 90, "kitchen": 60}


def test_a_refund_of_another_line_leaves_the_multiplied_points() -> None:
    """Given triple points on Kitchen; when the hat comes back; then only its plain points go."""
    life = Life(rules(PURCHASE, "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"))

    life.happen(order("1", "100", lines=LINES), refund("1", "r", "10", lines=[back("hat", 1, "10")]))

    assert earned(life) == {"purchase": 90, "kitchen": 80}


def test_a_refund_without_lines_is_shared_by_all() -> None:
    """Given half of the order refunded, nobody says for what; then half of each rule's points go."""
    life = Life(rules(PURCHASE, "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"))

    life.happen(order("1", "100", lines=LINES), refund("1", "r", "50"))

    assert earned(life) == {"purchase": 50, "kitchen": 40}


def test_fixed_points_for_a_product_go_with_its_last_piece() -> None:
    """Given 50 points for a mug; when three of four come back they stay; with the last they go."""
    life = Life(rules("{id: a, on: order.completed, points: 50, products: [mug]}"))

    life.happen(order("1", "100", lines=LINES), refund("1", "r", "30", lines=[back("mug", 3)]))
    assert earned(life) == {"a": 50}

    life.happen(refund("1", "s", "10", lines=[back("mug", 1)]))
    assert earned(life) == {"a": 0}


def test_fixed_points_for_a_product_do_not_depend_on_the_currency() -> None:
    """Given an order in another currency; when another line comes back, they stay; when the product does, they go."""
    life = Life(rules(PURCHASE, "{id: a, on: order.completed, points: 50, products: [mug]}"))

    life.happen(
        order("1", "100", currency="EUR", lines=LINES), refund("1", "r", "10", lines=[back("hat", 1)])
    )
    assert earned(life) == {"a": 50}
    life.happen(refund("1", "s", "40", lines=[back("mug", 4)]))
    assert earned(life) == {"a": 0}


def test_a_refund_by_line_may_come_before_its_order() -> None:
    """Given a refund by line; when its order comes after; then it ends as if it had come before."""
    kitchen = "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"
    life = Life(rules(PURCHASE, kitchen))

    life.happen(refund("1", "r", "10", lines=[back("mug", 1)]), order("1", "100", lines=LINES))

    assert earned(life) == {"purchase": 90, "kitchen": 60}


def test_an_order_told_again_counts_by_its_first_lines() -> None:
    """Given an order told with a hat; when an earlier telling has a mug instead; then the mug counts."""
    life = Life(rules("{id: k, on: order.completed, points_per_unit: 1, products: [mug]}"))
    late = order("1", "30", lines=[line("mug", 1, "10"), line("hat", 1, "20")])
    early = order(
        "1",
        "30",
        name="early",
        at=NOW - timedelta(hours=1),
        lines=[line("mug", 2, "10"), line("hat", 1, "10")],
    )

    assert earned(Life(life.rules).happen(late)) == {"k": 10}
    assert earned(Life(life.rules).happen(late, early)) == {"k": 20}
    assert earned(Life(life.rules).happen(early, late)) == {"k": 20}


# Minimum order, tiers, dates


def test_a_minimum_order_must_be_paid_and_stay_paid() -> None:
    """Given 50 points from 100 on; when 99.99 is paid, none; when 120 is, and 30 goes back, they go too."""
    life = Life(rules("{id: big, on: order.completed, points: 50, minimum_order: 100}"))
    life.changes.skips = []

    life.happen(order("1", "99.99"), order("2", "100"), order("3", "120"))
    assert earned(life) == {"big": 100}
    assert [skip.why for skip in life.changes.skips] == [Why.MINIMUM_ORDER]

    life.happen(refund("3", "r", "20"))
    assert earned(life) == {"big": 100}
    life.happen(refund("3", "s", "0.01"))
    assert earned(life) == {"big": 50}


def test_a_minimum_order_is_an_amount_of_the_program_s_currency() -> None:
    """Given points from 100 USD on; when 500 JPY are paid; then none."""
    life = Life(rules("{id: big, on: order.completed, points: 50, minimum_order: 100}"))

    assert life.happen(order("1", "500", currency="JPY")).kinds() == []


def test_a_tier_s_multiplier_counts_from_the_order_after_the_one_that_reached_it() -> None:
    """Given 1.5 times for gold alone; when the first order makes gold, the second gets it, and in tier top no more."""
    life = Life(rules(PURCHASE, "{id: half-more, on: order.completed, multiply: 1.5, tiers: [gold]}"))

    life.happen(order("1", "200"))
    assert earned(life) == {"purchase": 200}
    life.happen(order("2", "900"))
    assert earned(life) == {"purchase": 1100, "half-more": 450}
    life.happen(order("3", "100"))
    assert earned(life) == {"purchase": 1200, "half-more": 450}


def test_the_lowest_tier_is_everybody_s_at_first() -> None:
    """Given points for members of the lowest tier; when somebody new does something; then they get them."""
    life = Life(rules("{id: r, on: review.posted, points: 5, tiers: [member]}"))

    assert earned(life.happen(activity("review.posted", "r", rating=5))) == {"r": 5}


def test_a_promotion_goes_by_when_it_happened_not_by_when_it_was_told() -> None:
    """Given a promotion on 1 June in New York; when orders of the minutes around its ends are told late; then those
    within count."""
    life = Life(rules("{id: june, on: order.completed, points: 10, from: 2026-06-01, until: 2026-06-01}"))
    midnight = NOW.replace(hour=4, minute=0)
    life.changes.skips = []

    for number, at in enumerate((-1, 0, 24 * 60 - 1, 24 * 60)):
        life.happen(order(str(number), "10", at=midnight + timedelta(minutes=at)))

    assert [entry.cause for entry in life.changes.entries] == [
        order("1", "10").id,
        order("2", "10").id,
    ]
    assert [skip.why for skip in life.changes.skips] == [Why.OTHER_DATE] * 2


# Caps


def test_a_cap_of_the_order_bounds_each_order_and_what_a_refund_leaves() -> None:
    """Given at most 50 points an order; when one of 200 is half refunded, all stay; at 30 left, 30."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {order: 50}}"))

    life.happen(order("1", "200"), refund("1", "r", "100"))
    assert earned(life) == {"p": 50}
    life.happen(refund("1", "s", "70"))
    assert earned(life) == {"p": 30}


def test_a_capped_base_is_what_is_multiplied() -> None:
    """Given at most 50 points an order, doubled; then an order of 200 gives 100, and 30 left of it 60."""
    life = Life(
        rules(
            "{id: p, on: order.completed, points_per_unit: 1, cap: {order: 50}}",
            "{id: twice, on: order.completed, multiply: 2}",
        )
    )
    life.happen(order("1", "200"))
    assert earned(life) == {"p": 50, "twice": 50}
    life.happen(refund("1", "s", "170"))
    assert earned(life) == {"p": 30, "twice": 30}


def test_a_cap_of_the_day_is_of_the_program_s_day() -> None:
    """Given at most 50 points a day in New York; when orders of 40 stand around its midnight; then each day has 50."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}"))
    midnight = NOW.replace(hour=4, minute=0)

    for number, minutes in enumerate((-2, -1, 0, 1)):
        life.happen(order(str(number), "40", at=midnight + timedelta(minutes=minutes)))

    assert [entry.points for entry in life.changes.entries] == [40, 10, 40, 10]


@pytest.mark.parametrize(
    ("cap", "points"), [("month: 100", 200), ("customer: 130", 130), ("month: 100, customer: 130", 130)]
)
def test_caps_of_the_month_and_for_ever(cap: str, points: int) -> None:
    """Given three orders of 60 in June and two in July."""
    life = Life(rules(f"{{id: p, on: order.completed, points_per_unit: 1, cap: {{{cap}}}}}"))

    for number, days in enumerate((0, 1, 2, 32, 33)):
        life.happen(order(str(number), "60", at=NOW + timedelta(days=days)))

    assert earned(life) == {"p": points}


def test_a_cap_counts_what_was_earned_whatever_is_refunded_since() -> None:
    """Given at most 50 points a day; when an order is cancelled before or after the next one; then both end alike."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}")
    first, second, undo = order("1", "40"), order("2", "40"), cancellation("1")

    ends = [
        Life(book).happen(*events).member.available
        for events in ((first, second, undo), (first, undo, second))
    ]

    assert ends == [10, 10]


def test_a_cap_holds_for_fixed_points_too() -> None:
    """Given 20 points a review and at most 50 a month; then the third gives 10 and the fourth none."""
    life = Life(rules("{id: r, on: review.posted, points: 20, cap: {month: 50}}"))
    life.changes.skips = []

    life.happen(*(activity("review.posted", f"r{n}", rating=5) for n in range(4)))

    assert [entry.points for entry in life.changes.entries] == [20, 20, 10]
    assert [skip.why for skip in life.changes.skips] == [Why.CAP]


def test_an_order_told_again_does_not_slip_through_a_cap() -> None:
    """Given at most 50 points a day; when an order of 40 is told again as one of 90 an hour before; then 10 more."""
    life = Life(rules("{id: p, on: order.completed, points_per_unit: 1, cap: {day: 50}}"))

    life.happen(order("1", "40"), order("1", "90", name="early", at=NOW - timedelta(hours=1)))
    assert earned(life) == {"p": 50}
    life.happen(order("2", "40"))
    assert earned(life) == {"p": 50}


def test_a_budget_for_all_is_given_once() -> None:
    """Given 50 points for all customers together; when two customers earn 40; then 40 and 10."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {program: 50}}")
    one, other = Life(book), Life(book)
    other.changes.budgets = one.changes.budgets

    one.happen(order("1", "40"))
    other.happen(order("2", "40"), order("3", "40"))

    assert (one.member.available, other.member.available) == (40, 10)


def test_a_budget_that_was_used_up_is_the_reason_told_later() -> None:
    """Given a budget that another customer has used up; when somebody asks why their order earned nothing; then that is
    the reason, and who had points of it is not told so."""
    book = rules("{id: p, on: order.completed, points_per_unit: 1, cap: {program: 40}}")
    asked, life = order("1", "40"), Life(book)
    before = Life(book).member

    (nothing,) = verdicts(asked, before, book, {}, now=NOW)
    (something,) = verdicts(asked, life.member, book, {"p": Given(points=40)}, now=NOW)

    assert (nothing.why, something.why) == (Why.CAP, None)
