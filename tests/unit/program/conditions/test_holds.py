"""Conditions at work: on facts, on events, on what is missing."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.contracts.activity import Activity, Change, Facts
from shared.program.conditions.condition import Condition, ConditionContext, Scope
from shared.program.vocabulary.fields import event_fields

NOON = datetime(2026, 6, 6, 12, tzinfo=UTC)  # a Saturday


def facts(**known: Any) -> Facts:
    return Facts(**{"currency": "USD", **known})


def activity(event_type: str = "order.completed", *, time: datetime = NOON, **data: Any) -> Activity:
    return Activity(
        id="1", customer_id="cus_1", type=event_type, time=time, received=NOON, facts=facts(), data=data
    )


def holds(source: str, customer: Facts | None = None, event: Activity | None = None) -> bool:
    scope = Scope(event=event_fields(event.type if event else None), zone=ZoneInfo("America/New_York"))
    return Condition.compile(source, scope).holds(customer or facts(), event)


@pytest.mark.parametrize(
    "source", ["customer.spend >= 200.01", "200.01 <= customer.spend", "customer.spend == 200.010"]
)
def test_money_is_compared_to_the_cent(source: str) -> None:
    assert holds(source, facts(spend=Decimal("200.01")))
    assert not holds(source, facts(spend=Decimal("200.00")))
    assert not holds(source, facts(spend=Decimal("200.0099")))


def test_money_is_exact_beyond_what_binary_numbers_can_tell_apart() -> None:
    assert holds("customer.spend > 9007199254740.99", facts(spend=Decimal("9007199254740.9900001")))
    assert not holds("customer.spend > 0.1", facts(spend=Decimal("0.1")))
    assert not holds("customer.spend > 0.3", facts(spend=Decimal("0.1") + Decimal("0.2")))


def test_money_is_exact_inside_longer_conditions_too() -> None:
    source = "customer.spend >= 200.01 || customer.orders > 99"
    assert holds(source, facts(spend=Decimal("200.01")))
    assert not holds(source, facts(spend=Decimal("200.00999999999999999999")))


@pytest.mark.parametrize(
    "source",
    [
        "customer.orders == 5.0",
        "customer.orders >= 4.5",
        "customer.spend == 10",
        "customer.spend * 2 == 20",
        "customer.spend / customer.orders == 2",
        "customer.orders / 2 == 2.5",
        "customer.orders + 0.5 > customer.orders",
        "customer.spend >= customer.orders",
        "customer.orders * 1.5 < 8",
        "-customer.orders < 0 && - customer.spend < 0.0",
        "customer.orders % 5 == 0",
        "(customer.orders > 3 ? customer.spend : customer.orders) == 10",
        "customer.orders in [1, 5.0]",
    ],
)
def test_whole_numbers_and_decimals_compare_and_compute_freely(source: str) -> None:
    assert holds(source, facts(orders=5, spend=Decimal("10.00")))


def test_a_field_that_is_null_makes_comparisons_false_and_never_an_error() -> None:
    nobody = facts(order_interval_days=None)
    assert not holds("customer.order_interval_days > 3", nobody)
    assert not holds("!(customer.order_interval_days > 3)", nobody)
    assert not holds("customer.order_interval_days * 2 > 3", nobody)
    assert holds("customer.order_interval_days == null", nobody)
    assert not holds("has(customer.order_interval_days)", nobody)
    assert holds("customer.order_interval_days > 3 || customer.orders == 0", nobody)


def test_an_optional_field_that_the_sender_left_out_is_null() -> None:
    assert holds("event.coupon != 'SUMMER'", event=activity())
    assert holds("event.coupon == null && !has(event.coupon)", event=activity())
    assert not holds("event.coupon == 'SUMMER'", event=activity())
    assert holds("event.coupon.startsWith('SUM')", event=activity(coupon="SUMMER"))


def test_a_field_that_this_event_does_not_have_makes_the_condition_false() -> None:
    for source in ("event.rating == 5", "event.rating != 5", "!(event.rating == 5)"):
        condition = Condition.compile(source, Scope(event=event_fields(None)))
        assert not condition.holds(facts(), activity(total="5"))


def test_a_fact_that_is_not_supplied_yet_makes_the_condition_false() -> None:
    assert not holds("customer.spend_percentile >= 90")
    assert not holds("customer.spend_percentile < 90")


def test_money_of_events_is_a_number() -> None:
    order = activity(total="49.20", lines=[{"sku": "A", "quantity": 2, "unit_price": "12.30"}])
    assert holds("event.total >= 49.20", event=order)
    assert not holds("event.total > 49.20", event=order)
    assert holds("event.total - 9.2 > 39.9", event=order)
    assert holds("event.lines.exists(line, line.unit_price >= 12.3 && line.quantity == 2)", event=order)
    assert holds("event.lines.all(line, line.category != 'Kitchen')", event=order)
    assert holds("event.lines[0].sku == 'A' && size(event.lines) == 1", event=order)
    assert not holds("event.lines[7].sku == 'A'", event=order)


def test_segments_and_tags() -> None:
    customer = facts(segments=["vip"], tags=["friction"])
    assert holds("customer.in_segment('vip')", customer)
    assert not holds("customer.in_segment('lapsed')", customer)
    assert holds("!customer.in_segment('lapsed') && 'vip' in customer.segments", customer)
    assert holds("customer.tags.exists(tag, tag == 'friction')", customer)


def test_days_and_hours_are_those_of_the_program_s_time_zone() -> None:
    friday_night = activity(time=datetime(2026, 6, 6, 3, 30, tzinfo=UTC))  # 23:30 on the 5th in New York
    assert holds(
        "event.weekday == 'friday' && event.hour == 23 && event.day == 5 && event.month == 6",
        event=friday_night,
    )


def test_times_are_compared_and_subtracted() -> None:
    customer = facts(last_order_at=datetime(2026, 5, 1, tzinfo=UTC))
    assert holds("event.time - customer.last_order_at > duration('720h')", customer, activity())
    assert holds("event.time > timestamp('2026-01-01T00:00:00Z')", customer, activity())
    assert not holds("event.time - customer.first_order_at > duration('1h')", customer, activity())


def test_a_change_of_stage_tells_from_and_to() -> None:
    moved = Activity(
        id="1",
        customer_id="cus_1",
        type="stage.changed",
        time=NOON,
        received=NOON,
        facts=facts(stage="lapsed"),
        changes=[Change(what="stage", old="active", new="lapsed")],
    )
    assert holds("event.to == 'lapsed' && event.from == 'active'", event=moved)
    assert ConditionContext.of(moved).holds(Condition.compile("customer.stage == event.to"))


def test_mappings_serve_as_well_as_records() -> None:
    condition = Condition.compile("customer.orders == 5 && event.total > 49 && event.hour == 12")
    event = {"type": "order.completed", "time": "2026-06-06T12:00:00+00:00", "total": "49.20"}
    assert not condition.holds({"orders": 4}, event)
    assert condition.holds({"orders": 5}, {**event, "total": 50})
    assert not condition.holds({}, {})
    assert not condition.holds({"orders": 5})


@pytest.mark.parametrize(
    "value", ["many", [1], {"a": 1}, True, None, float("nan"), 2**70, object(), "NaN", "sNaN"]
)
def test_values_of_the_wrong_type_make_conditions_false_and_never_an_error(value: object) -> None:
    for source in (
        "event.total > 5 && event.total < 6",
        "event.total * 2 > 5 && event.total * 2 < 6",
        "event.total in [1, 2]",
    ):
        condition = Condition.compile(source, Scope(event=event_fields("order.completed")))
        assert not condition.holds(facts(), {"total": value})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.minutes > 30", True),
        ("event.minutes * 2 > 60", True),
        ("event.coach.name == 'Ana'", True),
        ("event.coach.club == 'X'", False),
        ("event.laps[1] == 61.5", True),
        ("event.laps.exists(lap, lap > 61)", True),
        ("event.done", True),
        ("event.minutes", False),
        ("event.minutes == 'long'", False),
        ("event.absent > 3", False),
        ("event.source == ''", True),
    ],
)
def test_data_of_the_shop_s_own_events(source: str, expected: bool) -> None:
    data: dict[str, Any] = {"minutes": 31.5, "coach": {"name": "Ana"}, "laps": [60, 61.5], "done": True}
    assert holds(source, event=activity("x.workout", **data)) is expected


def test_one_context_serves_many_conditions() -> None:
    context = ConditionContext(
        facts(orders=5, spend=Decimal("12.50"), segments=["vip"]), activity(total="20")
    )
    scope = Scope(event=event_fields("order.completed"))
    sources = {
        "customer.orders == 5": True,
        "customer.spend * 2 == 25": True,
        "customer.spend * 2 == 24": False,
        "event.total > customer.spend": True,
        "customer.in_segment('vip')": True,
        "has(event.coupon)": False,
        "event.coupon == 'X'": False,
    }
    for source, expected in sources.items():
        assert context.holds(Condition.compile(source, scope)) is expected


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("event.channel == 'web'", {"channel": {"web"}}),
        ("'web' == event.channel && customer.orders > 1", {"channel": {"web"}}),
        (
            "event.channel in ['web', 'app'] && event.store == 'a'",
            {"channel": {"web", "app"}, "store": {"a"}},
        ),
        ("event.channel in ['web', 'app'] && event.channel == 'app'", {"channel": {"app"}}),
        ("event.channel == 'web' || customer.orders > 1", {}),
        ("event.channel != 'web'", {}),
        ("!(event.channel == 'web')", {}),
        (
            "event.type == 'order.completed' && customer.stage == 'loyal'",
            {},
        ),  # what every event has, or the facts
    ],
)
def test_texts_that_a_condition_cannot_do_without_are_known(source: str, texts: dict[str, set[str]]) -> None:
    scope = Scope(event=event_fields("order.completed"))
    assert Condition.compile(source, scope).texts == texts
