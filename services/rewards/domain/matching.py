"""Which rules and milestones an activity meets, by its facts alone: the part of a decision that needs no state."""

from dataclasses import dataclass

from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity
from shared.program.condition import ConditionContext
from shared.program.earn import EarnRule
from shared.program.model import Milestone

ONCE_EVER = "customer.registered"
"""Rules on this type give points once per customer, whatever their limit says."""


@dataclass(frozen=True, slots=True)
class Match:
    """The rules and milestones whose conditions hold for an activity."""

    rules: tuple[EarnRule, ...]
    milestones: tuple[Milestone, ...]


NOTHING = Match((), ())


def match(activity: Activity, rulebook: Rulebook, context: ConditionContext | None = None) -> Match:
    """The rules and milestones of the activity's type whose conditions hold; no rules for one that earns nothing,
    unless they give once ever: those are used up empty-handed, and not given for the next registration instead.
    `context` is the activity's own, for who has one at hand."""
    rules = (
        () if activity.unrewarded and activity.type != ONCE_EVER else rulebook.rules.get(activity.type, ())
    )
    milestones = rulebook.milestones.get(activity.type, ()) + rulebook.open_milestones
    if not rules and not milestones:
        return NOTHING
    context = context or ConditionContext.of(activity)
    return Match(
        tuple(rule for rule in rules if rule.when is None or context.holds(rule.when)),
        tuple(goal for goal in milestones if goal.when is None or context.holds(goal.when)),
    )


def remembered(rule: EarnRule) -> bool:
    """Whether each use of the rule is remembered, because it decides whether, and how many points, it gives again."""
    return limited(rule) or (rule.cap is not None and rule.cap.remembers)


def limited(rule: EarnRule) -> bool:
    """Whether earlier uses of the rule decide if it gives points again."""
    return rule.limit is not None or rule.on == ONCE_EVER


def occasion(milestone: Milestone, activity: Activity) -> str:
    """What makes a milestone recur: for birthdays and anniversaries the year they fall in; else it is reached once."""
    if milestone.on in {"customer.birthday", "customer.anniversary"}:
        return str(activity.time.year)
    return ""
