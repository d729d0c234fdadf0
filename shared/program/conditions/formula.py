"""Formulas in CEL: a number, or true or false, over a customer's facts; checked when the program is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Self

from shared.contracts.activity import Facts
from shared.program.conditions import engine
from shared.program.conditions.checking.checker import Checker
from shared.program.conditions.checking.scope import Scope, Variable
from shared.program.conditions.condition import ConditionContext
from shared.program.conditions.syntax.tokens import ConditionError
from shared.program.conditions.syntax.tree import parse_condition
from shared.program.vocabulary.types import Kind

_KINDS = (Kind.WHOLE, Kind.NUMBER, Kind.FLAG, Kind.ANY)


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over `customer`. `flag` when it is true or false, not a number; of what the shop's own
    attributes hold, nothing is known beforehand, and what they give counts where it is a number."""

    source: str
    flag: bool
    compiled: engine.Program = field(repr=False, compare=False)
    variables: tuple[Variable, ...] = field(repr=False, compare=False, default=())

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the customer that it reads."""
        return tuple(dict.fromkeys(variable.key for variable in self.variables))

    @classmethod
    def compile(cls, source: str, scope: Scope) -> Self:
        """Checks and compiles `source`.

        Raises `ConditionError` (a `ValueError`) with a readable reason, the offset in `source`, and a hint.
        """
        checker = Checker(scope)
        tree = parse_condition(source)
        checked = checker.check(tree)
        if checked.type.kind not in _KINDS:
            message = f"A number is needed here, or a condition; this is {checked.type}."
            raise ConditionError(message, tree.at, "Compute it, or compare it with something.")
        try:
            compiled = engine.compile_cel(checked.text)
        except (ValueError, RuntimeError) as error:
            raise ConditionError(f"This is not CEL: {str(error).splitlines()[0]}") from error
        used = compiled.references()["variables"]
        variables = tuple(checker.variables[name] for name in used if name in checker.variables)
        return cls(source, checked.type.kind is Kind.FLAG, compiled, variables)

    def value(self, customer: Facts | Mapping[str, Any] | ConditionContext) -> float | bool | None:
        """What it gives for this customer; None where something in it is not known, or the result is no number."""
        context = customer if isinstance(customer, ConditionContext) else ConditionContext(customer)
        found = context.computed(self.compiled, self.variables)
        if isinstance(found, bool):
            return found if self.flag else None
        return float(found) if isinstance(found, int | float) and isfinite(found) else None
