"""A segment's rule as SQL over the stored facts, with the answers that it has in Python.

Null has no answer in a comparison, in CEL as in SQL, and a test never stands under a NOT here (see
`shared.program.expression.predicate`): so a row counts exactly when the rule is true. Written values are parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any as Anything

import msgspec

from shared.contracts.activity import Facts
from shared.program.expression.predicate import OPPOSITE, All, Any, How, Opaque, Predicate, Test, parts_of
from shared.program.expression.types import Kind

_CASTS = {
    Kind.WHOLE: "CAST(f.facts->'{}' AS bigint)",
    Kind.TEXT: "f.facts->>'{}'",
    Kind.TIME: "CAST(f.facts->>'{}' AS timestamptz)",
    Kind.FLAG: "CAST(f.facts->'{}' AS boolean)",
    Kind.LIST: "f.facts->'{}'",
}
_FIELDS = {part.name: part for part in msgspec.structs.fields(Facts)}


def is_sql(predicate: Predicate) -> bool:
    """Whether SQL can say all of it: nothing is opaque, and no text holds what PostgreSQL cannot."""
    return not any(isinstance(one, Opaque) or "\x00" in _texts(one) for one in parts_of(predicate))


def _texts(test: Test) -> str:
    values = (test.value, *test.values)
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
            case Opaque():
                raise AssertionError("not for SQL")

    def value(self, value: Anything, kind: str) -> str:
        """A parameter with that value."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"CAST(:{name} AS {kind})"


def _is_float(name: str) -> bool:
    shape = _FIELDS[name].type
    return float in (shape, *getattr(shape, "__args__", ()))


def _fact(test: Test, name: str | None = None) -> str:
    """The fact as its type; where it is left out because it has its default, that default."""
    name = name or test.field
    kind = test.type.kind if name == test.field else None
    if kind in _CASTS:
        read = _CASTS[kind].format(name)
    else:
        read = f"CAST(f.facts->'{name}' AS {'float8' if _is_float(name) else 'numeric'})"
    default = _FIELDS[name].default
    if kind is Kind.LIST:
        return f"coalesce({read}, '[]')"
    if default is None or default is msgspec.NODEFAULT:
        return read
    if isinstance(default, str):
        return f"coalesce({read}, '{default}')"  # one of ours, as plain as a name
    return f"coalesce({read}, {str(default).lower()})"


def _signed(test: Test) -> str:
    return test.sign if test.wanted else OPPOSITE[test.sign]


_EQUAL = {"==": "IS NOT DISTINCT FROM", "!=": "IS DISTINCT FROM"}


def _compared(left: str, sign: str, right: str, *, nulls: bool) -> str:
    """Null is unequal to everything but null, and neither more nor less than anything."""
    if sign in _EQUAL:
        return f"{left} {_EQUAL[sign] if nulls else {'==': '=', '!=': '<>'}[sign]} {right}"
    return f"{left} {sign} {right}"


def _compare(writer: _Writer, test: Test) -> str:
    fact, sign, value = _fact(test), _signed(test), test.value
    if value is None:
        return f"{fact} IS {'NOT ' if sign == '!=' else ''}NULL"
    if isinstance(value, bool):
        return f"{fact} IS {'NOT ' if sign == '!=' else ''}{str(value).upper()}"
    if isinstance(value, datetime):
        against = writer.value(value, "timestamptz")
    elif isinstance(value, str):
        against = f'{writer.value(value, "text")} COLLATE "C"'
    elif _is_float(test.field):
        against = writer.value(float(value), "float8")
    elif test.type.kind is Kind.WHOLE and isinstance(value, int):
        against = writer.value(value, "bigint")
    else:
        against = writer.value(Decimal(value), "numeric")
    return _compared(fact, sign, against, nulls=test.type.optional and sign in _EQUAL)


def _beside(writer: _Writer, test: Test) -> str:
    del writer
    left, right, sign = _fact(test), _other(test), _signed(test)
    if test.type.kind is Kind.NUMBER or right.startswith(("CAST(f.facts->'", "coalesce(CAST(f.facts->'")):
        left, right = f"CAST({left} AS float8)", f"CAST({right} AS float8)"
    if test.type.kind is Kind.TEXT:
        right = f'{right} COLLATE "C"'
    return _compared(left, sign, right, nulls=True)


def _other(test: Test) -> str:
    twin = Test(How.VALUE, test.other, test.type)
    return _fact(twin) if test.type.kind in (Kind.TEXT, Kind.TIME) else _fact(test, test.other)


def _size(writer: _Writer, test: Test) -> str:
    against = writer.value(test.value, "bigint")
    return _compared(f"jsonb_array_length({_fact(test)})", _signed(test), against, nulls=False)


def _holds(writer: _Writer, test: Test) -> str:
    return f"{'' if test.wanted else 'NOT '}jsonb_exists({_fact(test)}, {writer.value(test.value, 'text')})"


def _one_of(writer: _Writer, test: Test) -> str:
    kind = "text[]" if test.type.kind is Kind.TEXT else "bigint[]"
    among = f"{_fact(test)} = ANY({writer.value(list(test.values), kind)})"
    return among if test.wanted else f"({among}) IS NOT TRUE"


def _part(writer: _Writer, test: Test) -> str:
    fact, value = _fact(test), writer.value(test.value, "text")
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
