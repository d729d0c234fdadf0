"""Amounts and moments as shops write them; never a guess."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.importing.reading.faults import CellError
from deploy.importing.reading.values import moment, money, pieces

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("49.20", "49.20"),
        ("49", "49"),
        ("0", "0"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("$1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("49.20 USD", "49.20"),
        ("US$ 49.20", "49.20"),
        ("€49.20", "49.20"),
        ("49.200000", "49.2"),
    ],
)
def test_amounts_with_a_point(text: str, amount: str) -> None:
    assert money("total", text, decimal_comma=False) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [("49,20", "49.20"), ("1.234,50", "1234.50"), ("1.234", "1234"), ("1 234,50 €", "1234.50"), ("49", "49")],
)
def test_amounts_with_a_comma_by_option(text: str, amount: str) -> None:
    assert money("total", text, decimal_comma=True) == amount


@pytest.mark.parametrize(
    ("text", "decimal_comma", "why"),
    [
        ("1,234", False, "two ways"),
        ("49,20", False, "two ways"),
        ("49.20", True, "no amount"),
        ("-5.00", False, "no amount"),
        ("(5.00)", False, "no amount"),
        ("1e3", False, "no amount"),
        ("", False, "no amount"),
        ("٤٩", False, "no amount"),
        ("0.00001", False, "decimals"),
    ],
)
def test_what_is_not_sure_is_refused(text: str, decimal_comma: bool, why: str) -> None:
    with pytest.raises(CellError, match=why):
        money("total", text, decimal_comma=decimal_comma)


@given(st.decimals(0, 10**9, places=2), st.booleans())
def test_an_amount_written_either_way_is_the_same(amount: Decimal, decimal_comma: bool) -> None:
    written = f"{amount:,.2f}"
    if decimal_comma:
        written = written.translate(str.maketrans(",.", ".,"))

    assert Decimal(money("total", written, decimal_comma=decimal_comma)) == amount


@pytest.mark.parametrize(
    ("text", "zone", "form", "utc"),
    [
        ("2024-03-04T10:11:12Z", None, None, "2024-03-04T10:11:12Z"),
        ("2024-03-04 10:11:12 -0500", None, None, "2024-03-04T15:11:12Z"),
        ("2024-03-04 10:11:12 UTC", BERLIN, None, "2024-03-04T10:11:12Z"),
        ("2024-03-04 10:11", BERLIN, None, "2024-03-04T09:11:00Z"),
        ("2024-07-04 10:11", BERLIN, None, "2024-07-04T08:11:00Z"),
        ("2024-03-04", BERLIN, None, "2024-03-03T23:00:00Z"),
        ("Mar 4, 2024 10:11:12 PM", BERLIN, None, "2024-03-04T21:11:12Z"),
        ("04/03/2024 10:11", BERLIN, "%d/%m/%Y %H:%M", "2024-03-04T09:11:00Z"),
    ],
)
def test_moments(text: str, zone: ZoneInfo | None, form: str | None, utc: str) -> None:
    assert moment("time", text, zone, form) == utc


@pytest.mark.parametrize("text", ["04/03/2024", "yesterday", "", "2024-02-30T00:00:00Z", "2024-03-04 10:11"])
def test_moments_that_are_not_sure_are_refused(text: str) -> None:
    with pytest.raises(CellError):
        moment("time", text, None, None)


@pytest.mark.parametrize(
    ("text", "count"), [("2", 2), ("2.0000", 2), ("0", None), ("1.5", None), ("x", None), ("-1", None)]
)
def test_pieces(text: str, count: int | None) -> None:
    assert pieces(text) == count
