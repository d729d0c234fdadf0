"""A segment's rule as SQL over the stored facts, with the answers that it has in Python.

Null has no answer in a comparison, in CEL as in SQL, and a test never stands under a NOT here (see
`shared.program.conditions.plain.predicate`): so a row counts exactly when the rule is true. Written values are
parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any as Anything

import msgspec

from shared.contracts.activity import Facts
from shared.program.conditions.plain.predicate import (
    OPPOSITE,
    All,
    Any,
    Comparison,
    How,
    Opaque,
    Predicate,
    Test,
    parts_of,
)
from shared.program.conditions.plain.terms import Computed, Fact, Term, Written, divides
from shared.program.vocabulary.fields import customer_fields, fact_shapes
from shared.program.vocabulary.types import Kind

_TYPES = {
    Kind.WHOLE: "bigint",
    Kind.TEXT: "text",
    Kind.TIME: "moment",
    Kind.FLAG: "boolean",
    Kind.LIST: "jsonb",
}
_READ = {
    "text": "f.facts->>'{}'",
    "moment": "rtrim(f.facts->>'{}', 'Z') COLLATE \"C\"",
    "jsonb": "f.facts->'{}'",
}
"""Where it is not a number's or flag's way: a plain cast. Moments are all written alike, in UTC, and without the Z in
the order of time: as texts they are compared in half of the time that it takes to read them."""

_FIELDS = {part.name: part for part in msgspec.structs.fields(Facts)}


def is_sql(predicate: Predicate) -> bool:
    """Whether SQL can say all of it: nothing is opaque, and no text holds what PostgreSQL cannot."""
    return not any(isinstance(one, Opaque) or "\x00" in _texts(one) for one in parts_of(predicate))


def _texts(one: Test | Comparison) -> str:
    values = (one.value, *one.values) if isinstance(one, Test) else ()
    return "".join(value for value in values if isinstance(value, str))


def sayable(predicate: Predicate) -> Predicate:
    """One that SQL can say and that holds wherever this one does, and perhaps elsewhere."""
    if isinstance(predicate, All | Any):
        return type(predicate)(tuple(sayable(part) for part in predicate.parts))
    return predicate if is_sql(predicate) else All(())


def where(predicate: Predicate) -> tuple[str, dict[str, Anything]]:
    """The condition on rows `f` of scoring.facts, and its parameters. The predicate `is_sql`."""
    writer = _Writer()
    return writer.text(predicate), writer.bound


@dataclass(slots=True)
class _Writer:
    bound: dict[str, Anything] = field(default_factory=dict)

    def text(self, predicate: Predicate) -> str:
        """The predicate as a condition."""
        match predicate:
            case All(parts=parts) | Any(parts=parts):
                join, empty = (" AND ", "TRUE") if isinstance(predicate, All) else (" OR ", "FALSE")
                return f"({join.join(map(self.text, parts))})" if parts else empty
            case Test():
                return _TESTS[predicate.how](self, predicate)
            case Comparison(left=left, right=right):
                sign = predicate.sign if predicate.wanted else OPPOSITE[predicate.sign]
                return f"({_side(self, left)} {sign} {_side(self, right)})"
            case Opaque():
                raise AssertionError("not for SQL")

    def value(self, value: Anything, kind: str) -> str:
        """A parameter with that value."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"CAST(:{name} AS {kind})"


def _fact(name: str, kind: str) -> str:
    """A fact as SQL of that type; where it is left out because it has its default, that default."""
    read = _READ.get(kind, f"CAST(f.facts->'{{}}' AS {kind})").format(name)
    default = _FIELDS[name].default
    if kind == "jsonb":
        return f"coalesce({read}, '[]')"
    if default is None or default is msgspec.NODEFAULT:
        return read
    if isinstance(default, str):
        return f"coalesce({read}, '{default}')"  # one of ours, as plain as a name
    return f"coalesce({read}, {str(default).lower()})"


def _kind(test: Test) -> str:
    """The type in which the test's fact is compared with a written value."""
    if test.type.kind is Kind.NUMBER:
        return "float8" if float in fact_shapes()[test.field] else "numeric"
    return _TYPES[test.type.kind]


def _signed(test: Test) -> str:
    return test.sign if test.wanted else OPPOSITE[test.sign]


_EQUAL = {"==": "IS NOT DISTINCT FROM", "!=": "IS DISTINCT FROM"}


def _compared(left: str, sign: str, right: str, *, nulls: bool) -> str:
    """Null is unequal to everything but null, and neither more nor less than anything."""
    if sign in _EQUAL:
        return f"{left} {_EQUAL[sign] if nulls else {'==': '=', '!=': '<>'}[sign]} {right}"
    return f"{left} {sign} {right}"


