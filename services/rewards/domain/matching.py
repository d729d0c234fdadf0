"""Which rules and milestones an activity meets, by its facts alone: the part of a decision that needs no state."""

from collections.abc import Sequence
from decimal import Decimal

from services.rewards.domain.concerns import Match
from services.rewards.domain.rulebook import Rulebook
from shared.contracts.activity import Activity
from shared.program.model.earn import ONCE_EVER, EarnRule
from shared.program.model.program import Milestone

COMING_ROUND = frozenset({"customer.anniversary", "membership.anniversary"})
"""Days that come round each year, told with how many years have passed."""


def match(activity: Activity, rulebook: Rulebook) -> Match:
    """The rules and milestones of the activity's type whose conditions hold (see `Concern.met`)."""
    concern = rulebook.concerning(activity.type)
    return concern.met(concern.held(activity), activity)


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
