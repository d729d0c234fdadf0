"""The program, indexed for the way it is used: which rules and milestones an event type may concern."""

from collections import defaultdict
from dataclasses import dataclass, field

from shared.program.earn import EarnRule
from shared.program.model import Milestone, Program


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A program version ready to decide with. `code_key` is the secret from which offer codes derive."""

    program: Program
    code_key: bytes = field(repr=False)
    rules: dict[str, tuple[EarnRule, ...]]
    milestones: dict[str, tuple[Milestone, ...]]
    open_milestones: tuple[Milestone, ...]

    @classmethod
    def of(cls, program: Program, code_key: bytes) -> "Rulebook":
        """Index a program. Rules that multiply come after those that they multiply."""
        rules: dict[str, list[EarnRule]] = defaultdict(list)
        for rule in sorted(program.points.earn, key=lambda rule: rule.multiply is not None):
            rules[rule.on].append(rule)
        milestones: dict[str, list[Milestone]] = defaultdict(list)
        for milestone in program.milestones:
            if milestone.on is not None:
                milestones[milestone.on].append(milestone)
        return cls(
            program=program,
            code_key=code_key,
            rules={on: tuple(found) for on, found in rules.items()},
            milestones={on: tuple(found) for on, found in milestones.items()},
            open_milestones=tuple(m for m in program.milestones if m.on is None),
        )
