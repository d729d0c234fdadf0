"""A condition as plain tests of single facts, joined by `All` and `Any`: what can be computed without CEL.

Nearly all conditions on customers only compare facts with written values. Such a one is brought into a form in which
nothing is negated as a whole, so that each back end (Python in `native`, SQL in scoring's adapters) needs only to
know the single tests, and what is computed (`terms`). A test that has no answer (more or less than null) is neither
true nor false, as in CEL, whose `&&` and `||` look past a side without answer when the other one decides: `!(a && b)`
is therefore `!a || !b`, and `Test.wanted` says which of the two answers a place asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from shared.program.conditions import engine
from shared.program.conditions.plain.terms import Computed, Term, term_of
from shared.program.conditions.syntax.tree import (
    Binary,
    Call,
    Choice,
    Expression,
    ListOf,
    Literal,
    Member,
    Name,
    Unary,
)
from shared.program.vocabulary.fields import customer_fields
from shared.program.vocabulary.types import Kind, Type

Value = bool | int | str | Decimal | datetime | None

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class How(Enum):
    """What a test looks at: the fact itself, another fact beside it, its length, a part of it."""

    VALUE = "compares the fact with a value"
    OTHER = "compares the fact with another one"
    SIZE = "compares the length of a list"
    HOLDS = "asks whether a list holds a text"
    ONE_OF = "asks whether the fact is one of some values"
    STARTS = "asks how a text starts"
    ENDS = "asks how a text ends"
    WITHIN = "asks whether a text is within another"


@dataclass(frozen=True, slots=True)
class Test:
    """One question about the fact `field`, and the answer that is `wanted`.

    `sign` and `value` are those of a comparison; a value of None is null. `other` is the second fact of `OTHER`,
    `values` the list of `ONE_OF`.
    """

    __test__ = False  # for pytest: not one of its tests

    how: How
    field: str
    type: Type
    wanted: bool = True
    sign: str = "=="
    value: Value = None
    other: str = ""
    values: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a computed number is more or less than another (`sign`), and the answer that is `wanted`."""

    left: Term
    sign: str
    right: Term
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class All:
    """True when all parts are; of nothing, always."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    """True when one of the parts is; of nothing, never."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part that only CEL can answer."""


Predicate = Test | Comparison | All | Any | Opaque

ALWAYS, NEVER, OPAQUE = All(()), Any(()), Opaque()


def predicate_of(tree: Expression) -> Predicate:
    """The tests of a checked condition; what they cannot say is `Opaque`."""
    return _of(tree, wanted=True)


def is_plain(predicate: Predicate) -> bool:
    """Whether nothing in it is opaque."""
    return not any(isinstance(one, Opaque) for one in parts_of(predicate))


def parts_of(predicate: Predicate) -> Iterator[Test | Comparison | Opaque]:
    """All that is joined, from left to right."""
    if isinstance(predicate, All | Any):
        for part in predicate.parts:
            yield from parts_of(part)
    else:
        yield predicate


def _of(tree: Expression, *, wanted: bool) -> Predicate:  # noqa: PLR0911  # one line a kind of node
    match tree:
        case Literal(value=bool() as value):
            return ALWAYS if value is wanted else NEVER
        case Unary(sign="!", operand=operand):
            return _of(operand, wanted=not wanted)
        case Binary(sign="&&" | "||" as sign, left=left, right=right):
            join = All if (sign == "&&") is wanted else Any
            return join((_of(left, wanted=wanted), _of(right, wanted=wanted)))
        case Choice(condition=condition, yes=yes, no=no):
            then = All((_of(condition, wanted=True), _of(yes, wanted=wanted)))
            otherwise = All((_of(condition, wanted=False), _of(no, wanted=wanted)))
            return Any((then, otherwise))
        case Binary(sign="in", left=left, right=right):
            return _contained(left, right, wanted)
        case Binary(sign=sign, left=left, right=right) if sign in MIRRORED:
            if _field(right) is not None and _field(left) is None:
                left, right, sign = right, left, MIRRORED[sign]
            return _compared(left, sign, right, wanted)
        case Call():
            return _called(tree, wanted)
        case Member():
            found = _field(tree)
            if found is not None and found[1].kind is Kind.FLAG and not found[1].optional:
                return Test(How.VALUE, *found, wanted=wanted, value=True)
    return OPAQUE


def _field(tree: Expression) -> tuple[str, Type] | None:
    """The fact of the customer that this is."""
    match tree:
        case Member(target=Name(name="customer"), field=name) if name != "segments":
            return name, customer_fields()[name]
    return None


