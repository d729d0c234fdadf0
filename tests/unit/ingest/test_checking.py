"""What makes an event right, and what is said of one that is not."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.domain.checking import Checked, check
from services.ingest.domain.faults import Fault
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.events import whole
from tests.support.catalogue_examples import CUSTOMER, DATA
from tests.support.events import event, order

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def faults(given: Any) -> dict[str, str]:
    """Pointer to code of everything wrong with an event."""
    result = check(given, NOW)
    assert isinstance(result, list), f"taken: {result}"
    assert all(fault.detail for fault in result)
    return {fault.pointer: fault.code for fault in result}


def taken(given: Any) -> Checked:
    """The event, which must be right."""
    result = check(given, NOW)
    assert isinstance(result, Checked), result
    return result


def without(given: dict[str, Any], key: str) -> dict[str, Any]:
    """The event without one attribute."""
    return {name: value for name, value in given.items() if name != key}


def test_every_type_has_an_example() -> None:
    """Given the catalogue; then no type is left untested below."""
    assert DATA.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("type_", CATALOGUE)
def test_full_event_is_taken_and_nothing_of_it_is_lost(type_: str) -> None:
    """Given an event that uses every field of its type; then it is taken whole, and only what is known is in it."""
    given = event(type_, customer=CUSTOMER, **DATA[type_])
    before = copy.deepcopy(given)

    result = taken(given)

    assert whole(result.plain, result.hidden) == given["data"]
    assert result.unknown == []
    assert given == before, "the input must not be changed"


@pytest.mark.parametrize("type_", CATALOGUE)
def test_each_required_field_is_asked_for(type_: str) -> None:
    """Given an event without data beside the customer; then exactly the required fields are named."""
    required = {
        f"/data/{name}"
        for name in CATALOGUE[type_].__struct_fields__
        if name != "customer" and name not in _optional(type_)
    }
    given = event(type_)

    if required:
        assert faults(given) == dict.fromkeys(required, "required")
    else:
        taken(given)


def _optional(type_: str) -> set[str]:
    import msgspec

    return {field.name for field in msgspec.structs.fields(CATALOGUE[type_]) if not field.required}


BAD_ENVELOPES: list[tuple[str, Any, dict[str, str]]] = [
    ("not an object", 17, {"": "wrong_type"}),
    ("a list", [], {"": "wrong_type"}),
    ("null", None, {"": "wrong_type"}),
    ("empty", {}, {"/type": "required"}),
    ("type missing", without(order(), "type"), {"/type": "required"}),
    ("type no text", order() | {"type": 5}, {"/type": "wrong_type"}),
    ("type unknown", order() | {"type": "order.complete"}, {"/type": "unknown_type"}),
    ("type of ours but in capitals", order() | {"type": "Order.Completed"}, {"/type": "unknown_type"}),
    ("type only a prefix", order() | {"type": "x."}, {"/type": "unknown_type"}),
    ("type too long", order() | {"type": "x." + "y" * 200}, {"/type": "unknown_type"}),
    ("type with a NUL", event("x.a\0b"), {"/type": "nul_character"}),
    ("id missing", without(order(), "id"), {"/id": "required"}),
    ("id empty", order() | {"id": ""}, {"/id": "too_short"}),
    ("id too long", order() | {"id": "i" * 201}, {"/id": "too_long"}),
    ("id a number", order() | {"id": 17}, {"/id": "wrong_type"}),
    ("id with a NUL", order() | {"id": "a\0"}, {"/id": "nul_character"}),
    ("source missing", without(order(), "source"), {"/source": "required"}),
    ("source too long", order() | {"source": "s" * 201}, {"/source": "too_long"}),
    ("source that is ours", order() | {"source": "regulars"}, {"/source": "reserved_source"}),
    ("time missing", without(order(), "time"), {"/time": "required"}),
    ("time null", order() | {"time": None}, {"/time": "wrong_type"}),
    ("time a number", order() | {"time": 1780000000}, {"/time": "wrong_type"}),
    ("time naive", order() | {"time": "2026-06-01T10:00:00"}, {"/time": "naive_time"}),
    ("time no time", order() | {"time": "yesterday"}, {"/time": "wrong_format"}),
    ("time only a day", order() | {"time": "2026-06-01"}, {"/time": "wrong_format"}),
    ("time that never was", order() | {"time": "2026-02-30T10:00:00Z"}, {"/time": "wrong_format"}),
    ("time ahead", order() | {"time": "2026-06-01T12:05:01Z"}, {"/time": "time_in_future"}),
    ("time ahead by offset", order() | {"time": "2026-06-01T12:00:00-01:00"}, {"/time": "time_in_future"}),
    ("time far ahead", order() | {"time": "9999-12-31T23:59:59-14:00"}, {"/time": "time_in_future"}),
    ("time of old", order() | {"time": "1969-12-31T23:59:59Z"}, {"/time": "time_too_early"}),
    ("time of the first year", order() | {"time": "0001-01-01T00:00:00+14:00"}, {"/time": "time_too_early"}),
    ("data missing", without(order(), "data"), {"/data": "required"}),
    ("data null", order() | {"data": None}, {"/data": "wrong_type"}),
    ("data a list", order() | {"data": []}, {"/data": "wrong_type"}),
    ("another CloudEvents version", order() | {"specversion": "0.3"}, {"/specversion": "unknown_value"}),
    ("another content type", order() | {"datacontenttype": "text/xml"}, {"/datacontenttype": "wrong_format"}),
    (
        "an extension too deep",
        order() | {"x": [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]},
        {"/x" + "/0" * 15: "too_deep"},
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"), [case[1:] for case in BAD_ENVELOPES], ids=[case[0] for case in BAD_ENVELOPES]
)
def test_bad_envelope_is_refused_with_its_place(given: Any, expected: dict[str, str]) -> None:
    """Given an event with a bad envelope; then the place and the code say so, and nothing else is blamed."""
    assert faults(given) == expected


def line(**changes: Any) -> list[dict[str, Any]]:
    """Two lines of which the second is changed."""
    good = {"sku": "A-1", "quantity": 1, "unit_price": "12.30"}
    return [good, good | changes]


BAD_DATA: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("customer missing", without(order()["data"], "customer"), {"/customer": "required"}),
    ("customer null", {"customer": None}, {"/customer": "wrong_type"}),
    ("customer empty", {"customer": {}}, {"/customer": "customer_unidentified"}),
    (
        "customer with null ids",
        {"customer": {"id": None, "email": None}},
        {"/customer": "customer_unidentified"},
    ),
    ("customer with a name only", {"customer": {"name": "Ana"}}, {"/customer": "customer_unidentified"}),
    ("customer with a blank id", {"customer": {"id": "  "}}, {"/customer": "customer_unidentified"}),
    ("customer id a number", {"customer": {"id": 42}}, {"/customer/id": "wrong_type"}),
    ("customer id empty", {"customer": {"id": ""}}, {"/customer/id": "too_short"}),
    ("customer id too long", {"customer": {"id": "c" * 201}}, {"/customer/id": "too_long"}),
    (
        "customer id like one of ours",
        {"customer": {"id": "cus_ata5w4izud3avm4rfw4jvvhr"}},
        {"/customer/id": "wrong_format"},
    ),
    ("customer id with a NUL", {"customer": {"id": "a\0b"}}, {"/customer/id": "nul_character"}),
    ("e-mail none", {"customer": {"email": "ana"}}, {"/customer/email": "wrong_format"}),
    ("e-mail two", {"customer": {"email": "a@b.c,d@e.f"}}, {"/customer/email": "wrong_format"}),
    ("e-mail with a line break", {"customer": {"email": "a@b.cd\n"}}, {"/customer/email": "wrong_format"}),
    ("e-mail too long", {"customer": {"email": "a@" + "b" * 400 + ".c"}}, {"/customer/email": "too_long"}),
    ("phone without digits", {"customer": {"phone": "+-- (  )"}}, {"/customer/phone": "wrong_format"}),
    ("phone of words", {"customer": {"phone": "call me"}}, {"/customer/phone": "wrong_format"}),
    ("card number", {"customer": {"card": "4111111111111111"}}, {"/customer/card": "card_number"}),
    ("card number in groups", {"customer": {"card": "3782-822463-10005"}}, {"/customer/card": "card_number"}),
    (
        "card number with a prefix, beside an id",
        {"customer": {"id": "c", "card": "pan:5555 5555 5555 4444"}},
        {"/customer/card": "card_number"},
    ),
    ("card empty", {"customer": {"card": ""}}, {"/customer/card": "too_short"}),
    (
        "birthday that never was",
        {"customer": {"id": "a", "birthday": "1990-02-30"}},
        {"/customer/birthday": "wrong_format"},
    ),
    ("address a text", {"customer": {"id": "a", "address": "x"}}, {"/customer/address": "wrong_type"}),
    (
        "consent a text",
        {"customer": {"id": "a", "consent": {"sms": "yes"}}},
        {"/customer/consent/sms": "wrong_type"},
    ),
    ("total a number", {"total": 49.2}, {"/total": "wrong_type"}),
    ("total negative", {"total": "-1"}, {"/total": "wrong_format"}),
    ("total with an exponent", {"total": "1e3"}, {"/total": "wrong_format"}),
    ("total in words", {"total": "NaN"}, {"/total": "wrong_format"}),
    ("total infinite", {"total": "Infinity"}, {"/total": "wrong_format"}),
    ("total absurd", {"total": "1" * 13}, {"/total": "wrong_format"}),
    ("total too exact", {"total": "1.00001"}, {"/total": "wrong_format"}),
    ("total with a line break", {"total": "1.00\n"}, {"/total": "wrong_format"}),
    ("total in other digits", {"total": "١٢"}, {"/total": "wrong_format"}),
    ("total with separators", {"total": "1,000.00"}, {"/total": "wrong_format"}),
    ("currency in small letters", {"currency": "usd"}, {"/currency": "wrong_format"}),
    ("currency a sign", {"currency": "$"}, {"/currency": "wrong_format"}),
    ("channel empty", {"channel": ""}, {"/channel": "too_short"}),
    ("lines an object", {"lines": {}}, {"/lines": "wrong_type"}),
    ("lines of texts", {"lines": ["A-1"]}, {"/lines/0": "wrong_type"}),
    ("too many lines", {"lines": line()[:1] * 1001}, {"/lines": "too_long"}),
    ("quantity zero", {"lines": line(quantity=0)}, {"/lines/1/quantity": "out_of_range"}),
    ("quantity negative", {"lines": line(quantity=-1)}, {"/lines/1/quantity": "out_of_range"}),
    ("quantity a text", {"lines": line(quantity="1")}, {"/lines/1/quantity": "wrong_type"}),
    ("quantity a half", {"lines": line(quantity=0.5)}, {"/lines/1/quantity": "wrong_type"}),
    ("quantity true", {"lines": line(quantity=True)}, {"/lines/1/quantity": "wrong_type"}),
    ("quantity beyond 64 bits", {"lines": line(quantity=2**64)}, {"/lines/1/quantity": "out_of_range"}),
    ("price missing", {"lines": [{"sku": "A", "quantity": 1}]}, {"/lines/0/unit_price": "required"}),
    ("unknown number beyond 64 bits", {"weight": 2**63}, {"/weight": "number_out_of_range"}),
    ("unknown text with a NUL", {"note": {"a": ["\0"]}}, {"/note/a/0": "nul_character"}),
    ("unknown key with a NUL", {"a\0b": 1}, {"": "bad_key"}),
    ("unknown key too long", {"k" * 201: 1}, {"": "bad_key"}),
    (
        "address with a bad key",
        {"customer": {"id": "a", "address": {"k" * 201: 1}}},
        {"/customer/address": "bad_key"},
    ),
    (
        "address with a slash in its path",
        {"customer": {"id": "a", "address": {"a/b~c": "\0"}}},
        {"/customer/address/a~1b~0c": "nul_character"},
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"), [case[1:] for case in BAD_DATA], ids=[case[0] for case in BAD_DATA]
)
def test_bad_data_is_refused_with_its_place(changes: dict[str, Any], expected: dict[str, str]) -> None:
    """Given an order with something wrong in its data; then place and code say so, and nothing else is blamed."""
    given = order()
    given["data"] = (
        changes if "customer" not in changes and "order_id" in changes else given["data"] | changes
    )

    assert faults(given) == {f"/data{pointer}": code for pointer, code in expected.items()}


def test_all_faults_of_an_event_are_told_at_once() -> None:
    """Given an event with faults in three places; then all three are named."""
    given = order(total=1, lines=line(quantity=0)) | {"time": "2026-06-01T10:00:00"}

    assert faults(given) == {
        "/time": "naive_time",
        "/data/total": "wrong_type",
        "/data/lines/1/quantity": "out_of_range",
    }


def test_naive_time_is_refused_with_the_remedy() -> None:
    """Given a time without an offset; then the sender is told what to write instead."""
    (fault,) = check(order() | {"time": "2026-06-01T10:00:00"}, NOW)

    assert isinstance(fault, Fault)
    assert "2026-06-01T10:00:00Z" in fault.detail


def test_unknown_type_is_told_the_nearest_known_one() -> None:
    """Given a misspelt type; then the right one is named."""
    for misspelt, meant in [
        ("order.complete", "order.completed"),
        ("ticket.open", "ticket.opened"),
        ("reviewposted", "review.posted"),
    ]:
        (fault,) = check(event(misspelt), NOW)
        assert isinstance(fault, Fault)
        assert meant in fault.detail


def test_choices_are_named() -> None:
    """Given a priority that does not exist; then those that do are named."""
    (fault,) = check(event("ticket.opened", ticket_id="t", priority="asap"), NOW)

    assert isinstance(fault, Fault)
    assert (fault.pointer, fault.code) == ("/data/priority", "unknown_value")
    assert "low, normal, high, urgent" in fault.detail


def test_personal_text_is_not_repeated_in_what_is_said_of_it() -> None:
    """Given a bad e-mail address; then the answer does not carry it on (into logs, into dashboards)."""
    (fault,) = check(order(customer={"email": "zaphod at example"}), NOW)

    assert isinstance(fault, Fault)
    assert "zaphod" not in fault.detail


def test_time_is_turned_to_utc() -> None:
    """Given a time with another offset; then it is the same moment in UTC."""
    assert taken(order() | {"time": "2026-06-01T12:00:00+02:00"}).time == datetime(2026, 6, 1, 10, tzinfo=UTC)


def test_clock_may_run_ahead_a_little() -> None:
    """Given an event five minutes ahead of our clock; then it is taken."""
    taken(order() | {"time": "2026-06-01T12:05:00Z"})


@pytest.mark.parametrize(
    "token", ["tok_1MzZq2eZvKYlo2C", "411111******1111", "4111111111111112", "9f4111111111111111ab", "XyZ-42"]
)
def test_a_token_of_a_card_is_taken_and_sealed(token: str) -> None:
    """Given what stands for a card and is no card's number; then it is an identifier, and does not travel plain."""
    result = taken(order(customer={"card": token}))

    assert result.identifiers == {"card": token}
    assert result.hidden == {"customer": {"card": token}}