def _compare(writer: _Writer, test: Test) -> str:
    fact, sign, value = _fact(test.field, _kind(test)), _signed(test), test.value
    if value is None:
        return f"{fact} IS {'NOT ' if sign == '!=' else ''}NULL"
    if isinstance(value, bool):
        return f"{fact} IS {'NOT ' if sign == '!=' else ''}{str(value).upper()}"
    if isinstance(value, datetime):
        against = writer.value(value.astimezone(UTC).replace(tzinfo=None).isoformat(), "text")
    elif isinstance(value, str):
        against = f'{writer.value(value, "text")} COLLATE "C"'
    elif float in fact_shapes()[test.field]:
        against = writer.value(float(value), "float8")
    elif test.type.kind is Kind.WHOLE and isinstance(value, int):
        against = writer.value(value, "bigint")
    else:
        against = writer.value(Decimal(value), "numeric")
    return _compared(fact, sign, against, nulls=test.type.optional and sign in _EQUAL)


def _beside(writer: _Writer, test: Test) -> str:
    del writer
    other = customer_fields()[test.other].kind
    if test.type.numeric:
        shapes = fact_shapes()[test.field] | fact_shapes()[test.other]
        kind = (
            "float8" if float in shapes else "numeric"
        )  # as binary numbers, with 15 digits, they compare alike
    else:
        kind = _TYPES[other]
    right = _fact(test.other, kind) + (' COLLATE "C"' if kind == "text" else "")
    return _compared(_fact(test.field, kind), _signed(test), right, nulls=True)


def _side(writer: _Writer, term: Term) -> str:
    """A computed number; null when it is not a number, which here would be more than all others."""
    found = _term(writer, term)
    return f"NULLIF({found}, 'NaN')" if divides(term) else found


def _term(writer: _Writer, term: Term) -> str:
    """Whole numbers are decimals, which cannot overflow, all others binary numbers."""
    match term:
        case Fact(name=name, whole=whole):
            return _fact(name, "numeric" if whole else "float8")
        case Written(value=value, whole=whole):
            return writer.value(Decimal(value) if whole else value, "numeric" if whole else "float8")
        case Computed(sign="%", left=left, right=right):
            return f"({_term(writer, left)} % NULLIF({_term(writer, right)}, 0))"
        case Computed(sign=sign, left=left, right=right, whole=whole):
            sides = [_term(writer, side) if whole else _as_binary(writer, side) for side in (left, right)]
            return _quotient(*sides) if sign == "/" else f"({sides[0]} {sign} {sides[1]})"


def _as_binary(writer: _Writer, term: Term) -> str:
    found = _term(writer, term)
    return f"CAST({found} AS float8)" if term.whole else found


def _quotient(left: str, right: str) -> str:
    """As binary numbers divide: by zero too, which SQL refuses."""
    by_zero = f"CASE WHEN {left} > 0 THEN 'Infinity' WHEN {left} < 0 THEN '-Infinity' ELSE 'NaN' END"
    return f"(CASE WHEN {right} = 0 THEN CAST({by_zero} AS float8) ELSE {left} / {right} END)"


def _size(writer: _Writer, test: Test) -> str:
    against = writer.value(test.value, "bigint")
    return _compared(
        f"jsonb_array_length({_fact(test.field, _kind(test))})", _signed(test), against, nulls=False
    )


def _holds(writer: _Writer, test: Test) -> str:
    held = f"jsonb_exists({_fact(test.field, _kind(test))}, {writer.value(test.value, 'text')})"
    return held if test.wanted else f"NOT {held}"


def _one_of(writer: _Writer, test: Test) -> str:
    kind = "text[]" if test.type.kind is Kind.TEXT else "bigint[]"
    among = f"{_fact(test.field, _kind(test))} = ANY({writer.value(list(test.values), kind)})"
    return among if test.wanted else f"({among}) IS NOT TRUE"


def _part(writer: _Writer, test: Test) -> str:
    fact, value = _fact(test.field, _kind(test)), writer.value(test.value, "text")
    asked = {
        How.STARTS: f"starts_with({fact}, {value})",
        How.ENDS: f"right({fact}, length({value})) = {value}",
        How.WITHIN: f"strpos({fact}, {value}) > 0",
    }[test.how]
    return asked if test.wanted else f"NOT ({asked})"


_TESTS: dict[How, Callable[[_Writer, Test], str]] = {
    How.VALUE: _compare,
    How.OTHER: _beside,
    How.SIZE: _size,
    How.HOLDS: _holds,
    How.ONE_OF: _one_of,
    How.STARTS: _part,
    How.ENDS: _part,
    How.WITHIN: _part,
}
