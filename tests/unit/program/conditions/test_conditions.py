"""Conditions when the file is loaded: what is refused, at which character."""

import pytest

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionError, Scope
from shared.program.vocabulary.fields import event_fields

ORDERS = Scope(event=event_fields("order.completed"), segments=frozenset({"vip", "big-spenders"}))


def refusal(source: str, scope: Scope = ORDERS) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        Condition.compile(source, scope)
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        "customer.spend_30d >= 500",
        "customer.orders == 5",
        "customer.orders == 5.0 || customer.orders >= 9.5",
        "customer.spend > 200.01 && !(customer.stage == 'lapsed')",
        "customer.in_segment('vip')",
        "'vip' in customer.segments",
        "customer.stage in ['lapsed', 'at_risk']",
        "customer.tags.exists(tag, tag.startsWith('fric'))",
        "size(customer.tags) > 1 || customer.tags.size() == 0",
        "event.total >= 100 && event.channel == 'web'",
        "event.coupon == null || event.coupon.matches('^VIP[0-9]+$')",
        "has(event.coupon)",
        "event.lines.all(line, line.quantity >= 2 && line.unit_price > 9.99)",
        "event.lines[0].sku == 'A-1'",
        "event.time - customer.last_order_at > duration('720h')",
        "event.time < timestamp('2026-12-24T00:00:00Z')",
        "event.weekday == 'saturday' && event.hour >= 18",
        "customer.spend / customer.orders >= 50",
        "customer.orders % 5 == 0",
        "(customer.score > 50 ? customer.orders : customer.events) > 3",
        "event.type == 'order.completed'",
        "true",
    ],
)
def test_sensible_conditions_compile(source: str) -> None:
    assert Condition.compile(source, ORDERS).source == source


@pytest.mark.parametrize(
    ("source", "said", "offset"),
    [
        ("", "empty", 0),
        ("customer", "Which field", 0),
        ("customer.orders", "true or false", 9),
        ("customer.spned > 1", "no field spned", 9),
        ("event.rating > 1", "no field rating", 6),
        ("event.customer.id == 'a'", "personal", 6),
        ("orders > 5", "customer.orders", 0),
        ("client.orders > 5", "no client", 0),
        ("customer.orders == 'five'", "compared with text", 16),
        ("customer.stage == 5", "compared with a whole number", 15),
        ("customer.stage >= customer.orders", "compared with", 15),
        ("event.time > '2026-01-01'", "timestamp(", 11),
        ("customer.tags == 'friction'", "compared with text", 14),
        ("customer.tags > customer.segments", "neither more nor less", 14),
        ("customer.stage == 'laps'", "never the value", 15),
        ("'laps' == customer.stage", "never the value", 7),
        ("customer.stage in ['lapsed', 'gone']", "'gone' is never", 15),
        ("'vap' in customer.segments", "never the value", 6),
        ("customer.in_segment('vap')", "Did you mean vip?", 20),
        ("customer.in_segment(vip)", "one id", 9),
        ("event.in_segment('vip')", "asked of the customer", 6),
        ("event.type == 'order.refunded'", "never the value", 11),
        ("event.weekday == 'Saturday'", "saturday", 14),
        ("customer.stage in 'lapsed'", "needs a list", 15),
        ("customer.orders in ['a']", "never holds", 16),
        ("customer.orders && true", "joins conditions", 9),
        ("!customer.orders", "joins conditions", 10),
        ("customer.stage + 1 == 2", "no meaning", 15),
        ("customer.spend % 2 == 0", "whole numbers", 15),
        ("customer.stage - 'a' == 'b'", "no meaning", 15),
        ("-customer.stage == 'b'", "needs a number", 0),
        ("customer.orders.size() == 1", "has no size", 16),
        ("customer.stage.lapsed", "has no field", 15),
        ("customer.stage.startsWith(5)", "does not take", 26),
        ("customer.stage.starts('a')", "no function starts", 15),
        ("sizeof(customer.tags) == 1", "Did you mean size?", 0),
        ("size(customer.tags, 1) == 1", "takes 1 argument", 0),
        ("has(customer)", "one field", 0),
        ("event.lines.exists(line)", "name and a condition", 12),
        ("event.lines.exists(event, true)", "is taken", 19),
        ("event.lines.exists(line, line.colour == 'red')", "no field colour", 30),
        ("event.lines.exists(line, line.quantity)", "joins conditions", 30),
        ("event.lines.exists(a, event.lines.all(b, a.sku == b.sku))", "cannot go over a list within", 34),
        ("event.lines.exists(a, event.lines.filter(b, a.sku == b.sku).size() > 1)", "list within", 34),
        ("event.coupon.matches('[')", "cannot be read", 21),
        ("event.time > timestamp('tomorrow')", "cannot be read", 23),
        ("event.time - event.time > duration('P1D')", "cannot be read", 35),
        ("customer.orders = 5", "Use ==", 16),
        ("customer.orders == 5 and true", "Write &&", 21),
        ("not true", "Write !", 0),
        ("customer.orders == 5 &", "Use &&", 21),
        ("customer.stage == 'lapsed", "never ends", 18),
        ("customer.orders >", "ends too early", 17),
        ("(customer.orders > 5", "ends too early", 20),
        ("customer.orders > 5)", "cannot stand here", 19),
        ("customer. > 5", "name is missing", 10),
        ("customer.orders > 5; true", "cannot stand here", 19),
        ("{'a': 1}", "Maps are not used", 0),
        ("customer.orders > 1234567890123456", "15 digits", 18),
        (r"customer.stage == '\q'", "no escape", 19),
        ("[1, 'a'] == [1]", "mixes", 4),
        ("true ? 1 : 'a'", "alike", 5),
        ("(" * 60 + "true" + ")" * 60, "nested", 40),
        ("!" * 60 + "true", "nested", 39),
        ("true && " * 200 + "true", "too long", 1200),
        ("x" * 2001, "2000 characters", 0),
    ],
)
def test_what_is_wrong_is_named_with_its_place(source: str, said: str, offset: int) -> None:
    error = refusal(source)
    assert said in str(error)
    assert error.offset == offset


