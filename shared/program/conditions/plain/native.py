"""Conditions on a customer as one Python function: what asks a hundred segments in the time that CEL asks one.

Only plain conditions (see `predicate`) become Python. The text that is compiled holds nothing that an author wrote:
facts are named by fields that exist, and written values stand in a list beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import copysign, inf, isnan, nan
from typing import Any as Anything

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
    is_plain,
)
from shared.program.conditions.plain.terms import Computed, Fact, Term, Written
from shared.program.vocabulary.fields import fact_shapes
from shared.program.vocabulary.types import Kind

Slow = Callable[[Facts], bool]
"""Answers a condition that is not plain."""


@dataclass(slots=True)
class _Writer:
    """Writes the text; `values` are the written values, `facts` those that are read, each once."""

    values: list[Anything] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def text(self, predicate: Predicate) -> str:
        """The predicate as an expression that is true or false and never fails."""
        match predicate:
            case All(parts=parts) | Any(parts=parts):
                join, empty = (" and ", "True") if isinstance(predicate, All) else (" or ", "False")
                return f"({join.join(map(self.text, parts))})" if parts else empty
            case Test():
                return _TESTS[predicate.how](self, predicate)
            case Comparison():
                return _computed(self, predicate)
            case Opaque():
                raise AssertionError("not plain")

    def fact(self, name: str) -> str:
        """The local name of a fact."""
        return self.facts.setdefault(name, f"f_{name}")

    def value(self, value: Anything) -> str:
        """The place of a written value."""
        self.values.append(value)
        return f"v{len(self.values) - 1}"


def compile_rules(rules: Mapping[str, tuple[Predicate, Slow]]) -> Callable[[Facts], list[str]]:
    """A function that gives the names of those rules that hold, in their order.

    Each rule is its predicate, and the slow way to answer it when that is not plain.
    """
    writer = _Writer()
    asked: list[str] = []
    for name, (predicate, slow) in rules.items():
        condition = writer.text(predicate) if is_plain(predicate) else f"{writer.value(slow)}(facts)"
        asked.append(f"  if {condition}: found.append({writer.value(name)})")
    read = [f"  {local} = facts.{name}" for name, local in writer.facts.items()]
    places = ", ".join(f"v{number}" for number in range(len(writer.values)))
    lines = [f"def make({places}):", " def ask(facts):", "  found = []", *read, *asked, "  return found"]
    names: dict[str, Anything] = {}
    known = {"__builtins__": {}, "float": float, "len": len, "quotient": _quotient, "remainder": _remainder}
    exec("\n".join([*lines, " return ask"]), known, names)  # noqa: S102
    made: Callable[[Facts], list[str]] = names["make"](*writer.values)
    return made


def _signed(test: Test) -> str:
    return test.sign if test.wanted else OPPOSITE[test.sign]


def _guarded(test: Test, local: str, comparison: str) -> str:
    """Null is unequal to everything, and neither more nor less than anything."""
    if test.type.optional and _signed(test) not in ("==", "!="):
        return f"({local} is not None and {comparison})"
    return comparison


def _compare(writer: _Writer, test: Test) -> str:
    local, sign = writer.fact(test.field), _signed(test)
    if test.value is None:
        return f"{local} is {'not ' if sign == '!=' else ''}None"
    if test.type.kind is Kind.FLAG:
        return f"{local} is {'' if sign == '==' else 'not '}{test.value}"
    against: Anything = test.value
    if isinstance(against, int | Decimal) and float in fact_shapes()[test.field]:
        against = float(against)  # binary against binary: 0.1 is 0.1
    return _guarded(test, local, f"{local} {sign} {writer.value(against)}")


def _beside(writer: _Writer, test: Test) -> str:
    left, right, sign = writer.fact(test.field), writer.fact(test.other), _signed(test)
    sides = [_binary(test.field, left), _binary(test.other, right)]
    comparison = f"{sides[0]} {sign} {sides[1]}"
    if sides == [left, right] and sign in ("==", "!="):
        return comparison
    there = f"{left} is not None and {right} is not None"
    if sign == "==":
        return f"({comparison} if {there} else {left} is {right})"
    if sign == "!=":
        return f"({comparison} if {there} else {left} is not {right})"
    return f"({there} and {comparison})"


def _binary(name: str, local: str) -> str:
    """CEL compares two facts as binary numbers."""
    return f"float({local})" if Decimal in fact_shapes()[name] else local


def _computed(writer: _Writer, asked: Comparison) -> str:
    """What needs a fact that is null has no answer; a remainder by zero neither."""
    there = [f"{writer.fact(name)} is not None" for name in sorted(_named(asked.left) | _named(asked.right))]
    there += [f"{_term(writer, one)} != 0" for one in (*_moduli(asked.left), *_moduli(asked.right))]
    sign = asked.sign if asked.wanted else OPPOSITE[asked.sign]
    return f"({' and '.join([*there, f'{_term(writer, asked.left)} {sign} {_term(writer, asked.right)}'])})"


def _term(writer: _Writer, term: Term) -> str:
    match term:
        case Fact(name=name):
            return _binary(name, writer.fact(name))
        case Written(value=value):
            return writer.value(value)
        case Computed(sign=sign, left=left, right=right):
            sides = _term(writer, left), _term(writer, right)
            if sign in _CALLED:
                return f"{_CALLED[sign]}({sides[0]}, {sides[1]})"
            return f"({sides[0]} {sign} {sides[1]})"


_CALLED = {"/": "quotient", "%": "remainder"}


def _named(term: Term) -> set[str]:
    """The facts that a term needs."""
    if isinstance(term, Computed):
        return _named(term.left) | _named(term.right)
    return {term.name} if isinstance(term, Fact) else set()


def _moduli(term: Term) -> list[Term]:
    """What remainders are taken by, the innermost first."""
    if not isinstance(term, Computed):
        return []
    return [*_moduli(term.left), *_moduli(term.right), *([term.right] if term.sign == "%" else [])]


def _quotient(left: float, right: float) -> float:
    """As binary numbers divide: by zero too."""
    if right:
        return left / right
    return nan if isnan(left) or not left else copysign(inf, left)


def _remainder(left: int, right: int) -> int:
    """With the sign of what is divided."""
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _size(writer: _Writer, test: Test) -> str:
    return f"len({writer.fact(test.field)}) {_signed(test)} {writer.value(test.value)}"


def _holds(writer: _Writer, test: Test) -> str:
    return f"{writer.value(test.value)} {'' if test.wanted else 'not '}in {writer.fact(test.field)}"


def _one_of(writer: _Writer, test: Test) -> str:
    return (
        f"{writer.fact(test.field)} {'' if test.wanted else 'not '}in {writer.value(frozenset(test.values))}"
    )


def _part(writer: _Writer, test: Test) -> str:
    local, value = writer.fact(test.field), writer.value(test.value)
    asked = {
        How.STARTS: f"{local}.startswith({value})",
        How.ENDS: f"{local}.endswith({value})",
        How.WITHIN: f"{value} in {local}",
    }[test.how]
    asked = asked if test.wanted else f"not ({asked})"
    return f"({local} is not None and {asked})" if test.type.optional else f"({asked})"


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
