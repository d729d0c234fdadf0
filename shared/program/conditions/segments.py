"""Segments: conditions on what is known of a customer, and who is in which."""

from collections.abc import Callable, Mapping

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition
from shared.program.conditions.plain.native import compile_rules

RANKS = frozenset({"spend_percentile", "orders_percentile", "recency_percentile", "rfm_recency", "rfm_value"})
"""Facts that compare a customer with all others: they also change when the others do."""


class SegmentRules:
    """The segments that count now, compiled together, so that a hundred of them cost an event a few microseconds."""

    __slots__ = ("_ask", "conditions", "sources")

    def __init__(self, conditions: Mapping[str, Condition]) -> None:
        self.conditions = dict(conditions)
        self.sources = {name: condition.source for name, condition in self.conditions.items()}
        self._ask: Callable[[Facts], list[str]] = compile_rules(
            {name: (condition.predicate, condition.holds) for name, condition in self.conditions.items()}
        )

    def of(self, facts: Facts) -> list[str]:
        """The ids of those whose conditions hold for these facts, in the order of the definitions."""
        return self._ask(facts)

    def ranked(self, name: str) -> bool:
        """Whether the segment asks how the customer compares with all others."""
        condition = self.conditions.get(name)
        return condition is not None and bool(condition.fields & RANKS)


NO_SEGMENTS = SegmentRules({})
