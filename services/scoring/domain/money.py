"""Money inside the fold: whole ten-thousandths of the currency's unit, so that sums are exact, fast and canonical."""

from decimal import Decimal

DECIMALS = 4
"""As many as the catalogue lets an amount have."""

Units = int
"""Ten-thousandths of a currency's unit."""

_CENT = 100
_CENTS = Decimal("0.01")
_UNIT = Decimal("0.0001")
_DIGITS_MAX = 12 + DECIMALS


def units(amount: str) -> Units:
    """The units in an amount such as `49.20`. Raises `ValueError` for anything that the catalogue does not allow."""
    whole, _, fraction = amount.partition(".")
    digits = whole + fraction.ljust(DECIMALS, "0")
    if not whole or len(fraction) > DECIMALS or len(digits) > _DIGITS_MAX or not digits.isdecimal():
        raise ValueError("not an amount of at most 12 digits and 4 decimals")
    return int(digits)


def decimal(amount: Units) -> Decimal:
    """The amount as a decimal, with two decimals, or four where it needs them."""
    if amount % _CENT:
        return amount * _UNIT
    return amount // _CENT * _CENTS
