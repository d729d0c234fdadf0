"""Money in whole units: exact both ways, and nothing but amounts."""

from decimal import Decimal

import pytest

from services.scoring.domain.money import decimal, units


@pytest.mark.parametrize(
    ("amount", "whole", "shown"),
    [
        ("0", 0, "0.00"),
        ("49.20", 492_000, "49.20"),
        ("500", 5_000_000, "500.00"),
        ("0.0001", 1, "0.0001"),
        ("12.345", 123_450, "12.3450"),
        ("999999999999.9999", 9_999_999_999_999_999, "999999999999.9999"),
    ],
)
def test_amounts_become_units_and_back(amount, whole, shown):
    assert units(amount) == whole
    assert str(decimal(whole)) == shown
    assert decimal(whole) == Decimal(amount)


@pytest.mark.parametrize(
    "amount", ["", ".5", "-1", "+1", "1e5", "NaN", "1.23456", "1_000", "1234567890123", " 1", "1,5", "½"]
)
def test_anything_else_is_refused(amount):
    with pytest.raises(ValueError, match="not an amount"):
        units(amount)
