"""What a type of event may concern: rules and milestones, their conditions compiled together and asked once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from shared.contracts.activity import Activity
from shared.contracts.facts import Facts
from shared.program.conditions.condition import Condition, ConditionContext
from shared.program.conditions.plain.native import compile_rules
from shared.program.conditions.plain.predicate import is_plain
from shared.program.model.earn import ONCE_EVER, EarnRule
from shared.program.model.program import Milestone

REMEMBERED = 1024
"""So many combinations of conditions that hold are kept in mind with what they meet; mostly there are a few."""


class Match(NamedTuple):
    """The rules and milestones whose conditions hold for an activity."""

    rules: tuple[EarnRule, ...]
    milestones: tuple[Milestone, ...]


NOTHING = Match((), ())

Held = tuple[str, ...]
"""The sources of the conditions that hold."""


@dataclass(frozen=True, slots=True)
class Concern:
    """The rules and milestones that a type of event may concern. Of their conditions those that ask for plain facts of
    the customer are one function (`plain`), which gives the sources of those that hold; the others are `computed`.
    `conditions` are all of them, by their source."""

    rules: tuple[EarnRule, ...]
    milestones: tuple[Milestone, ...]
    conditions: Mapping[str, Condition]
    plain: Callable[[Facts], list[str]] | None = field(init=False)
    computed: tuple[Condition, ...] = field(init=False)
    _known: dict[tuple[Held, bool], Match] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        plain = {source: when for source, when in self.conditions.items() if is_plain(when.predicate)}
        asked = compile_rules({source: (when.predicate, when.holds) for source, when in plain.items()})
        computed = tuple(when for source, when in self.conditions.items() if source not in plain)
        object.__setattr__(self, "plain", asked if plain else None)
        object.__setattr__(self, "computed", computed)

    @classmethod
    def of(cls, rules: Sequence[EarnRule], milestones: Sequence[Milestone]) -> Self:
        """With the conditions of these."""
        whens = [rule.when for rule in rules] + [goal.when for goal in milestones]
        asked = {when.source: when for when in whens if when is not None}
        return cls(tuple(rules), tuple(milestones), asked)

    def held(self, activity: Activity) -> Held:
        """Which of the conditions hold for an activity."""
        if self.plain is None and not self.computed:
            return ()
        held = self.plain(activity.facts) if self.plain is not None else []
        if self.computed:
            context = ConditionContext.of(activity)
            held += [when.source for when in self.computed if context.holds(when)]
        return tuple(held)

    def met(self, held: Held, activity: Activity) -> Match:
        """What an activity of this type meets when these conditions hold; no rules for one that earns nothing, unless
        they give once ever: those are used up empty-handed, and not given for the next registration instead."""
        empty = activity.unrewarded and activity.type != ONCE_EVER
        found = self._known.get((held, empty))
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[held, empty] = Match(
                () if empty else tuple([rule for rule in self.rules if _in(rule.when, held)]),
                tuple([goal for goal in self.milestones if _in(goal.when, held)]),
            )
        return found


def _in(when: Condition | None, held: Held) -> bool:
    return when is None or when.source in held
