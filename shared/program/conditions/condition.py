"""Conditions in CEL: compiled and checked once, when the program is loaded; then evaluated on facts, quickly.

Comparing a field with a written number or text, which is nearly all that conditions do, is done in decimals and so is
exact: `customer.spend >= 200.01` holds at 200.01 and not at 200.00. All else is left to CEL, which has binary numbers
only: comparing two fields is still exact up to 15 digits, but a computed amount (`customer.spend * 1.1`) is rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from shared.contracts.activity import Activity, Facts
from shared.program.conditions import engine
from shared.program.conditions.checking.checker import Checker
from shared.program.conditions.checking.contradictions import contradicts, texts_needed
from shared.program.conditions.checking.scope import Scope, Variable
from shared.program.conditions.checking.values import as_cel, moment, truth
from shared.program.conditions.plain.predicate import OPAQUE, Predicate, predicate_of
from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import parse_condition
from shared.program.vocabulary.fields import COMMON, DERIVED, WEEKDAYS

__all__ = ["Condition", "ConditionContext", "ConditionError", "Scope"]

_MISSING = object()
_FAILURES = (TypeError, LookupError, ArithmeticError, ValueError, RuntimeError)
"""What CEL raises when a value is null, absent, or of another type than the rule expects."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression over `customer` (its facts) and `event` (its data), which is true or false.

    `variables` are the fields that CEL needs for it; `flags` stand for the whole when it only joins comparisons by &&,
    and CEL is not needed. `certain` is its value when that does not depend on anybody, else None. `predicate` is the
    condition as plain tests of the customer's facts, opaque where it is more than that; `fields` are the facts that it
    asks for; `scope` is what it was allowed to ask. `texts` are fields of the event that must be one of these texts, or
    else it is false, whatever it asks besides.
    """

    source: str
    compiled: engine.Program = field(repr=False, compare=False)
    variables: tuple[Variable, ...] = field(repr=False, compare=False, default=())
    flags: tuple[Variable, ...] | None = field(repr=False, compare=False, default=None)
    certain: bool | None = field(repr=False, compare=False, default=None)
    predicate: Predicate = field(repr=False, compare=False, default=OPAQUE)
    fields: frozenset[str] = field(repr=False, compare=False, default=frozenset())
    scope: Scope = field(repr=False, compare=False, default_factory=Scope)
    texts: Mapping[str, frozenset[str]] = field(repr=False, compare=False, default_factory=dict)

    @classmethod
    def compile(cls, source: str, scope: Scope | None = None) -> Self:
        """Checks and compiles `source`; without a `scope`, any field of any event may be asked for.

        Raises `ConditionError` (a `ValueError`) with a readable reason, the offset in `source`, and a hint.
        """
        scope = scope or Scope()
        checker = Checker(scope)
        tree = parse_condition(source)
        checked = checker.condition(tree)
        try:
            compiled = engine.compile_cel(checked.text)
        except (ValueError, RuntimeError) as error:
            raise ConditionError(f"This is not CEL: {str(error).splitlines()[0]}") from error
        used = compiled.references()["variables"]
        variables = tuple(checker.variables[name] for name in used if name in checker.variables)
        certain = False if contradicts(tree) else checked.certain
        fields = frozenset(one.key for one in checker.variables.values() if one.root == "customer")
        asked = predicate_of(tree)
        return cls(
            source, compiled, variables, checked.flags, certain, asked, fields, scope, texts_needed(tree)
        )

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
        self._cel: engine.Context | None = None
        self._known: set[str] = set()

    @classmethod
    def of(cls, activity: Activity) -> Self:
        """The context of a record: its event, and the facts right after it."""
        return cls(activity.facts, activity)

    def holds(self, condition: Condition) -> bool:
        """Whether the condition is true here; absent, null and ill-typed fields make it false."""
        if condition.flags is not None:
            return all(self._flag(flag) for flag in condition.flags)
        return self.computed(condition.compiled, condition.variables) is True

    def answer(self, condition: Condition) -> bool | None:
        """Whether it is true or false here; None where what decides is absent, null or ill-typed. `holds`, told more
        finely, for those who explain."""
        if condition.flags is not None:
            answers = [self._flag(flag) for flag in condition.flags]
            return False if False in answers else (None if None in answers else True)
        found = self.computed(condition.compiled, condition.variables)
        return found if isinstance(found, bool) else None

    def value(self, variable: Variable) -> object:
        """The field's value here; None where it is absent or null."""
        value = self._value(variable)
        return None if value is _MISSING else value

    def computed(self, compiled: engine.Program, variables: tuple[Variable, ...]) -> object:
        """What an expression gives here; None where something in it is absent, null or ill-typed."""
        if self._cel is None:
            self._cel = engine.Context()
        for variable in variables:
            if variable.name not in self._known:
                self._supply(variable, self._cel)
        try:
            found: object = compiled.execute(self._cel)
        except _FAILURES:
            return None
        return found

    def _flag(self, flag: Variable) -> bool | None:
        value = self._value(flag)
        return None if value is _MISSING else truth(value, flag)

    def _supply(self, variable: Variable, context: engine.Context) -> None:
        """Hands the variable to CEL. What has no value stays undefined there, so that what needs it is false."""
        self._known.add(variable.name)
        value = self._flag(variable) if variable.compare else self._value(variable)
        if value is _MISSING or (value is None and variable.compare):
            return
        try:
            context.add_variable(variable.name, value if variable.compare else as_cel(value, variable.type))
        except _FAILURES:
            return

    def _value(self, variable: Variable) -> object:
        if variable.root == "customer":
            value = _customer_value(self._customer, variable.key)
        else:
            try:
                value = _event_value(self._event, variable)
            except _FAILURES:  # a time that is none
                value = _MISSING
        if value is _MISSING and (variable.tested or variable.type.optional):
            return None
        return value


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
        return _of_time(moment(time), key, variable) if time is not None else _MISSING
    if not isinstance(event, Activity):
        return event.get(key, _MISSING)
    if key in COMMON:
        return getattr(event, key)
    if key in ("from", "to") and key not in event.data:
        return _stage_change(event, key)
    return event.data.get(key, _MISSING)


def _stage_change(event: Activity, key: str) -> object:
    for change in reversed(event.changes):  # the event's own comes last
        if change.what == "stage":
            return change.old if key == "from" else change.new
    return _MISSING


def _of_time(moment: datetime, key: str, variable: Variable) -> int | str:
    local = moment.astimezone(variable.zone)
    if key == "weekday":
        return WEEKDAYS[local.weekday()]
    return int(getattr(local, key))
