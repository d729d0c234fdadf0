"""Conditions: any text is a condition or a `ConditionError`; none that compiles ever raises; comparisons are exact."""

import operator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionContext, ConditionError, Scope
from shared.program.conditions.syntax.tree import parse_condition
from shared.program.conditions.syntax.written import written
from shared.program.conditions.trace import decisive, in_words, trace
from shared.program.vocabulary.fields import event_fields

SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
AMOUNTS = st.decimals(min_value=0, max_value=Decimal("9999999.99"), places=2)
WORDS = (
    "customer",
    "event",
    "orders",
    "spend",
    "stage",
    "total",
    "lines",
    "size",
    "has",
    "exists",
    "line",
    "in_segment",
)
SIGNS_AND_VALUES = (
    ".",
    "(",
    ")",
    "[",
    "]",
    "==",
    "&&",
    "||",
    "!",
    "in",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "?",
    ":",
    ",",
)
REST = (
    "1",
    "2.5",
    "'lapsed'",
    "true",
    "null",
    "duration",
    "'1h'",
    " ",
    "&",
    "=",
    "'",
    "\\",
    "\u00e9",
    "\x00",
    "{",
)
PIECES = st.sampled_from((*WORDS, *SIGNS_AND_VALUES, *REST))
SCOPE = Scope(event=event_fields("order.completed"))


def refusal(source: str) -> ConditionError | None:
    try:
        Condition.compile(source, SCOPE)
    except ConditionError as error:
        return error
    return None


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=15).map("".join) | st.text(max_size=40))
def test_any_text_is_a_condition_or_a_condition_error(source: str) -> None:
    error = refusal(source)
    assert error is None or (error.message and 0 <= error.offset <= len(source))


OF_CUSTOMERS = (
    "customer.orders",
    "customer.spend",
    "customer.order_interval_days",
    "customer.spend_percentile",
)
OF_EVENTS = ("event.total", "event.hour", "event.lines.size()", "event.lines[0].quantity")
NUMBERS = st.sampled_from((*OF_CUSTOMERS, *OF_EVENTS, "3", "2.5", "-1"))
ARITHMETIC = st.recursive(
    NUMBERS,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
    max_leaves=4,
)
CONDITIONS = st.recursive(
    st.builds("{} {} {}".format, ARITHMETIC, st.sampled_from(sorted(SIGNS)), ARITHMETIC)
    | st.sampled_from(["has(event.coupon)", "event.coupon != 'X'", "event.coupon.startsWith('X')"])
    | st.sampled_from(["customer.in_segment('vip')", "customer.stage in ['lapsed', 'active']"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("!({})".format, inner)
    ),
    max_leaves=4,
)
JUNK: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)


@settings(max_examples=300)
@given(
    source=CONDITIONS,
    customer=st.dictionaries(
        st.sampled_from(["orders", "spend", "order_interval_days", "segments", "stage", "spend_percentile"]),
        JUNK,
    ),
    event=st.dictionaries(st.sampled_from(["total", "lines", "coupon", "time"]), JUNK),
)
def test_no_condition_ever_raises_whatever_the_record(
    source: str, customer: dict[str, Any], event: dict[str, Any]
) -> None:
    try:
        condition = Condition.compile(source, SCOPE)
    except ConditionError:
        return
    assert condition.holds(customer, event) in (True, False)


@settings(max_examples=200)
@given(left=AMOUNTS, right=AMOUNTS, sign=st.sampled_from(sorted(SIGNS)), near=st.booleans())
def test_money_compares_as_decimals_do(left: Decimal, right: Decimal, sign: str, near: bool) -> None:
    right = left + Decimal("0.01") if near else right
    expected = SIGNS[sign](left, right)
    facts = Facts(currency="USD", spend=left)
    assert Condition.compile(f"customer.spend {sign} {right}").holds(facts) is expected
    assert (
        Condition.compile(f"customer.spend {sign} event.total", SCOPE).holds(facts, {"total": str(right)})
        is expected
    )


@settings(max_examples=100)
@given(left=AMOUNTS, right=AMOUNTS, sign=st.sampled_from(sorted(SIGNS)), orders=st.integers(0, 100))
def test_the_fast_way_and_cel_agree(left: Decimal, right: Decimal, sign: str, orders: int) -> None:
    facts = Facts(currency="USD", spend=left, orders=orders)
    fast = f"customer.spend {sign} {right}"
    assert Condition.compile(fast).flags is not None
    slow = f"customer.spend * 1 {sign} {right}"
    assert Condition.compile(slow).flags is None
    assert Condition.compile(fast).holds(facts) is Condition.compile(slow).holds(facts)
    fast, slow = f"customer.orders {sign} 50", f"customer.orders + 0 {sign} 50"
    assert Condition.compile(fast).holds(facts) is Condition.compile(slow).holds(facts)


@settings(max_examples=100)
@given(moment=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_weekday_and_hour_are_always_known(moment: datetime) -> None:
    event = {"time": moment.replace(tzinfo=UTC)}
    weekday = moment.strftime("%A").lower()
    source = f"event.weekday == '{weekday}' && event.hour == {moment.hour} && event.day == {moment.day}"
    assert Condition.compile(source, SCOPE).holds({}, event)


@settings(max_examples=200)
@given(
    source=CONDITIONS,
    customer=st.dictionaries(
        st.sampled_from(["orders", "spend", "order_interval_days", "segments", "stage", "spend_percentile"]),
        st.none() | st.integers(-3, 6) | st.sampled_from(["vip", "lapsed", ["vip"], "2.5"]),
    ),
    event=st.dictionaries(st.sampled_from(["total", "lines", "coupon"]), JUNK | st.just("3")),
)
def test_a_trace_says_what_the_condition_says(
    source: str, customer: dict[str, Any], event: dict[str, Any]
) -> None:
    try:
        condition = Condition.compile(source, SCOPE)
    except ConditionError:
        return
    found = trace(condition, ConditionContext(customer, event))
    assert (found.holds is True) is condition.holds(customer, event)
    assert list(decisive(found))
    assert in_words(found)


@settings(max_examples=200)
@given(CONDITIONS)
def test_a_condition_written_again_is_read_as_the_same(source: str) -> None:
    text = written(parse_condition(source))
    assert written(parse_condition(text)) == text
    assert tokens_without_parentheses(text) == tokens_without_parentheses(source)


def tokens_without_parentheses(source: str) -> str:
    """The condition's words in their order."""
    return "".join(character for character in source if character not in "() ")
