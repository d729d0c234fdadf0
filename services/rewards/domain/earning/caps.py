"""How many points a rule may still give: what its cap leaves of what it gave before.

A cap counts points when they are earned. Points taken back make no room again, so that the order in which a refund and
a later purchase are told does not matter.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import whole_points
from shared.contracts.activity import Activity
from shared.program.model.earn import EarnRule
from shared.program.model.program import Program


def room(member: Member, rule: EarnRule, at: datetime, program: Program, changes: Changes) -> int | None:
    """How many points the rule may give the customer for what happened at `at`, beside the cap of an order; None: any
    number. Days and months are those of the program's calendar."""
    cap = rule.cap
    if cap is None:
        return None
    bounds = [] if cap.program is None else [changes.budget(rule.id, cap.program).left]
    if cap.remembers:
        local = at.astimezone(program.time_zone)
        day, month = local.date(), (local.year, local.month)
        of_day = of_month = ever = 0
        for use in member.uses.get(rule.id, ()):
            used = use.at.astimezone(program.time_zone)
            ever += use.points
            of_month += use.points if (used.year, used.month) == month else 0
            of_day += use.points if used.date() == day else 0
        given = ((cap.day, of_day), (cap.month, of_month), (cap.customer, ever))
        bounds += [bound - points for bound, points in given if bound is not None]
    return max(min(bounds), 0) if bounds else None


def take(rule: EarnRule, points: int, changes: Changes) -> None:
    """Note that the rule has given points, where all customers together have so many."""
    if rule.cap is not None and rule.cap.program is not None:
        changes.budget(rule.id, rule.cap.program).take(points)


def wanted(rule: EarnRule, activity: Activity, rules: tuple[EarnRule, ...]) -> int:
    """The most that the rule could give for an activity: so much of its budget is put aside before it is decided.
    `rules` are all of that type of event."""
    most = _most(rule, activity.data, rules)
    bounds = [most]
    if rule.cap is not None:
        bounds += [bound for bound in (rule.cap.order, rule.cap.day, rule.cap.month) if bound is not None]
    return min(bounds)


def _most(rule: EarnRule, data: Mapping[str, Any], rules: tuple[EarnRule, ...]) -> int:
    if rule.points is not None:
        return rule.points
    paid = Decimal(data.get("total") or 0) + Decimal(data.get("discount") or 0)
    if rule.points_per_unit is not None:
        return whole_points(paid, rule.points_per_unit)
    assert rule.multiply is not None
    rate = sum((other.points_per_unit or Decimal(0) for other in rules), Decimal(0))
    return whole_points(paid, rate * (rule.multiply - 1))
