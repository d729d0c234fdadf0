"""Points for what a customer did: fixed points, points per unit of money, multiplied points, each within its limit."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from services.rewards.domain import ledger
from services.rewards.domain.changes import Changes, RuleUse
from services.rewards.domain.lots import Lot, lot_number
from services.rewards.domain.matching import Match, limited
from services.rewards.domain.member import Member, Use
from services.rewards.domain.purchases import Grant, Purchase, whole_points
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from shared.program.earn import EarnRule
from shared.program.limit import Limit
from shared.program.model import Program
from shared.program.period import Period

ONCE = Limit(times=1)


def earn_for_activity(
    member: Member, activity: Activity, matched: Match, program: Program, changes: Changes
) -> None:
    """Fixed points for any event that is not an order."""
    lot: Lot | None = None
    given: list[dict[str, Any]] = []
    for rule in matched.rules:
        if rule.points is None:
            continue
        if not _within_limit(member, rule, activity, program):
            changes.skip(rule.id, Why.LIMIT)
            continue
        _use(member, rule, activity, 0 if activity.unrewarded else rule.points, changes)
        if activity.unrewarded:
            changes.skip(rule.id, Why.UNREWARDED)
            continue
        lot = lot or ledger.open_lot(member, lot_number(activity.id), activity.time, program, now=changes.now)
        ledger.earn(
            member,
            changes,
            lot,
            rule.points,
            rule=rule.id,
            cause=activity.id,
            at=activity.time,
            key=f"earn/{rule.id}/{activity.id}",
        )
        given.append({"rule": rule.id, "points": rule.points})
    if given:
        tell_earned(member, activity, changes, given)


def earn_for_order(
    member: Member,
    activity: Activity,
    matched: Match,
    program: Program,
    changes: Changes,
    *,
    purchase: Purchase,
) -> None:
    """Points for an order, each rule its own entry, remembered on the purchase so that a refund can undo them."""
    lot: Lot | None = None
    base = 0
    given: list[dict[str, Any]] = []
    for rule in matched.rules:
        grant = grant_for(rule, purchase, base)
        if grant is None:
            changes.skip(rule.id, why_nothing(rule, purchase, base))
            continue
        if not _within_limit(member, rule, activity, program):
            changes.skip(rule.id, Why.LIMIT)
            continue
        if grant.by == "unit":
            base += grant.earned
        _use(member, rule, activity, grant.earned, changes)
        lot = lot or ledger.open_lot(member, lot_number(activity.id), activity.time, program, now=changes.now)
        purchase.grants.append(grant)
        ledger.earn(
            member,
            changes,
            lot,
            grant.earned,
            rule=rule.id,
            cause=activity.id,
            at=activity.time,
            key=member.key(f"earn/{rule.id}/{purchase.order_id}"),
        )
        given.append({"rule": rule.id, "points": grant.earned})
    if given:
        tell_earned(member, activity, changes, given, order_id=purchase.order_id)


def grant_for(rule: EarnRule, purchase: Purchase, base: int) -> Grant | None:
    """What the rule gives for the order as it was placed; None if that is nothing."""
    if rule.points is not None:
        return Grant(rule.id, "fixed", str(rule.points), rule.points)
    if rule.points_per_unit is not None:
        points = whole_points(purchase.total, rule.points_per_unit) if purchase.counts else 0
        return Grant(rule.id, "unit", str(rule.points_per_unit), points) if points > 0 else None
    assert rule.multiply is not None
    factor = rule.multiply - 1
    points = whole_points(Decimal(base), factor)
    return Grant(rule.id, "times", str(factor), points) if points > 0 else None


def why_nothing(rule: EarnRule, purchase: Purchase, base: int) -> Why:
    """Why `grant_for` gives nothing."""
    if rule.multiply is not None:
        return Why.NO_WHOLE_POINT if base else Why.NOTHING_TO_MULTIPLY
    return Why.NO_WHOLE_POINT if purchase.counts else Why.OTHER_CURRENCY


def _within_limit(member: Member, rule: EarnRule, activity: Activity, program: Program) -> bool:
    if not limited(rule):
        return True
    limit = rule.limit or ONCE
    uses = member.uses.get(rule.id, [])
    if rule.on == "customer.registered" and uses:
        return False
    if isinstance(limit.per, Period):
        return _most_in_one_period([use.at for use in uses], activity.time, limit.per, program) < limit.times
    scope = _scope(rule, activity)
    return sum(1 for use in uses if use.scope == scope) < limit.times


def _most_in_one_period(uses: list[datetime], at: datetime, per: Period, program: Program) -> int:
    """The most earlier uses that share one period of the limit with a use at `at`: a late event may have uses on
    either side of it, and no period, wherever it begins, may hold too many."""
    start, end = per.before(at, program.time_zone), per.after(at, program.time_zone)
    near = sorted(moment for moment in uses if start < moment < end)
    most = 0
    for first in [moment for moment in near if moment <= at] + [at]:
        last = per.after(first, program.time_zone)
        most = max(most, sum(1 for moment in near if first <= moment < last))
    return most


def _scope(rule: EarnRule, activity: Activity) -> str:
    if rule.limit is not None and isinstance(rule.limit.per, str):
        return str(activity.data.get(rule.limit.per, ""))
    return ""


def _use(member: Member, rule: EarnRule, activity: Activity, points: int, changes: Changes) -> None:
    if not limited(rule):
        return
    use = Use(_scope(rule, activity), activity.time, activity.id, points, member.part)
    member.uses.setdefault(rule.id, []).append(use)
    changes.uses.append(
        RuleUse(member.customer_id, rule.id, use.scope, use.at, use.cause, points, member.part)
    )


def tell_earned(
    member: Member,
    activity: Activity,
    changes: Changes,
    given: list[dict[str, Any]],
    *,
    order_id: str | None = None,
) -> None:
    """One outcome for all points that an activity earned."""
    data: dict[str, Any] = {
        "points": sum(part["points"] for part in given),
        "rules": given,
        "available": member.spendable(),
    }
    if order_id is not None:
        data["order_id"] = order_id
    changes.tell(
        member,
        "points.earned",
        id_=f"{activity.id}/earned/{given[0]['rule']}",
        cause=activity.id,
        data=data,
        historical=activity.historical,
    )
