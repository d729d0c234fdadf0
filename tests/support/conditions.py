"""Random conditions over the facts that exist, and random facts: for whatever evaluates conditions."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from shared.contracts.activity import Facts
from shared.program.vocabulary.fields import customer_fields, fact_shapes
from shared.program.vocabulary.types import Kind, Type

SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
EQUAL = st.sampled_from(["==", "!="])
WORDS = ["", "a", "vip", "Vip", "friction", "en-US", "USD", "\u00e9t\u00e9", "active", "lapsed"]
MOMENTS = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 2, 3)]
AMOUNTS = ["0", "1", "2", "2.5", "5", "12.30", "200", "200.01", "500", "90"]


def _words(found: Type) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(found.choices) if found.choices else WORDS)


def _value(name: str, found: Type) -> st.SearchStrategy[Any]:
    """A value of the fact, near the written ones."""
    shapes = fact_shapes()[name]
    low = Decimal("-Infinity") if found.low is None else Decimal(found.low)
    high = Decimal("Infinity") if found.high is None else Decimal(found.high)
    numbers = st.sampled_from([text for text in AMOUNTS if low <= Decimal(text) <= high])
    one: st.SearchStrategy[Any]
    match found.kind:
        case Kind.WHOLE:
            one = numbers.map(lambda text: int(Decimal(text)))
        case Kind.NUMBER:
            one = numbers.map(Decimal if Decimal in shapes else float)
        case Kind.TEXT:
            one = _words(found)
        case Kind.TIME:
            one = st.sampled_from(MOMENTS)
        case Kind.FLAG:
            one = st.booleans()
        case Kind.LIST:
            one = st.lists(st.sampled_from(WORDS), unique=True, max_size=3)
        case _:
            return st.nothing()
    return st.none() | one if found.optional else one


@cache
def _values() -> dict[str, st.SearchStrategy[Any]]:
    """What a test can make of each fact."""
    values = {name: _value(name, found) for name, found in customer_fields().items()}
    return {
        name: value
        for name, value in values.items()
        if name not in ("currency", "segments") and not value.is_empty
    }


def facts(asked: str | None = None) -> st.SearchStrategy[Facts]:
    """Facts of every kind, or those that a condition asks; all others, and of a kind that no test can make, keep
    their defaults."""
    values = _values()
    if asked is not None:
        named = set(re.findall(r"customer\.(\w+)", asked))
        values = {name: value for name, value in values.items() if name in named}
    return st.fixed_dictionaries({}, optional=values).map(
        lambda given: Facts(**{"currency": "USD", "stage": "active", **given})
    )


@st.composite
def with_facts(draw: st.DrawFn, sources: st.SearchStrategy[str]) -> tuple[str, Facts]:
    """A condition, and the facts that it asks: to draw a hundred others takes five times as long, and shows nothing."""
    source = draw(sources)
    return source, draw(facts(source))


def _quoted(text: str) -> str:
    return f"'{text}'"


def _asked(name: str, found: Type) -> st.SearchStrategy[str]:  # one line a kind
    """A condition on one fact."""
    field = f"customer.{name}"
    null = st.builds("{} {} null".format, st.just(field), EQUAL) | st.just(f"has({field})")
    match found.kind:
        case Kind.WHOLE | Kind.NUMBER:
            numbers = st.sampled_from(AMOUNTS)
            compared = st.builds("{} {} {}".format, st.just(field), SIGNS, numbers)
            turned = st.builds("{2} {1} {0}".format, st.just(field), SIGNS, numbers)
            listed = st.just(f"{field} in [1, 2, 5]") if found.kind is Kind.WHOLE else compared
            return compared | turned | listed | null | st.just(f"{field} * 2 > 10")
        case Kind.TEXT:
            word = _words(found).map(_quoted)
            compared = st.builds("{} {} {}".format, st.just(field), SIGNS, word)
            listed = st.builds("{} in [{}, {}]".format, st.just(field), word, word)
            part = st.sampled_from(["startsWith", "endsWith", "contains"])
            called = st.builds("{}.{}({})".format, st.just(field), part, word)
            return compared | listed | called | null
        case Kind.TIME:
            written = st.sampled_from(MOMENTS).map(lambda at: f"timestamp('{at:%Y-%m-%dT%H:%M:%SZ}')")
            return st.builds("{} {} {}".format, st.just(field), SIGNS, written) | null
        case Kind.FLAG:
            return st.just(field) | st.sampled_from([f"{field} == true", f"{field} != true"])
        case Kind.LIST:
            word = st.sampled_from(WORDS).map(_quoted)
            sized = st.builds("size({}) {} {}".format, st.just(field), SIGNS, st.integers(0, 3))
            held = st.builds("{1} in {0}".format, st.just(field), word)
            called = st.builds("{}.contains({})".format, st.just(field), word)
            return sized | held | called | st.just(f"{field}.exists(one, one == 'a')")
    return st.nothing()


def conditions() -> st.SearchStrategy[str]:
    """Conditions on a customer, as authors write them and as nobody would; not all of them pass the check."""
    fields = {name: found for name, found in customer_fields().items() if name != "segments"}
    single = [_asked(name, found) for name, found in fields.items()]
    numbers = st.sampled_from([f"customer.{name}" for name, found in fields.items() if found.numeric])
    times = st.sampled_from([f"customer.{name}" for name, found in fields.items() if found.kind is Kind.TIME])
    beside = st.builds("{} {} {}".format, numbers, SIGNS, numbers) | st.builds(
        "{} {} {}".format, times, SIGNS, times
    )
    leaf = st.one_of(
        *[one for one in single if not one.is_empty], beside, computed(), st.sampled_from(["true", "false"])
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
            | st.builds("!({})".format, inner)
            | st.builds("({} ? {} : {})".format, inner, inner, inner)
        ),
        max_leaves=5,
    )


def computed() -> st.SearchStrategy[str]:
    """Comparisons of what is computed with facts."""
    fields = [f"customer.{name}" for name, found in customer_fields().items() if found.numeric]
    amounts = st.sampled_from(fields) | st.sampled_from(AMOUNTS)
    joined = "({} {} {})".format
    terms = st.recursive(
        amounts, lambda inner: st.builds(joined, inner, st.sampled_from("+-*/%"), inner), max_leaves=4
    )
    return st.builds("{} {} {}".format, terms, SIGNS, terms)
