"""Earn rules with products, minimum orders, tiers and dates; refunds by line."""

from datetime import timedelta

import pytest

from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, Life, activity, cancellation, order, refund
from tests.unit.rewards.earning.earn_rules import LINES, PURCHASE, back, earned, line, rules

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


@pytest.mark.parametrize(("price", "points"), [("1.00", 1), ("0.99", 0)])
def test_a_product_of_less_than_a_point_earns_none_and_remembers_no_basket(price: str, points: int) -> None:
    """Given a point a dollar for a product; when it costs a dollar, or a cent less; then a point, or nothing."""
    life = Life(rules("{id: a, on: order.completed, points_per_unit: 1, products: [pin]}"))
    life.changes.skips = []

    life.happen(order("1", "10", lines=[line("pin", 1, price), line("hat", 1, "9")]))

    assert sum(entry.points for entry in life.changes.entries) == points
    assert (life.member.purchases["1"].basket is None) == (points == 0)
    assert [skip.why for skip in life.changes.skips] == [Why.NO_WHOLE_POINT] * (1 - points)


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


@pytest.mark.parametrize("beside", ["shipping", "tax"])
def test_a_rule_for_some_products_counts_nothing_beside_them(beside: str) -> None:
    """Given points for Kitchen; when an order of 100 costs 10 more for shipping, or tax; then the 40 of Kitchen count,
    and once they came back nothing does."""
    life = Life(rules("{id: k, on: order.completed, points_per_unit: 1, categories: [Kitchen]}"))

    life.happen(order("1", "110", lines=LINES, **{beside: "10"}))
    assert earned(life) == {"k": 40}
    life.happen(refund("1", "r", "40", lines=[back("mug", 4)]))
    assert earned(life) == {"k": 0}


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


@pytest.mark.parametrize(
    ("undone", "left"),
    [
        (refund("1", "r", "10", lines=[back("mug", 1)]), {"purchase": 90, "kitchen": 60}),
        (cancellation("1"), {"purchase": 0, "kitchen": 0}),
    ],
    ids=["refund", "cancellation"],
)
def test_a_refund_by_line_may_come_before_its_order(undone: Activity, left: dict[str, int]) -> None:
    """Given a refund by line, or a cancellation; when its order comes after; then it ends as if it had come before: all
    of its points are earned, and what is not due is taken back."""
    kitchen = "{id: kitchen, on: order.completed, multiply: 3, categories: [Kitchen]}"
    bought = order("1", "100", lines=LINES)

    before, after = (
        Life(rules(PURCHASE, kitchen)).happen(*told) for told in ((undone, bought), (bought, undone))
    )

    assert earned(before) == earned(after) == left
    assert before.kinds() == after.kinds()
    assert before.member.lifetime_earned == after.member.lifetime_earned


def test_an_order_of_nothing_but_what_is_excluded_earns_no_fixed_points() -> None:
    """Given 50 points for an order of anything but gift cards; when it has a gift card alone, or a hat too; then none,
    and the reason is said, or all."""
    fixed = rules("{id: a, on: order.completed, points: 50, without: {categories: [Gift cards]}}")
    life = Life(fixed)
    life.changes.skips = []

    life.happen(order("1", "50", lines=LINES[1:2]))
    assert (life.kinds(), [skip.why for skip in life.changes.skips]) == ([], [Why.NO_PRODUCT])
    assert earned(Life(fixed).happen(order("1", "60", lines=LINES[1:]))) == {"a": 50}


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
