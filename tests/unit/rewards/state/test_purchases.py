"""What each rule gives for what is left of an order: by its terms, by its basket, or by the total alone."""

from decimal import Decimal

import pytest

from services.rewards.domain.state.baskets import Basket, Refund
from services.rewards.domain.state.purchases import Grant, GrantTerms, Purchase, due_points
from tests.unit.rewards.building import NOW

BASKET = Basket({"mug": (4, "40"), "hat": (1, "10"), "sticker": (1, "0")}, shipping="5", tax="3")
"""What an order of 58 was made of."""


def bought(*grants: Grant, refunds: tuple[Refund, ...] = (), **more: object) -> Purchase:
    """An order of 58 for which rules gave points."""
    purchase = Purchase(
        order_id="1", placed_at=NOW, currency="USD", total=Decimal(58), counts=True, grants=list(grants)
    )
    purchase.refunds = {f"r{number}": refund for number, refund in enumerate(refunds)}
    for name, value in more.items():
        setattr(purchase, name, value)
    return purchase


def unit(terms: GrantTerms | None = None, factor: str = "1") -> Grant:
    """So many points for each dollar."""
    return Grant("unit", "unit", factor, 0, terms=terms)


def times(terms: GrantTerms | None = None) -> Grant:
    """The points of all that goes by money, once more."""
    return Grant("times", "times", "1", 0, terms=terms)


def fixed(terms: GrantTerms | None = None) -> Grant:
    """30 points."""
    return Grant("fixed", "fixed", "30", 30, terms=terms)


MUGS = GrantTerms(skus=["mug"], shipping=False, tax=False)


def back(sku: str, amount: str) -> Refund:
    """A refund of one product."""
    return Refund(amount, None, [(sku, 9, amount)])


@pytest.mark.parametrize(
    ("terms", "whole"),
    [
        (GrantTerms(most=5, minimum="10"), True),
        (GrantTerms(skus=[]), False),
        (GrantTerms(shipping=False), False),
        (GrantTerms(tax=False), False),
        (GrantTerms(discounts=True), False),
    ],
)
def test_all_that_was_paid_counts_unless_terms_leave_something_out(terms: GrantTerms, whole: bool) -> None:
    assert terms.whole is whole


def test_what_is_held_was_earned_and_not_taken_back() -> None:
    assert bought(Grant("a", "fixed", "30", 30, 10), Grant("b", "fixed", "5", 5)).held() == 25


@pytest.mark.parametrize(
    ("total", "refunded", "undone"), [("0", "0", False), ("0.50", "0.50", True), ("0.50", "0.49", False)]
)
def test_an_order_is_undone_when_all_that_was_paid_came_back(total: str, refunded: str, undone: bool) -> None:
    """Given an order of nothing, or of a little; when so much is refunded; then it is undone if that was something,
    and all."""
    assert bought(total=Decimal(total), refunds=(Refund(refunded, None),)).undone() is undone


def test_of_a_cancelled_order_nothing_is_left() -> None:
    purchase = bought(unit(), times(), fixed(), cancelled=True)
    assert (purchase.net(), purchase.undone(), due_points(purchase)) == (0, True, [0, 0, 0])


def test_an_order_that_has_yet_to_come_is_worth_nothing_and_not_undone() -> None:
    """Given an order as it was before it was placed, of which the total is known since; then nothing of it counts."""
    purchase = bought(placed_at=None)
    assert (purchase.net(), purchase.undone()) == (0, False)


@pytest.mark.parametrize(
    ("grants", "points"),
    [
        ((unit(MUGS), times(MUGS)), [40, 40]),
        ((unit(), times(MUGS)), [58, 40]),  # what shipping and tax gave is of no product
        ((unit(MUGS), times()), [40, 40]),
        ((times(MUGS), unit(MUGS), fixed(), unit(None, "2")), [120, 40, 30, 116]),
    ],
)
def test_what_is_multiplied_are_the_points_for_the_products(
    grants: tuple[Grant, ...], points: list[int]
) -> None:
    """Given rules for all, for mugs alone, in any order; then a multiplier multiplies what the products that it is for
    gave by all rules that go by money."""
    assert due_points(bought(*grants, basket=BASKET)) == points


def test_where_no_basket_is_known_all_that_was_paid_counts() -> None:
    """Given an order of which nothing but the total is known; then rules for products go by that, and fixed points for
    one stay while something of the order does."""
    some = Refund("8", None)
    assert due_points(bought(unit(MUGS), times(MUGS), fixed(MUGS), refunds=(some,))) == [50, 50, 30]


def test_money_of_another_currency_gives_nothing_by_its_basket_either() -> None:
    purchase = bought(unit(MUGS), times(MUGS), fixed(MUGS), basket=BASKET, counts=False)
    assert due_points(purchase) == [0, 0, 30]


@pytest.mark.parametrize(("minimum", "kept"), [("50", True), ("50.01", False)])
def test_a_minimum_holds_for_each_way_of_counting(minimum: str, kept: bool) -> None:
    """Given rules with a minimum order of which 50 is left; then each gives its points, or none."""
    terms = GrantTerms(minimum=minimum)
    purchase = bought(unit(), unit(terms), times(terms), fixed(terms), refunds=(Refund("8", None),))
    assert due_points(purchase) == ([50, 50, 100, 30] if kept else [50, 0, 0, 0])


def test_fixed_points_that_an_earlier_release_kept_without_their_number_are_those_earned() -> None:
    assert due_points(bought(Grant("fixed", "fixed", "", 30))) == [30]


@pytest.mark.parametrize(
    ("terms", "refunds", "points"),
    [
        (None, (back("mug", "40"), back("hat", "10")), 30),  # what was for shipping is left
        (MUGS, (back("mug", "40"),), 0),
        (MUGS, (back("hat", "10"),), 30),
        (GrantTerms(skus=["sticker"]), (back("hat", "10"),), 30),  # it was free, and nobody sent it back
    ],
)
def test_fixed_points_stay_while_something_is_left_of_what_they_were_for(
    terms: GrantTerms | None, refunds: tuple[Refund, ...], points: int
) -> None:
    """Given 30 points for an order, for its mugs or for a free sticker; when lines come back; then they stay unless all
    that they were given for is gone."""
    assert due_points(bought(fixed(terms), refunds=refunds, basket=BASKET)) == [points]


def test_fixed_points_for_a_product_of_a_few_cents_go_with_it() -> None:
    basket = Basket({"mug": (1, "0.50"), "hat": (1, "57.50")})
    assert due_points(bought(fixed(MUGS), refunds=(back("mug", "0.50"),), basket=basket)) == [0]
