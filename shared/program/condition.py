"""Conditions in CEL: compiled and checked once, when the program is loaded; then evaluated on facts, quickly.

Amounts: a condition compares decimals as binary numbers (CEL has no others). Two amounts of at most 15 digits are
equal there exactly when they are equal as decimals, and ordered alike, so comparing a fact with an amount is exact up
to 99,999,999,999.9999 in any currency. Computed amounts (`customer.spend * 1.1`) carry the rounding of binary numbers;
rules that must be exact to the cent compare a fact with a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

import cel

from shared.contracts.activity import Activity, Facts
from shared.program.expression.checker import Checker, Scope, Variable
from shared.program.expression.fields import COMMON, DERIVED, WEEKDAYS
from shared.program.expression.syntax import parse_condition
from shared.program.expression.tokens import ConditionError
from shared.program.expression.types import Kind, Type

__all__ = ["Condition", "ConditionContext", "ConditionError", "Scope"]

_MISSING = object()
_FAILURES = (TypeError, LookupError, ArithmeticError, ValueError, RuntimeError)
"""What CEL raises when a value is null, absent, or of another type than the rule expects."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression over `customer` (its facts) and `event` (its data), which is true or false.

    `certain` is its value when that does not depend on anybody, else None.
    """

    source: str
    compiled: cel.Program = field(repr=False, compare=False)
    variables: tuple[Variable, ...] = field(repr=False, compare=False, default=())
    certain: bool | None = field(repr=False, compare=False, default=None)

    @classmethod
    def compile(cls, source: str, scope: Scope | None = None) -> Self:
        """Checks and compiles `source`; without a `scope`, any field of any event may be asked for.

        Raises `ConditionError` (a `ValueError`) with a readable reason, the offset in `source`, and a hint.
        """
        checker = Checker(scope or Scope())
        checked = checker.condition(parse_condition(source))
        try:
            compiled = cel.compile(checked.text)
        except (ValueError, RuntimeError) as error:
            raise ConditionError(f"This is not CEL: {str(error).splitlines()[0]}") from error
        return cls(source, compiled, tuple(checker.variables.values()), checked.certain)

    def holds(
        self, customer: Facts | Mapping[str, Any], event: Activity | Mapping[str, Any] | None = None
    ) -> bool:
        """Whether the condition is true. A field that this event does not have makes it false, never an error.

        Where several conditions look at one record, make one `ConditionContext` for all of them.
        """
        return ConditionContext(customer, event).holds(self)


class ConditionContext:
    """One customer and one event, ready for any number of conditions.

    Each field is handed to CEL once, when the first condition asks for it. `event` is the activity, or a mapping of
    its data with `type` and `time`; `customer` the facts, or a mapping of them.
    """

    __slots__ = ("_cel", "_customer", "_event", "_known")

    def __init__(
        self, customer: Facts | Mapping[str, Any], event: Activity | Mapping[str, Any] | None = None
    ) -> None:
        self._customer = customer
        self._event = event
        self._cel = cel.Context()
        self._known: set[str] = set()

    @classmethod
    def of(cls, activity: Activity) -> Self:
        """The context of a record: its event, and the facts right after it."""
        return cls(activity.facts, activity)

    def holds(self, condition: Condition) -> bool:
        """Whether the condition is true here; absent, null and ill-typed fields make it false."""
        known = self._known
        for variable in condition.variables:
            if variable.name not in known:
                self._supply(variable)
        try:
            return condition.compiled.execute(self._cel) is True
        except _FAILURES:
            return False

    def _supply(self, variable: Variable) -> None:
        self._known.add(variable.name)
        if variable.root == "customer":
            value = _customer_value(self._customer, variable.key)
        else:
            value = _event_value(self._event, variable)
        if value is _MISSING:
            if not (variable.tested or variable.type.optional):
                return  # undefined in CEL: whatever needs it is false
            value = None
        try:
            self._cel.add_variable(variable.name, _ready(value, variable.type))
        except _FAILURES:
            return


def _customer_value(customer: Facts | Mapping[str, Any], key: str) -> object:
    if isinstance(customer, Facts):
        return getattr(customer, key, _MISSING)
    return customer.get(key, _MISSING)


def _event_value(event: Activity | Mapping[str, Any] | None, variable: Variable) -> object:
    key = variable.key
    if event is None:
        return _MISSING
    if key in DERIVED:
        time = event.time if isinstance(event, Activity) else event.get("time")
        return _of_time(_time(time), key, variable) if time is not None else _MISSING
    if not isinstance(event, Activity):
        return event.get(key, _MISSING)
    if key in COMMON:
        return getattr(event, key)
    if key in ("from", "to") and key not in event.data:
        return _stage_change(event, key)
    return event.data.get(key, _MISSING)


def _stage_change(event: Activity, key: str) -> object:
    for change in event.changes:
        if change.what == "stage":
            return change.old if key == "from" else change.new
    return _MISSING


def _of_time(moment: datetime, key: str, variable: Variable) -> int | str:
    local = moment.astimezone(variable.zone)
    if key == "weekday":
        return WEEKDAYS[local.weekday()]
    return int(getattr(local, key))


def _ready(value: Any, found: Type) -> Any:
    """The value as CEL takes it. Raises one of `_FAILURES` when it is not of the type that it should be."""
    if value is None:
        return None
    if found.kind is Kind.NUMBER:
        return _number(value)
    if found.kind is Kind.TIME:
        return _time(value)
    if found.kind is Kind.LIST:
        element = found.element
        if element is None or element.kind is not Kind.RECORD or element.fields is None:
            return list(value)
        return [
            {name: _ready(part.get(name), kind) for name, kind in element.fields.items()} for part in value
        ]
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise TypeError(f"{value!r} is not a time")
