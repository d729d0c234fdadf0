"""Why a condition holds or not: its parts, their answers, the values seen, in words."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionContext, Scope
from shared.program.conditions.syntax.tree import parse_condition
from shared.program.conditions.syntax.written import written
from shared.program.conditions.trace import Join, Seen, decisive, in_words, shown, trace
from shared.program.vocabulary.fields import event_fields

SCOPE = Scope(event=event_fields("order.completed"), segments=frozenset({"vip"}))
FACTS = Facts(currency="USD", orders=12, spend=Decimal("100.00"), segments=["lapsed"])
EVENT = {
    "type": "order.completed",
    "total": "49.20",
    "time": "2026-06-01T12:00:00Z",
    "lines": [{"sku": "A-1", "category": "Kitchen", "quantity": 1}],
}


def told(source: str) -> str:
    condition = Condition.compile(source, SCOPE)
    context = ConditionContext(FACTS, EVENT)
    found = trace(condition, context)
    assert (found.holds is True) is context.holds(condition)
    return in_words(found)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("customer.orders == 10", "customer.orders == 10 was false, as customer.orders was 12"),
        ("customer.spend >= 100", "customer.spend >= 100 was true, as customer.spend was 100.00"),
        (
            "customer.orders > 3 && event.weekday == 'saturday'",
            "event.weekday == 'saturday' was false, as event.weekday was 'monday'",
        ),
        (
            "customer.orders > 30 || event.total >= 50",
            (
                "customer.orders > 30 was false, as customer.orders was 12;"
                " event.total >= 50 was false, as event.total was '49.20'"
            ),
        ),
        ("!(customer.orders > 3)", "customer.orders > 3 was true, as customer.orders was 12"),
        (
            "customer.in_segment('vip')",
            "customer.in_segment('vip') was false, as customer.segments was ['lapsed']",
        ),
        ("has(event.coupon)", "has(event.coupon) was false, as event.coupon was not known"),
        (
            "customer.order_interval_days < 5",
            "customer.order_interval_days < 5 had no answer, as customer.order_interval_days was not known",
        ),
        (
            "customer.spend / customer.orders >= 50",
            (
                "customer.spend / customer.orders >= 50 was false, as customer.spend was 100.00 and"
                " customer.orders was 12 and customer.spend / customer.orders was 8.333333333"
            ),
        ),
        (
            "event.lines.exists(line, line.category == 'Garden')",
            (
                "event.lines.exists(line, line.category == 'Garden') was false,"
                " as event.lines was [{sku: 'A-1', category: 'Kitchen', quantity: 1}]"
            ),
        ),
        (
            "(customer.orders > 3 ? customer.spend > 500 : customer.spend > 50)",
            (
                "customer.orders > 3 was true, as customer.orders was 12;"
                " customer.spend > 500 was false, as customer.spend was 100.00"
            ),
        ),
    ],
)
def test_the_part_that_decides_is_told_with_what_it_saw(source: str, words: str) -> None:
    assert told(source) == words


def test_a_trace_is_a_tree_of_all_parts_with_their_answers() -> None:
    """Given a joined condition; when it is traced; then parts that hold are there beside those that do not."""
    found = trace(
        Condition.compile("customer.orders > 3 && !(customer.spend > 50 || has(event.coupon))", SCOPE),
        ConditionContext(FACTS, EVENT),
    )

    assert (found.holds, found.join) == (False, Join.ALL)
    first, second = found.parts
    assert (first.text, first.holds, first.seen) == (
        "customer.orders > 3",
        True,
        (Seen("customer.orders", 12),),
    )
    assert (second.join, second.holds) == (Join.NOT, False)
    assert [(part.text, part.holds) for part in second.parts[0].parts] == [
        ("customer.spend > 50", True),
        ("has(event.coupon)", False),
    ]
    assert [part.text for part in decisive(found)] == ["customer.spend > 50"]


def test_what_has_no_answer_is_decided_by_what_has_one() -> None:
    """Given a side that is not known; when the other side decides; then the whole has an answer, as in CEL."""
    context = ConditionContext(FACTS, EVENT)
    unknown = "customer.order_interval_days < 5"

    def answer(source: str) -> bool | None:
        return trace(Condition.compile(source, SCOPE), context).holds

    assert answer(f"{unknown} && customer.orders > 30") is False
    assert answer(f"{unknown} || customer.orders > 3") is True
    assert answer(f"{unknown} && customer.orders > 3") is None
    assert answer(f"!({unknown})") is None


@pytest.mark.parametrize(
    "source",
    [
        "customer.orders - (3 - 2) > -1",
        "(1 + 2) * 3 == customer.orders / (2 * 2)",
        "!(customer.orders > 3 && customer.spend > 2.5) || has(event.coupon)",
        "(customer.orders > 3 ? customer.spend : customer.spend_12m) > 1000",
        "event.lines[0].sku in ['A-1', 'it\\'s'] && -(customer.orders) < 0",
        "event.time - customer.last_order_at > duration('720h')",
        "event.lines.filter(l, l.quantity > 1).size() >= 2",
    ],
)
def test_a_tree_written_and_read_again_is_the_same(source: str) -> None:
    text = written(parse_condition(source))

    assert written(parse_condition(text)) == text
    assert Condition.compile(text, SCOPE).holds(FACTS, EVENT) is Condition.compile(source, SCOPE).holds(
        FACTS, EVENT
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("web", "'web'"),
        (Decimal("1E+2"), "100"),
        (0.1 + 0.2, "0.3"),
        (list(range(9)), "[0, 1, 2, 3, 4, …]"),
        (datetime(2026, 6, 1, tzinfo=UTC), "2026-06-01T00:00:00+00:00"),
    ],
)
def test_values_are_shown_as_people_write_them(value: object, text: str) -> None:
    assert shown(value) == text