def _compared(left: Expression, sign: str, right: Expression, wanted: bool) -> Predicate:
    sized = _sized(left)
    if sized is not None and isinstance(right, Literal) and type(right.value) is int:
        return Test(How.SIZE, *sized, wanted=wanted, sign=sign, value=right.value)
    found = _field(left)
    if found is None or isinstance(right, Binary | Unary):
        return _computed(left, sign, right, wanted)
    other = _field(right)
    if other is not None:
        return _beside(found, sign, other, wanted)
    known, value = _value(right, found[1].kind)
    return Test(How.VALUE, *found, wanted=wanted, sign=sign, value=value) if known else OPAQUE


def _computed(left: Expression, sign: str, right: Expression, wanted: bool) -> Predicate:
    """Only more or less: whether computed amounts are equal is not worth a question to others than CEL."""
    terms = term_of(left), term_of(right)
    if sign in ("==", "!=") or None in terms or not any(isinstance(one, Computed) for one in terms):
        return OPAQUE
    return Comparison(terms[0], sign, terms[1], wanted)  # type: ignore[arg-type]


_COMPARED = (Kind.WHOLE, Kind.NUMBER, Kind.TEXT, Kind.TIME)


def _beside(found: tuple[str, Type], sign: str, other: tuple[str, Type], wanted: bool) -> Predicate:
    kinds = found[1].kind, other[1].kind
    alike = kinds[0] is kinds[1] or set(kinds) == {Kind.WHOLE, Kind.NUMBER}
    if not alike or kinds[0] not in _COMPARED:
        return OPAQUE
    return Test(How.OTHER, *found, wanted=wanted, sign=sign, other=other[0])


def _value(tree: Expression, kind: Kind) -> tuple[bool, Value]:  # noqa: PLR0911  # one line a kind of value
    """Whether this is a written value that facts of the kind are compared with as they are, and which."""
    match tree:
        case Literal(value=None):
            return True, None
        case Literal(value=bool() as flag):
            return kind is Kind.FLAG, flag
        case Literal(value=str() as text):
            return kind is Kind.TEXT, text
        case Literal(value=int() as whole):
            return kind in (Kind.WHOLE, Kind.NUMBER), whole
        case Literal(value=float(), text=text):
            return kind in (Kind.WHOLE, Kind.NUMBER), Decimal(text)
        case Call(target=None, name="timestamp", arguments=(Literal(text=text, value=str()),)):
            moment = engine.compile_cel(f"timestamp({text})").execute()
            return kind is Kind.TIME and isinstance(moment, datetime), moment
    return False, None


def _contained(left: Expression, right: Expression, wanted: bool) -> Predicate:
    """`customer.stage in ['lapsed']`, or `'friction' in customer.tags`."""
    listed, found = _list(right), _field(left)
    if listed is not None and isinstance(left, Literal) and isinstance(left.value, str):
        return Test(How.HOLDS, *listed, wanted=wanted, value=left.value)
    if found is None or not isinstance(right, ListOf):
        return OPAQUE
    if not right.items:
        return NEVER if wanted else ALWAYS
    shape = {Kind.TEXT: str, Kind.WHOLE: int}.get(found[1].kind)
    values = tuple(one.value for one in right.items if isinstance(one, Literal) and type(one.value) is shape)
    if len(values) < len(right.items):
        return OPAQUE
    return Test(How.ONE_OF, *found, wanted=wanted, values=values)  # type: ignore[arg-type]


def _list(tree: Expression) -> tuple[str, Type] | None:
    """The fact that this is, when it is a list of texts that is always there."""
    found = _field(tree)
    if found is None or found[1].kind is not Kind.LIST or found[1].optional:
        return None
    return found if found[1].element is not None and found[1].element.kind is Kind.TEXT else None


def _sized(tree: Expression) -> tuple[str, Type] | None:
    match tree:
        case Call(target=None, name="size", arguments=(listed,)):
            return _list(listed)
        case Call(target=target, name="size", arguments=()) if target is not None:
            return _list(target)
    return None


_PARTS = {"startsWith": How.STARTS, "endsWith": How.ENDS, "contains": How.WITHIN}


def _called(tree: Call, wanted: bool) -> Predicate:
    match tree:
        case Call(target=None, name="has", arguments=(asked,)):
            found = _field(asked)
            return OPAQUE if found is None else Test(How.VALUE, *found, wanted=wanted, sign="!=")
        case Call(target=Name(), name="in_segment", arguments=(Literal(value=str() as text),)):
            listed_ = customer_fields()["segments"]
            return Test(How.HOLDS, "segments", listed_, wanted=wanted, value=text)
        case Call(target=target, name=name, arguments=(Literal(value=str() as text),)) if target is not None:
            listed = _list(target)
            if listed is not None and name == "contains":
                return Test(How.HOLDS, *listed, wanted=wanted, value=text)
            found = _field(target)
            if found is not None and found[1].kind is Kind.TEXT and name in _PARTS:
                return Test(_PARTS[name], *found, wanted=wanted, value=text)
    return OPAQUE
