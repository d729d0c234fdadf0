"""Why a condition holds or not: each of its parts with its answer, and the values that it saw.

A trace is made by asking the condition's own parts as conditions of their own, so that it agrees with the condition
whatever CEL does; it is for explaining, not for deciding (a hundred times slower than `Condition.holds`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shared.program.conditions.checking.scope import Scope, Variable
from shared.program.conditions.condition import Condition, ConditionContext
from shared.program.conditions.formula import Formula
from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import (
    Binary,
    Choice,
    Expression,
    Literal,
    Member,
    Unary,
    parse_condition,
)
from shared.program.conditions.syntax.written import written

LIST_MAX = 5
"""Items of a list that a sentence shows."""


class Join(StrEnum):
    """How the parts of a trace make the whole."""

    ALL = "all"
    ANY = "any"
    NOT = "not"
    IF = "if"
    """The first part decides which of the other two counts."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A field that was asked for (`customer.orders`), or a side that was computed (`customer.spend / 2`), and its
    value then; None where it was not known."""

    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Trace:
    """A condition, or a part of one, and its answer: true, false, or None, where something that decides was not known
    (which counts as false). `join` says how its `parts` make it; what has no parts has `seen` values."""

    text: str
    holds: bool | None
    join: Join | None = None
    parts: tuple["Trace", ...] = ()
    seen: tuple[Seen, ...] = ()


def trace(condition: Condition, context: ConditionContext) -> Trace:
    """The condition's parts and answers for one customer and event."""
    return _of(parse_condition(condition.source), condition.scope, context)


def decisive(found: Trace) -> Iterator[Trace]:
    """The smallest parts that make the whole what it is: those that fail a joined condition, or that fulfil it."""
    if not found.parts:
        yield found
        return
    match found.join:
        case Join.IF:
            yield from decisive(found.parts[0])
            chosen = (
                found.parts[1 if found.parts[0].holds else 2] if found.parts[0].holds is not None else None
            )
            yield from decisive(chosen) if chosen is not None else ()
        case Join.NOT:
            yield from decisive(found.parts[0])
        case _:
            for part in found.parts:
                if part.holds is found.holds:
                    yield from decisive(part)


def in_words(found: Trace) -> str:
    """Such as `customer.orders == 10 was false, as customer.orders was 12`; one clause for each decisive part."""
    return "; ".join(_clause(part) for part in decisive(found))


def _clause(part: Trace) -> str:
    answer = {True: "was true", False: "was false", None: "had no answer"}[part.holds]
    seen = " and ".join(
        f"{each.field} was {'not known' if each.value is None else shown(each.value)}" for each in part.seen
    )
    return f"{part.text} {answer}" + (f", as {seen}" if seen else "")


def shown(value: Any) -> str:  # noqa: PLR0911  # one line a kind of value
    """A value in a sentence: texts in quotes, long lists cut off."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case float():
            return f"{value:.10g}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            items = [shown(item) for item in list(value)[:LIST_MAX]]
            return f"[{', '.join(items)}{', …' if len(value) > LIST_MAX else ''}]"
        case dict():
            return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def _of(tree: Expression, scope: Scope, context: ConditionContext) -> Trace:
    match tree:
        case Binary(sign="&&" | "||" as sign):
            parts = tuple(_of(part, scope, context) for part in _flat(tree, sign))
            join = Join.ALL if sign == "&&" else Join.ANY
            return Trace(written(tree), _joined(parts, decides=sign == "||"), join, parts)
        case Unary(sign="!", operand=operand):
            part = _of(operand, scope, context)
            return Trace(written(tree), None if part.holds is None else not part.holds, Join.NOT, (part,))
        case Choice(condition=condition, yes=yes, no=no):
            first, *others = (_of(part, scope, context) for part in (condition, yes, no))
            holds = None if first.holds is None else others[0 if first.holds else 1].holds
            return Trace(written(tree), holds, Join.IF, (first, *others))
    return _leaf(tree, scope, context)


def _flat(tree: Expression, sign: str) -> Iterator[Expression]:
    """What is joined by the same sign, from left to right."""
    if isinstance(tree, Binary) and tree.sign == sign:
        yield from _flat(tree.left, sign)
        yield from _flat(tree.right, sign)
    else:
        yield tree


def _joined(parts: tuple[Trace, ...], *, decides: bool) -> bool | None:
    """As CEL joins: an answer that decides does so beside others without one."""
    answers = [part.holds for part in parts]
    return decides if decides in answers else (None if None in answers else not decides)


def _leaf(tree: Expression, scope: Scope, context: ConditionContext) -> Trace:
    condition = Condition.compile(written(tree), scope)
    fields = sorted(
        _fields(condition.variables, context), key=lambda seen: _place(seen.field, condition.source)
    )
    seen = [*fields, *_sides(tree, scope, context)]
    return Trace(condition.source, context.answer(condition), seen=tuple(seen))


def _place(field: str, text: str) -> int:
    """Where the field stands in the text; after all others if it is asked for in other words."""
    found = text.find(field)
    return found if found >= 0 else len(text)


def _fields(variables: tuple[Variable, ...], context: ConditionContext) -> list[Seen]:
    values = {f"{each.root}.{each.key}": context.value(each) for each in variables}
    return [Seen(name, value) for name, value in values.items()]


def _sides(tree: Expression, scope: Scope, context: ConditionContext) -> Iterator[Seen]:
    """What the sides of a comparison came to, where they are computed."""
    if not isinstance(tree, Binary):
        return
    for side in (tree.left, tree.right):
        if isinstance(side, Literal | Member):
            continue
        try:
            formula = Formula.compile(written(side), scope)
        except ConditionError:  # a text, a time: nothing that is computed
            continue
        yield Seen(formula.source, formula.value(context))
