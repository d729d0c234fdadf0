"""What travels in plain sight, and what is sealed."""

import pytest

from services.ingest.domain.shapes import CUSTOM_SHAPE, SHAPES
from services.ingest.domain.splitting import Notes, Object, split
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.events import whole

ANA = {"id": "c-42", "email": "ana@example.com"}


def taken_apart(data: Object, type_: str = "order.completed") -> tuple[Object, Object, Notes]:
    """Plain, hidden, notes; having made sure that the two make the whole again."""
    notes = Notes()
    plain, hidden = split(data, SHAPES.get(type_, CUSTOM_SHAPE), notes, depth=2)
    assert whole(plain, hidden) == data
    return plain, hidden, notes


@pytest.mark.parametrize("type_", CATALOGUE)
def test_contacts_and_names_are_personal_in_every_type(type_: str) -> None:
    """Given any type; then of the customer only locale, time zone, consent and attributes travel plain."""
    customer = SHAPES[type_].fields["customer"].inner
    assert customer is not None

    assert customer.plain_keys == {"locale", "time_zone", "consent", "attributes"}


def test_customer_without_plain_parts_is_not_in_the_plain_data() -> None:
    """Given a customer of identifiers only; then nothing of it is left in plain sight."""
    plain, hidden, notes = taken_apart({"customer": ANA, "total": "1"})

    assert plain == {"total": "1"}
    assert hidden == {"customer": ANA}
    assert list(notes.sealed) == ["customer.id", "customer.email"]


def test_plain_and_personal_parts_of_the_customer_part() -> None:
    """Given a customer with consent and a locale; then these stay visible and the rest does not."""
    plain, hidden, _ = taken_apart({"customer": {**ANA, "locale": "en", "consent": {"sms": True}}})

    assert plain == {"customer": {"locale": "en", "consent": {"sms": True}}}
    assert hidden == {"customer": ANA}


def test_unknown_keys_are_sealed_and_noted_but_not_named_on_the_stream() -> None:
    """Given a key that the catalogue does not know; then it is sealed, and its name only noted for the sender."""
    plain, hidden, notes = taken_apart({"customer": ANA, "total": "1", "ana@example.com": 1})

    assert plain == {"total": "1"}
    assert hidden == {"customer": ANA, "ana@example.com": 1}
    assert list(notes.unknown) == ["ana@example.com"]
    assert list(notes.sealed) == ["customer.id", "customer.email", "*"]


def test_unknown_key_in_one_line_leaves_the_others_as_they_are() -> None:
    """Given lines of which one has an unknown key; then only that key is sealed, at its place in the list."""
    lines = [{"sku": "A"}, {"sku": "B", "engraving": "for Ana"}, {"sku": "C"}]

    plain, hidden, notes = taken_apart({"customer": ANA, "lines": lines})

    assert plain == {"lines": [{"sku": "A"}, {"sku": "B"}, {"sku": "C"}]}
    assert hidden["lines"] == [{}, {"engraving": "for Ana"}, {}]
    assert list(notes.unknown) == ["lines[].engraving"]


def test_empty_objects_and_lists_survive() -> None:
    """Given empty lists and nulls; then they are still there."""
    taken_apart({"customer": ANA, "lines": [], "coupon": None})
    taken_apart({"customer": ANA, "lines": [{}, {"x": {}}], "y": []})
    taken_apart({"customer": {**ANA, "consent": {}, "address": {}}, "total": "1"})


def test_free_text_is_personal() -> None:
    """Given a review with words; then the words are sealed and the stars are not."""
    plain, hidden, _ = taken_apart({"customer": ANA, "rating": 5, "text": "I love it. Ana"}, "review.posted")

    assert plain == {"rating": 5}
    assert hidden["text"] == "I love it. Ana"


def test_own_types_travel_plain_but_for_the_customer() -> None:
    """Given an event of the shop's own type; then only the customer is sealed, unknown keys in it too."""
    plain, hidden, notes = taken_apart({"customer": {**ANA, "shoe": 42}, "level": {"a": [1]}}, "x.level")

    assert plain == {"level": {"a": [1]}}
    assert hidden == {"customer": {**ANA, "shoe": 42}}
    assert list(notes.unknown) == ["customer.shoe"]