def test_segments_have_no_event_and_ask_for_no_segments() -> None:
    scope = Scope(event=None, nested=True)
    assert "no event here" in str(refusal("event.total > 5", scope))
    assert "cannot ask for segments" in str(refusal("'vip' in customer.segments", scope))


def test_events_of_the_shop_s_own_may_carry_anything() -> None:
    scope = Scope(event=event_fields("x.workout"))
    Condition.compile("event.minutes > 30 && event.coach.name == 'Ana' && event.laps[2] > 60", scope)


def test_without_an_event_type_fields_of_all_events_may_be_asked_for() -> None:
    scope = Scope(event=event_fields(None))
    Condition.compile("event.total > 5 && event.rating == 5", scope)
    assert "no field ratings" in str(refusal("event.ratings == 5", scope))
    assert "personal" in str(refusal("event.comment == 'x'", scope))


@pytest.mark.parametrize(
    "source",
    [
        "false",
        "customer.orders < 0",
        "customer.score > 100",
        "101 <= customer.score",
        "customer.orders == 1.5",
        "event.hour == 24",
        "event.total < 0",
        "1 > 2",
        "customer.stage in []",
        "!(customer.score <= 100)",
        "customer.orders > 5 && customer.orders < 5",
        "customer.orders > 5 && customer.orders < 6",
        "customer.spend > 5 && customer.spend < 5",
        "5 < customer.spend && customer.spend <= 5.00",
        "customer.orders == 1 && (event.total > 5 && customer.orders == 2)",
        "customer.stage == 'lapsed' && customer.stage == 'active'",
        "customer.stage == 'lapsed' && customer.stage != 'lapsed'",
        "customer.stage in ['lapsed', 'at_risk'] && customer.stage == 'active'",
        "customer.score > 100 && customer.orders == 5",
    ],
)
def test_what_can_never_be_true_is_known_at_once(source: str) -> None:
    assert Condition.compile(source, ORDERS).certain is False


@pytest.mark.parametrize(
    "source",
    [
        "customer.orders > 4 && customer.orders < 6",
        "customer.spend > 5 && customer.spend < 6",
        "customer.orders > 5 || customer.orders < 3",
        "customer.score >= 100",
        "customer.stage != 'lapsed' && customer.stage != 'active'",
        "customer.score > 100 || customer.orders == 5",
    ],
)
def test_what_may_be_true_is_left_alone(source: str) -> None:
    assert Condition.compile(source, ORDERS).certain is None


def test_contains_asks_lists_too() -> None:
    condition = Condition.compile("customer.tags.contains('friction')")
    assert condition.holds(Facts(currency="USD", tags=["friction"]))
    assert not condition.holds(Facts(currency="USD", tags=["other"]))
