"""Values of facts and events, made ready for a comparison in decimals, or for CEL."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any

from shared.program.conditions.checking.scope import Checked, Variable
from shared.program.conditions.syntax.tree import Binary, Literal
from shared.program.vocabulary.types import FLAG, Kind, Type

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
HOLDS = operator.contains


def comparison(tree: Binary, left: Checked, right: Checked, certain: bool | None) -> Checked | None:
    """The comparison of a field with a number or text, as a flag; None when it is of another kind."""
    if isinstance(tree.right, Literal):
        return _flag(left.variable, tree.sign, tree.right, certain)
    if isinstance(tree.left, Literal):
        return _flag(right.variable, _MIRRORED.get(tree.sign, tree.sign), tree.left, certain)
    return None


def _flag(variable: Variable | None, sign: str, literal: Literal, certain: bool | None) -> Checked | None:
    value = literal.value
    if variable is None or value is None or isinstance(value, bool) or sign not in _SIGNS:
        return None
    if not (variable.type.numeric or variable.type.kind is Kind.TEXT):
        return None
    against = value if isinstance(value, int | str) else Decimal(literal.text)
    return as_flag(variable, sign, _SIGNS[sign], against, certain)


def as_flag(
    variable: Variable,
    sign: str,
    compare: Callable[[Any, Any], bool],
    against: Any,
    certain: bool | None = None,
) -> Checked:
    """A flag that says how the variable's value compares; its name is that of no other comparison."""
    digest = blake2b(f"{variable.name} {sign} {against!r}".encode(), digest_size=8).hexdigest()
    name = f"{variable.root}_{variable.key}__{digest}"
    flag = Variable(
        name, variable.root, variable.key, variable.type, variable.zone, compare=compare, against=against
    )
    return Checked(name, FLAG, certain, variable=None, flags=(flag,))


def truth(value: Any, flag: Variable) -> bool | None:
    """Whether the comparison holds for that value; None when it has no answer: null is neither more nor less than
    anything (though it is unequal to everything), and a value of the wrong type compares with nothing."""
    compare, against, kind = flag.compare, flag.against, flag.type.kind
    assert compare is not None
    if value is None:
        return None if compare not in (operator.eq, operator.ne) else compare is operator.ne
    if compare is HOLDS:
        return against in value if isinstance(value, list | tuple | set | frozenset) else None
    if kind is Kind.TEXT:
        return compare(value, against) if isinstance(value, str) else None
    return _compare_numbers(value, compare, against)


def _compare_numbers(value: Any, compare: Callable[[Any, Any], bool], against: Any) -> bool | None:
    try:
        if isinstance(value, str):
            value = Decimal(value)
        if isinstance(value, float):
            return compare(value, float(against))  # binary against binary: 0.1 is 0.1
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return compare(value, against)
    except InvalidOperation:
        pass
    return None


def as_cel(value: Any, found: Type) -> Any:
    """The value as CEL takes it. Raises `TypeError` or `ValueError` when it is not of the type that it should be."""
    if value is None:
        return None
    if found.kind is Kind.NUMBER:
        return _number(value)
    if found.kind is Kind.TIME:
        return moment(value)
    if found.kind is Kind.LIST:
        return _list(value, found.element)
    return value


def _list(value: object, element: Type | None) -> list[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise TypeError(f"{value!r} is not a list")
    if element is None or element.fields is None:
        return list(value)
    if not all(isinstance(part, Mapping) for part in value):
        raise TypeError("this is not a list of records")
    fields = element.fields.items()
    return [{name: as_cel(part.get(name), kind) for name, kind in fields} for part in value]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def moment(value: object) -> datetime:
    """The moment that this is, with its offset. Raises `TypeError` or `ValueError` when it is none."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r} is not a time")
    return value
