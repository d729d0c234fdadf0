"""Properties of refunds by line: whatever comes back in whatever order, the same is left, and all of it of all."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.state.baskets import basket_of, refund_of, rest_of
from shared.contracts.activity import Activity
from tests.unit.rewards.building import Life, order, refund
from tests.unit.rewards.earning.earn_rules import PURCHASE, earned, rules

SKUS = ("mug", "hat", "gift", "pen")
RULES = rules(
    "{id: goods, on: order.completed, points_per_unit: 2, without: {products: [gift]}}",
    "{id: mugs, on: order.completed, multiply: 3, products: [mug, gift]}",
    "{id: hat, on: order.completed, points: 25, products: [hat]}",
    "{id: big, on: order.completed, points: 30, minimum_order: 50, cap: {order: 20}}",
    count="{shipping: false, discounts: true}",
)
money = st.decimals(min_value=0, max_value=200, places=2).map(str)
lines = st.lists(
    st.fixed_dictionaries(
        {"sku": st.sampled_from(SKUS), "quantity": st.integers(1, 5), "unit_price": money},
        optional={"amount": money},
    ),
    max_size=5,
)
orders = st.fixed_dictionaries(
    {"total": money, "lines": lines}, optional={"shipping": money, "tax": money, "discount": money}
)
back = st.lists(
    st.fixed_dictionaries(
        {"sku": st.sampled_from((*SKUS, "other")), "quantity": st.integers(1, 5)}, optional={"amount": money}
    ),
    max_size=3,
)
refunds = st.lists(st.fixed_dictionaries({"total": money, "lines": back}), max_size=4)


def placed(told: dict[str, Any]) -> Activity:
    """The order as it is told."""
    return order("1", told["total"], **{key: value for key, value in told.items() if key != "total"})


def given_back(told: list[dict[str, Any]]) -> list[Activity]:
    """The refunds as they are told."""
    return [refund("1", f"r{n}", one["total"], lines=one["lines"]) for n, one in enumerate(told)]


@settings(max_examples=150)
@given(orders, refunds, st.data())
def test_what_is_left_depends_on_what_came_back_and_not_on_the_order(
    told: dict[str, Any], returned: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Given an order and refunds; when they come in any order, some twice, the order last or first; then each rule has
    the same points left, no rule more than it gave, and the ledger's balance agrees."""
    events = [placed(told), *given_back(returned)]
    straight = Life(RULES).happen(*events)
    shuffled = data.draw(st.permutations(events))

    mixed = Life(RULES).happen(*shuffled, *data.draw(st.lists(st.sampled_from(events), max_size=3)))

    left = earned(straight)
    assert {rule: points for rule, points in earned(mixed).items() if points} == {
        rule: points for rule, points in left.items() if points
    }
    assert all(points >= 0 for points in left.values())
    assert sum(left.values()) == straight.member.available == mixed.member.available


@settings(max_examples=150)
@given(orders, refunds)
def test_nothing_is_left_of_an_order_that_came_back_whole(
    told: dict[str, Any], returned: list[dict[str, Any]]
) -> None:
    """Given an order and refunds by line and without; when all its money comes back too; then no point stays."""
    life = Life(RULES).happen(placed(told), *given_back(returned), refund("1", "last", told["total"]))

    assert life.member.available == 0 or Decimal(told["total"]) == 0


@settings(max_examples=200)
@given(orders, refunds)
def test_what_is_left_of_the_parts_is_what_is_left_of_the_whole(
    told: dict[str, Any], returned: list[dict[str, Any]]
) -> None:
    """Given an order and refunds; then goods, shipping and tax that are left come to the money that is left."""
    total = Decimal(told["total"])
    valid = [refund_of(one) for one in returned]
    net = max(total - sum((Decimal(one["total"]) for one in returned), Decimal(0)), Decimal(0))

    rest = rest_of(basket_of(told), total, valid, net)

    assert rest.of(None) + rest.shipping + rest.tax == Fraction(net)
    assert all(amount >= 0 for amount in (*rest.goods.values(), rest.shipping, rest.tax))


@settings(max_examples=100)
@given(orders, refunds)
def test_a_rule_for_every_line_gives_what_a_rule_for_the_order_gives(
    told: dict[str, Any], returned: list[dict[str, Any]]
) -> None:
    """Given one rule for all that was paid and one that leaves out a product nobody bought; then they agree."""
    both = rules(
        PURCHASE, "{id: lines, on: order.completed, points_per_unit: 1, without: {products: [lamp]}}"
    )

    left = earned(Life(both).happen(placed(told), *given_back(returned)))

    assert left.get("purchase", 0) == left.get("lines", 0)
