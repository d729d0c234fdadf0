"""Points for what a customer did: fixed points, points per unit of money, multiplied points, each within its limit and
its cap."""

from typing import Any

from services.rewards.domain.changes import Changes, RuleUse
from services.rewards.domain.concerns import Match
from services.rewards.domain.earning.caps import room, take
from services.rewards.domain.earning.grants import grant_for, hindrance, why_nothing
from services.rewards.domain.earning.limits import within
from services.rewards.domain.matching import limited, remembered
from services.rewards.domain.points import ledger
from services.rewards.domain.skips import Why
from services.rewards.domain.state.lots import Lot, lot_number
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.purchases import Purchase
from shared.contracts.activity import Activity
from shared.program.model.earn import EarnRule
from shared.program.model.limit import Limit
from shared.program.model.program import Program

ONCE = Limit(times=1)


def earn_for_activity(
    member: Member, activity: Activity, matched: Match, program: Program, changes: Changes
) -> None:
    """Fixed points for any event that is not an order."""
    lot: Lot | None = None
    given: list[dict[str, Any]] = []
    for rule in matched.rules:
        if rule.points is None or not _may_give(member, rule, activity, program, changes):
            continue
        points = _within_cap(member, rule, activity, program, changes, rule.points)
        if not points:
            continue
        note_use(member, rule, activity, 0 if activity.unrewarded else points, changes)
        if activity.unrewarded:
            changes.skip(rule.id, Why.UNREWARDED)
            continue
        lot = lot or ledger.open_lot(member, lot_number(activity.id), activity.time, program, now=changes.now)
        ledger.earn(
            member,
            changes,
            lot,
            points,
            rule=rule.id,
            cause=activity.id,
            at=activity.time,
            key=f"earn/{rule.id}/{activity.id}",
        )
        given.append({"rule": rule.id, "points": points})
    if given:
        tell_earned(member, activity, changes, given)


def _may_give(member: Member, rule: EarnRule, activity: Activity, program: Program, changes: Changes) -> bool:
    why = hindrance(rule, member, activity, program)
    if why is None and not _within_limit(member, rule, activity, program):
        why = Why.LIMIT
    if why is not None:
        changes.skip(rule.id, why)
    return why is None


def _within_cap(  # noqa: PLR0917
    member: Member, rule: EarnRule, activity: Activity, program: Program, changes: Changes, points: int
) -> int:
    """How many of these points the rule's cap leaves."""
    left = room(member, rule, activity.time, program, changes)
    if left is None:
        return points
    if not left:
        changes.skip(rule.id, Why.CAP)
    return min(points, left)


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
    number = purchase.lot
    assert number is not None, "an order that is placed has the number of its lot"
    lot: Lot | None = None
    base = 0
    given: list[dict[str, Any]] = []
    for rule in matched.rules:
        if not (rule.free or _may_give(member, rule, activity, program, changes)):
            continue
        grant = grant_for(rule, purchase, base, activity.data, program)
        if grant is None:
            changes.skip(rule.id, why_nothing(rule, purchase, base))
            continue
        points = grant.earned
        if not rule.free:
            points = grant.earned = _within_cap(member, rule, activity, program, changes, points)
            if not points:
                continue
            note_use(member, rule, activity, points, changes)
        if grant.by == "unit":
            base += points
        lot = lot or ledger.open_lot(member, number, activity.time, program, now=changes.now)
        purchase.grants.append(grant)
        ledger.earn(
            member,
            changes,
            lot,
            points,
            rule=rule.id,
            cause=activity.id,
            at=activity.time,
            key=member.key(f"earn/{rule.id}/{purchase.order_id}"),
        )
        if changes.tells:
            given.append({"rule": rule.id, "points": points})
    if given:
        tell_earned(member, activity, changes, given, order_id=purchase.order_id)


def _within_limit(member: Member, rule: EarnRule, activity: Activity, program: Program) -> bool:
    if not limited(rule):
        return True
    limit = rule.limit or ONCE
    uses = member.uses.get(rule.id, [])
    if rule.on == "customer.registered" and uses:
        return False
    return within(limit, uses, activity.time, _scope(rule, activity), program.time_zone)


def _scope(rule: EarnRule, activity: Activity) -> str:
    if rule.limit is not None and isinstance(rule.limit.per, str):
        return str(activity.data.get(rule.limit.per, ""))
    return ""


def note_use(member: Member, rule: EarnRule, activity: Activity, points: int, changes: Changes) -> None:
    """Remember that the rule gave points, where that decides whether, and how many, it gives again."""
    take(rule, points, changes)
    if not remembered(rule):
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
    if not changes.tells:
        return
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