def test_a_card_number_is_not_repeated_in_the_answer() -> None:
    """Given a card's number; when it is refused; then nothing that is said holds it."""
    faults = check(order(customer={"card": "4111111111111111"}), NOW)

    assert "4111" not in repr(faults)


def test_identifiers_come_strongest_first() -> None:
    """Given identifiers in any order, one of them null; then those given are there, the shop's id first."""
    result = taken(order(customer={"anonymous_id": "w", "email": "a@b.cd", "phone": None, "id": "c"}))

    assert list(result.identifiers.items()) == [("id", "c"), ("email", "a@b.cd"), ("anonymous_id", "w")]


def test_cloudevents_attributes_are_fine_and_extensions_are_kept() -> None:
    """Given a CloudEvent with attributes of the standard and of others; then it is taken, the others kept."""
    given = order() | {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "traceparent": "00-1",
        "subject": "s",
    }

    assert taken(given).extensions == {"traceparent": "00-1", "subject": "s"}


def test_own_type_takes_anything_beside_the_customer() -> None:
    """Given an event of the shop's own type; then its data travels as it is, and the customer sealed."""
    data = {"level": 3, "tags": ["a", {"b": None}], "total": -1.5}

    result = taken(event("x.level.reached", **data))

    assert result.plain == data
    assert result.hidden == {"customer": {"id": "c-42", "email": "ana@example.com"}}
    assert result.unknown == []


def test_own_type_needs_a_customer_too() -> None:
    """Given an event of the shop's own type without a customer; then it is refused."""
    given = event("x.level.reached", level=3)
    del given["data"]["customer"]

    assert faults(given) == {"/data/customer": "required"}


def test_own_type_is_looked_through() -> None:
    """Given an event of the shop's own type with a number that nobody can keep; then it is refused."""
    assert faults(event("x.level", deep={"a": [2**63]})) == {"/data/deep/a/0": "number_out_of_range"}


def test_depth_is_bounded_exactly() -> None:
    """Given data nested up to the limit and one beyond; then the first is taken and the second refused."""

    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return event("x.deep", value=value)

    taken(nested(14))  # event and data are two more
    assert faults(nested(15)) == {"/data/value" + "/0" * 14: "too_deep"}
