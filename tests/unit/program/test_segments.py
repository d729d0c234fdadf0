"""Membership in segments follows from the facts alone."""

from decimal import Decimal

import pytest

from shared.contracts.activity import Facts
from shared.program import default_program_text
from shared.program.conditions.segments import SegmentRules
from shared.program.parse import load_program
from tests.unit.program.texts import load

DEFAULT = load_program(default_program_text())


def test_a_customer_is_in_every_segment_whose_condition_holds() -> None:
    facts = Facts(currency="USD", orders=1, spend_30d=Decimal("500.00"), stage="lapsed")
    assert SegmentRules(DEFAULT.segments).of(facts) == ["vip", "one-time", "inactive", "lapsed"]


def test_a_cent_below_is_not_in_it() -> None:
    assert SegmentRules(DEFAULT.segments).of(Facts(currency="USD", spend_30d=Decimal("499.99"))) == []


def test_a_program_without_segments_has_none() -> None:
    assert SegmentRules(load("").segments).of(Facts(currency="USD")) == []


@pytest.mark.parametrize("recency", range(1, 6))
@pytest.mark.parametrize("value", range(1, 6))
def test_whoever_ordered_is_in_exactly_one_rfm_class(recency: int, value: int) -> None:
    facts = Facts(currency="USD", rfm_recency=recency, rfm_value=value)
    assert len([name for name in SegmentRules(DEFAULT.segments).of(facts) if name.startswith("rfm-")]) == 1
