"""Segments compiled to Python say exactly what CEL says, of any condition and any facts."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionError, Scope
from shared.program.conditions.plain.predicate import is_plain
from shared.program.conditions.segments import SegmentRules
from tests.support.conditions import computed, conditions, with_facts

SCOPE = Scope(event=None, nested=True)


def _agree(source: str, known: Facts) -> None:
    try:
        condition = Condition.compile(source, SCOPE)
    except ConditionError:
        assume(False)
    found = SegmentRules({"asked": condition}).of(known)
    assert (found == ["asked"]) is condition.holds(known)


@settings(max_examples=1000)
@given(with_facts(conditions()))
def test_compiled_rules_and_cel_agree(asked: tuple[str, Facts]) -> None:
    _agree(*asked)


@pytest.mark.parametrize(
    "source",
    [
        "customer.spend_30d >= 500",
        "customer.orders == 1 && customer.stage in ['lapsed', 'at_risk']",
        "!(customer.spend_percentile >= 90) || 'friction' in customer.tags",
        "customer.registered_at != null && size(customer.tags) > 0",
        "customer.first_order_at >= timestamp('2026-01-01T00:00:00Z')",
        "customer.spend / customer.orders >= 50 && customer.orders % 5 < 1",
        "customer.orders >= 2 ? customer.spend > 100.50 : customer.last_order_at == customer.first_order_at",
    ],
)
def test_what_authors_write_needs_no_cel(source: str) -> None:
    assert is_plain(Condition.compile(source, SCOPE).predicate)


@pytest.mark.parametrize("source", ["customer.in_segment('vip')", "!customer.in_segment('vip')"])
@pytest.mark.parametrize("segments", [[], ["vip"], ["a", "vip"], ["vips"]])
def test_being_in_a_segment_needs_no_cel(source: str, segments: list[str]) -> None:
    condition = Condition.compile(source, Scope(event=None))
    known = Facts(currency="USD", segments=segments)
    assert is_plain(condition.predicate)
    assert condition.holds(known) is (("vip" in segments) is not source.startswith("!"))
    assert SegmentRules({"asked": condition}).of(known) == ["asked"] * condition.holds(known)


@settings(max_examples=1000)
@given(with_facts(computed()))
def test_what_is_computed_and_cel_agree(asked: tuple[str, Facts]) -> None:
    _agree(*asked)


@pytest.mark.parametrize(
    "source",
    [
        "size(customer.stage) > 20",
        "customer.last_order_at - customer.first_order_at > duration('720h')",
        "customer.spend / (customer.orders * 2) > 1",
        "customer.spend * 2 == 100",
        "customer.spend * 1e20 > 1",
    ],
)
def test_what_is_more_is_left_to_cel(source: str) -> None:
    condition = Condition.compile(source, SCOPE)
    assert not is_plain(condition.predicate)
    assert SegmentRules({"one": condition}).of(Facts(currency="USD", orders=1)) == []


def test_a_mean_needs_no_cel_and_nothing_by_nothing_is_no_number() -> None:
    condition = Condition.compile("customer.spend / customer.orders >= 50", SCOPE)
    assert is_plain(condition.predicate)
    for spend, orders, holds in ((100, 2, True), (99, 2, False), (0, 0, False), (10, 0, True)):
        facts = Facts(currency="USD", spend=Decimal(spend), orders=orders)
        assert condition.holds(facts) is holds
        assert SegmentRules({"one": condition}).of(facts) == ["one"] * holds
