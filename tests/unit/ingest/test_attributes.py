"""Attributes of the shop's own: taken in plain sight when typed and few, refused with their place otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.domain.checking import Checked, check

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def told(attributes: Any) -> Any:
    """What ingest makes of a customer with these attributes."""
    customer = {"id": "c-1", "attributes": attributes}
    event = {
        "id": "1",
        "source": "shop",
        "type": "customer.updated",
        "time": "2026-11-21T00:00:00Z",
        "data": {"customer": customer},
    }
    return check(event, NOW)


def test_texts_numbers_flags_and_null_travel_in_plain_sight() -> None:
    attributes = {"plan": "pro", "children": 2, "height": 1.8, "member": True, "old": None}

    taken = told(attributes)

    assert isinstance(taken, Checked)
    assert taken.plain == {"customer": {"attributes": attributes}}
    assert taken.sealed_fields == ["customer.id"]


@pytest.mark.parametrize(
    ("attributes", "pointer", "code"),
    [
        ({"bad name": 1}, "/bad name", "wrong_format"),
        ({"a": {"b": 1}}, "/a", "wrong_type"),
        ({"a": [1]}, "/a", "wrong_type"),
        ({"a": "x" * 201}, "/a", "too_long"),
        ({"a": 10**16}, "/a", "out_of_range"),
        ({"a": 1e300}, "/a", "out_of_range"),
        ({"a": "\0"}, "/a", "nul_character"),
        ({f"a{number}": 1 for number in range(51)}, "", "too_long"),
        ("pro", "", "wrong_type"),
    ],
)
def test_anything_else_is_refused_with_its_place(attributes: Any, pointer: str, code: str) -> None:
    (fault,) = told(attributes)

    assert (fault.pointer, fault.code) == (f"/data/customer/attributes{pointer}", code)
