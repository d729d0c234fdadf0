"""Which segments of a program a customer is in."""

from collections.abc import Mapping

from shared.contracts.activity import Facts
from shared.program.condition import Condition, ConditionContext


def segments_of(segments: Mapping[str, Condition], facts: Facts) -> list[str]:
    """The ids of those of a program's segments whose conditions hold for these facts, in the order of the file."""
    if not segments:
        return []
    context = ConditionContext(facts)
    return [name for name, condition in segments.items() if context.holds(condition)]
