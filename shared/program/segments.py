"""Which segments of a program a customer is in."""

from shared.contracts.activity import Facts
from shared.program.condition import ConditionContext
from shared.program.model import Program


def segments_of(program: Program, facts: Facts) -> list[str]:
    """The ids of the segments whose conditions hold for these facts, in the order of the file."""
    if not program.segments:
        return []
    context = ConditionContext(facts)
    return [name for name, condition in program.segments.items() if context.holds(condition)]
