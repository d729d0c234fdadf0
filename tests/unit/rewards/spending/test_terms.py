"""The terms of offers and rewards: each one alone, to its edge; and what a discount takes off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.rewards.domain.spending.carts import EMPTY, Cart, CartLine
from services.rewards.domain.spending.terms import Claimant, discount, unmet
from shared.program.model.offers import OfferTemplate
from shared.program.model.program import Program
from tests.unit.program.texts import load
from tests.unit.rewards.building import NOW

TIERS = "tiers: {basis: {spend_over: P1Y}, levels: [{id: member, name: M}, {id: gold, name: Gold, at: 5}]}\n"


def program(offer: str, currency: str = "USD") -> tuple[Program, OfferTemplate]:
    """A program with one offer, `a`."""
    loaded = load(TIERS + f"offers: {{a: {{valid_for: P1Y, {offer}}}}}")
    return replace(loaded, currency=currency), loaded.offers["a"]


def reason(offer: str, cart: Cart = EMPTY, now: datetime = NOW, **standing: Any) -> str | None:
    """Why it cannot be had."""
    rules, template = program(offer)
    found = unmet(template, cart, Claimant(**standing), rules, now)
    return found.reason.value if found is not None else None


def cart(total: str | None = None, *lines: tuple[str, str, str | None], **more: Any) -> Cart:
    """An order of lines (sku, price, category)."""
    made = tuple(
        CartLine(sku=sku, unit_price=Decimal(price), category=category) for sku, price, category in lines
    )
    return Cart(total=Decimal(total) if total is not None else None, lines=made, **more)


def ago(**time: float) -> datetime:
    """A moment before now."""
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("offer", "order", "standing", "why"),
    [
        ("gift: pen", EMPTY, {}, None),
        ("gift: pen, tiers: [gold]", EMPTY, {"tier": "gold"}, None),
        ("gift: pen, tiers: [gold]", EMPTY, {"tier": "member"}, "wrong_tier"),
        ("gift: pen, tiers: [gold]", EMPTY, {}, "wrong_tier"),
        ("gift: pen, stock: 3", EMPTY, {"taken": 2}, None),
        ("gift: pen, stock: 3", EMPTY, {"taken": 3}, "out_of_stock"),
        ("gift: pen, limit: {times: 2}", EMPTY, {"uses": [ago(days=900)]}, None),
        ("gift: pen, limit: {times: 2}", EMPTY, {"uses": [ago(days=900), ago(days=1)]}, "limit_reached"),
        ("gift: pen, limit: {times: 1, per: P30D}", EMPTY, {"uses": [ago(days=30)]}, None),
        (
            "gift: pen, limit: {times: 1, per: P30D}",
            EMPTY,
            {"uses": [ago(days=30, seconds=-1)]},
            "limit_reached",
        ),
        ("gift: pen, minimum_order: 50", cart("50"), {}, None),
        ("gift: pen, minimum_order: 50", cart("49.99"), {}, "below_minimum_order"),
        ("gift: pen, minimum_order: 50", EMPTY, {}, "order_needed"),
        ("gift: pen, minimum_order: 50", cart(None, ("A", "30", None), ("B", "20", None)), {}, None),
        ("gift: pen, minimum_order: 50", cart("90", currency="EUR"), {}, "currency_mismatch"),
        ("discount: {amount: 5}", cart("90", currency="EUR"), {}, "currency_mismatch"),
        ("discount: {percent: 5}", cart("90", currency="EUR"), {}, None),
        ("discount: {percent: 5, at_most: 3}", cart("90", currency="EUR"), {}, "currency_mismatch"),
        ("discount: {percent: 5}, products: [A]", cart("90"), {}, "order_needed"),
        ("discount: {percent: 5}, categories: [Toys]", cart("90"), {}, "order_needed"),
        ("discount: {percent: 5}, products: [A]", cart("90", ("B", "90", None)), {}, "products_missing"),
        ("discount: {percent: 5}, categories: [Toys]", cart("90", ("B", "90", "Toys")), {}, None),
    ],
)
def test_a_term_holds_to_its_edge(offer: str, order: Cart, standing: dict[str, Any], why: str | None) -> None:
    assert reason(offer, order, **standing) == why


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (datetime(2026, 5, 31, 23, 59, 59, 999999, tzinfo=UTC), "not_yet_valid"),
        (datetime(2026, 6, 1, tzinfo=UTC), None),
        (datetime(2026, 6, 30, 23, 59, 59, 999999, tzinfo=UTC), None),
        (datetime(2026, 7, 1, tzinfo=UTC), "expired"),
    ],
)
def test_days_hold_from_the_first_midnight_to_the_last(now: datetime, why: str | None) -> None:
    assert reason("gift: pen, from: 2026-06-01, until: 2026-06-30", now=now) == why


@pytest.mark.parametrize(
    ("offer", "order", "standing", "detail", "extra"),
    [
        (
            "gift: pen, minimum_order: 50",
            cart("46.80"),
            {},
            "The order comes to less than 50 USD.",
            {"minimum_order": "50", "missing": "3.20"},
        ),
        (
            "gift: pen, from: 2026-06-02",
            EMPTY,
            {},
            "It is not valid yet.",
            {"valid_from": datetime(2026, 6, 2, tzinfo=UTC)},
        ),
        (
            "gift: pen, until: 2026-05-31",
            EMPTY,
            {},
            "It has expired.",
            {"valid_until": datetime(2026, 6, 1, tzinfo=UTC)},
        ),
        (
            "gift: pen, tiers: [gold]",
            EMPTY,
            {},
            "It is for customers of tier Gold.",
            {"tiers": ["gold"]},
        ),
        ("gift: pen, stock: 3", EMPTY, {"taken": 3}, "All of it has been given.", {}),
        (
            "gift: pen, limit: {times: 1}",
            EMPTY,
            {"uses": [NOW]},
            "The customer has had it as often as one customer may.",
            {"times": 1},
        ),
        (
            "discount: {amount: 5}",
            cart("90", currency="EUR"),
            {},
            "It is for orders in USD alone.",
            {"currency": "USD"},
        ),
        ("gift: pen, minimum_order: 50", EMPTY, {}, "Tell what the order comes to: order.total.", {}),
        ("gift: pen, products: [A]", cart("90"), {}, "Tell what is ordered: order.lines.", {}),
        (
            "gift: pen, products: [A]",
            cart("90", ("B", "90", None)),
            {},
            "The order has none of the products that it is for.",
            {},
        ),
    ],
)
def test_a_refusal_says_what_is_missing(
    offer: str, order: Cart, standing: dict[str, Any], detail: str, extra: dict[str, Any]
) -> None:
    """Given a term that is not met; then a checkout can show a sentence, and how much is missing."""
    rules, template = program(offer)
    found = unmet(template, order, Claimant(**standing), rules, NOW)

    assert found is not None
    assert (found.detail, found.extra) == (detail, extra)


def test_a_limit_says_when_it_may_be_had_again() -> None:
    """Given twice a month; when it was had on two days; then again when the earlier of them is a month ago."""
    rules, template = program("gift: pen, limit: {times: 2, per: P30D}")
    uses = [ago(days=40), ago(days=20), ago(days=3)]
    found = unmet(template, EMPTY, Claimant(uses=uses), rules, NOW)

    assert found is not None
    assert found.extra["again_at"] == ago(days=20) + timedelta(days=30)


def test_a_limit_counts_days_by_the_programs_clock() -> None:
    """Given once a month, in a zone that has set its clocks forward since; when it was had a month ago to the minute,
    by the clock; then it may be had again, and a minute earlier may not."""
    rules, template = program("gift: pen, limit: {times: 1, per: P1M}")
    rules = replace(rules, time_zone=ZoneInfo("America/New_York"))
    before, now = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 4, 1, 11, tzinfo=UTC)

    assert unmet(template, EMPTY, Claimant(uses=[before]), rules, now) is None
    found = unmet(template, EMPTY, Claimant(uses=[before]), rules, now - timedelta(minutes=1))
    assert found is not None
    assert found.extra["again_at"] == now


@pytest.mark.parametrize(
    ("offer", "order", "currency", "off"),
    [
        ("discount: {percent: 15}", cart("33.33"), "USD", "4.99"),
        ("discount: {percent: 15, at_most: 4}", cart("33.33"), "USD", "4.00"),
        ("discount: {percent: 100}", cart("33.33"), "USD", "33.33"),
        ("discount: {amount: 10}", cart("33.33"), "USD", "10.00"),
        ("discount: {amount: 10}", cart("3.33"), "USD", "3.33"),
        ("discount: {percent: 15}", cart("3333"), "JPY", "499"),
        ("discount: {percent: 15}", cart("3.333"), "KWD", "0.499"),
        (
            "discount: {percent: 50}, products: [A]",
            cart("30", ("A", "10", None), ("B", "20", None)),
            "USD",
            "5.00",
        ),
        (
            "discount: {percent: 50}, categories: [Toys]",
            cart("60", ("A", "10", "Toys"), ("B", "20", "Books"), ("C", "30", None)),
            "USD",
            "5.00",
        ),
        ("discount: {percent: 15}", cart("3333", currency="JPY"), "USD", "499"),
        ("discount: {percent: 15}", cart("33.33", currency="XTS"), "USD", "4.99"),
        ("discount: {amount: 15}, products: [A]", cart("30", ("A", "10", None)), "USD", "10.00"),
        ("discount: {percent: 50}, products: [A]", cart("6", ("A", "10", None)), "USD", "3.00"),
        ("discount: {amount: 500}", cart("3333"), "JPY", "500"),
        ("free_shipping: true", cart("30"), "USD", "0.00"),
        ("gift: pen", cart("30"), "USD", "0.00"),
    ],
)
def test_what_a_discount_takes_off(offer: str, order: Cart, currency: str, off: str) -> None:
    rules, template = program(offer, currency)
    assert str(discount(template, order, rules)) == off


def test_nothing_is_said_of_an_order_that_is_not_known() -> None:
    rules, template = program("discount: {percent: 15}")
    assert discount(template, EMPTY, rules) is None
