"""`regulars trigger`: what it sends is what ingest takes."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.cli import app
from deploy.commands.examples import EXAMPLES
from deploy.commands.triggering import DEPTH_MAX, make_event, unknown_fields
from deploy.errors import LocalError
from services.ingest.domain.checking import Checked, check
from shared.contracts.catalogue import CATALOGUE

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def made(type_: str, *settings: str, customer: str | None = None) -> dict[str, Any]:
    """The event as it travels."""
    event = make_event(type_, list(settings), customer, NOW)
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    return decoded


def test_there_is_an_example_of_every_type() -> None:
    """When this fails: give one in `deploy/commands/examples.py`."""
    assert EXAMPLES.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("type_", [*CATALOGUE, "x.lesson.finished"])
def test_ingest_takes_every_example_and_knows_all_of_its_fields(type_: str) -> None:
    checked = check(made(type_), NOW)

    assert isinstance(checked, Checked), checked
    assert checked.unknown == []


def test_what_is_set_is_sent() -> None:
    event = made(
        "order.completed", "total=7.50", "lines.0.quantity=2", "lines.1.sku=B-2", "lines.1.quantity=1",
        "lines.1.unit_price=1", "coupon=SPRING", "customer.email=ana@example.com", customer="c-7",
    )  # fmt: skip

    data = event["data"]
    assert data["total"] == "7.50"
    assert data["lines"][0]["quantity"] == 2
    assert data["lines"][1] == {"sku": "B-2", "quantity": 1, "unit_price": 1}
    assert data["coupon"] == "SPRING"
    assert data["customer"] == {"id": "c-7", "email": "ana@example.com"}
    assert EXAMPLES["order.completed"]["total"] == "49.20"


def test_what_is_set_of_a_customer_is_all_that_is_told_of_them() -> None:
    moved = made("customer.updated", "customer.time_zone=Asia/Tokyo", customer="c-7")

    assert moved["data"]["customer"] == {"id": "c-7", "time_zone": "Asia/Tokyo"}


@pytest.mark.parametrize("type_", ["customer.registered", "customer.identified"])
def test_two_customers_do_not_share_the_address_of_the_example(type_: str) -> None:
    addresses = [made(type_, customer=id_)["data"]["customer"]["email"] for id_ in ("c-7", "Shop 8!", "éé")]

    assert addresses == ["c-7@example.com", "shop-8@example.com", "customer@example.com"]
    assert all(isinstance(check(made(type_, customer=id_), NOW), Checked) for id_ in ("c-7", "Shop 8!", "éé"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("x=3", 3),
        ("x=true", True),
        ("x=null", None),
        ("x=1.5", "1.5"),
        ("x=words and = signs", "words and = signs"),
        ('x={"a": [1]}', {"a": [1]}),
        ("x=", ""),
        ('x="3"', "3"),
    ],
)
def test_a_value_is_json_where_it_can_be_and_an_amount_stays_a_text(setting: str, value: object) -> None:
    assert made("x.own", setting)["data"]["x"] == value


def test_two_orders_are_two() -> None:
    first, second = made("order.completed"), made("order.completed")

    assert first["id"] != second["id"]
    assert first["data"]["order_id"] != second["data"]["order_id"]
    assert made("order.completed", "order_id=mine")["data"]["order_id"] == "mine"


@pytest.mark.parametrize(
    ("type_", "setting", "says"),
    [
        ("order.complete", "a=1", "Did you mean order.completed?"),
        ("order.completed", "total", "PATH=VALUE"),
        ("order.completed", "=1", "PATH=VALUE"),
        ("order.completed", "a..b=1", "no such place"),
        ("order.completed", "lines.7.sku=1", "a number is expected"),
        ("order.completed", "lines.first=1", "a number is expected"),
        ("order.completed", ".".join("a" * 30) + "=1", "no such place"),
    ],
)
def test_what_cannot_be_is_said(type_: str, setting: str, says: str) -> None:
    with pytest.raises(LocalError, match=says):
        made(type_, setting)


@pytest.mark.parametrize(
    ("type_", "path", "says"),
    [
        ("order.completed", "totl", "Did you mean total?"),
        ("order.completed", "lines.0.quantty", "Did you mean quantity?"),
        ("order.completed", "customer.emial", "Did you mean email?"),
        ("x.lesson.finished", "customer.emial", "Did you mean email?"),
        ("ticket.opened", "zzz", "There are: customer, ticket_id"),
    ],
)
def test_a_field_that_there_is_not_gets_the_nearest_as_a_hint_and_is_sent(
    type_: str, path: str, says: str
) -> None:
    (hint,) = unknown_fields(type_, [f"{path}=1"])
    assert says in hint
    dry = CliRunner().invoke(app, ["trigger", type_, "--set", f"{path}=1", "--dry-run"])
    assert dry.exit_code == 0
    assert says in dry.stderr


def test_what_is_known_or_the_shops_own_gets_no_hint() -> None:
    known = ["total=1", "lines.0.sku=a", "customer.email=a@b.c", "customer.attributes.level=3"]
    assert unknown_fields("order.completed", known) == []
    assert unknown_fields("x.lesson.finished", ["minutes=3", "a.b.c=1"]) == []


ANY_NAME = st.text(st.characters(codec="utf-8", exclude_characters=".="), max_size=5)
KNOWN_NAMES = st.sampled_from(["customer", "email", "total", "lines", "0", "1", "2", "sku", "new"])
ANY_NAMES = st.lists(KNOWN_NAMES, min_size=1, max_size=5) | st.lists(
    KNOWN_NAMES | ANY_NAME, min_size=1, max_size=22
)


def is_place(there: Any, names: list[str]) -> bool:
    """Whether names lead somewhere: into what is there, to the place after a list's last, or into something new."""
    if not names:
        return True
    name, *rest = names
    if isinstance(there, list):
        number = int(name) if name.isdecimal() else len(there) + 1
        return number <= len(there) and is_place(dict(enumerate(there)).get(number), rest)
    if isinstance(there, dict):
        return name != "" and is_place(there.get(name), rest)
    return is_place([] if name.isdecimal() else {}, names)


@given(ANY_NAMES, st.sampled_from(["7", "true", "7.50", "[1]", '"3"']) | st.text(max_size=10))
def test_any_path_is_set_or_refused(names: list[str], value: str) -> None:
    """Given any path; when a value is set there; then the event has it, and the rest of the example as it was; or it
    is refused because there is no such place, or because it lies too deep."""
    before = make_event("order.completed", [], None, NOW)["data"]
    try:
        event = make_event("order.completed", [f"{'.'.join(names)}={value}"], None, NOW)
    except LocalError:
        assert len(names) > DEPTH_MAX or not is_place(before, names)
        return
    assert len(names) <= DEPTH_MAX
    assert is_place(before, names)
    found = event["data"]
    for name in names:
        found = found[int(name) if isinstance(found, list) else name]
    assert found in (value, decoded(value))
    changed = {name for name in before if event["data"][name] != before[name]}
    assert changed <= {names[0], "order_id"}, "of which each event has another"


def decoded(value: str) -> Any:
    """What a text says, where it is JSON."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(value)
    return value


def test_types_are_listed_and_a_dry_run_prints_without_sending() -> None:
    listed = CliRunner().invoke(app, ["trigger"])
    dry = CliRunner().invoke(app, ["trigger", "order.completed", "--set", "total=49.20", "--dry-run"])

    assert listed.output.split() == list(EXAMPLES)
    assert msgspec.json.decode(dry.output)["data"]["total"] == "49.20"
