"""Which rules and milestones an activity meets, by its facts alone: the part of a decision that needs no state."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity
from shared.program.condition import ConditionContext
from shared.program.earn import EarnRule
from shared.program.model import Milestone

COMING_ROUND = frozenset({"customer.anniversary", "membership.anniversary"})
"""Days that come round each year, told with how many years have passed."""

ONCE_EVER = "customer.registered"
"""Rules on this type give points once per customer, whatever their limit says."""


class Match(NamedTuple):
    """The rules and milestones whose conditions hold for an activity."""

    rules: tuple[EarnRule, ...]
    milestones: tuple[Milestone, ...]


NOTHING = Match((), ())


def match(activity: Activity, rulebook: Rulebook, context: ConditionContext | None = None) -> Match:
    """The rules and milestones of the activity's type whose conditions hold; no rules for one that earns nothing,
    unless they give once ever: those are used up empty-handed, and not given for the next registration instead.
    `context` is the activity's own, for who has one at hand."""
    concern = rulebook.concerning(activity.type)
    rules = () if activity.unrewarded and activity.type != ONCE_EVER else concern.rules
    milestones = concern.milestones
    if not rules and not milestones:
        return NOTHING
    held = concern.holding(activity.facts)
    if concern.computed:
        context = context or ConditionContext.of(activity)
        held += [when.source for when in concern.computed if context.holds(when)]
    return Match(
        tuple([rule for rule in rules if rule.when is None or rule.when.source in held]),
        tuple([goal for goal in milestones if goal.when is None or goal.when.source in held]),
    )


def remembered(rule: EarnRule) -> bool:
    """Whether each use of the rule is remembered, because it decides whether, and how many points, it gives again."""
    return limited(rule) or (rule.cap is not None and rule.cap.remembers)


def limited(rule: EarnRule) -> bool:
    """Whether earlier uses of the rule decide if it gives points again."""
    return rule.limit is not None or rule.on == ONCE_EVER


OCCASIONS_MAX = 1_000
"""Of one milestone by one activity."""


def occasions(milestone: Milestone, activity: Activity) -> Sequence[str]:
    """On which occasions the milestone is reached, if its condition holds: for a birthday and for days that come round,
    the year; for one that counts on, each multiple that the customer has come to, as its number; else once (the empty
    one). None if the count has not come so far.

    A birthday is the one of a day: years are told apart by the local day, which a time zone does not move.
    """
    if milestone.count is not None:
        times = int(Decimal(getattr(activity.facts, milestone.count.fact)) / milestone.count.of)
        if not milestone.count.each:
            return [""] if times >= 1 else []
        return [str(number) for number in range(1, min(times, OCCASIONS_MAX) + 1)]
    data = activity.data
    if milestone.on == "customer.birthday":
        return [str(data.get("on", activity.time.date().isoformat()))[:4]]
    if milestone.on in COMING_ROUND:
        return [str(data.get("years", activity.time.year))]
    return [""]
