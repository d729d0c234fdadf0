"""Tiers: reached at once, kept for a period, looked at anew when it is over, lost with the orders that reached them.

Most orders happen today and after all others: for them the rolling spend at hand decides (`reconsider`). Whatever
looks back (a late order, a refund, a merge, the end of a tier) is decided from all that counts (`present`), so that it
comes to the same as if everything had arrived in time. `docs/tiers.md` states the policies.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from services.rewards.domain.changes import Changes, TierChange
from services.rewards.domain.state.member import Counted, Member
from services.rewards.domain.state.purchases import ORDERS, ZERO, Purchase
from services.rewards.domain.tiering import counting
from services.rewards.domain.tiering.counting import Calendar
from services.rewards.domain.tiering.recurring import due_at_change
from services.rewards.domain.tiering.standing import GRACE, Standing, earned, level_for, reached, with_grants
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.model.tiers import Measure, Tiers
from shared.program.values.calendar import NEW_YEAR, window_start, year_start

LOSING = frozenset({"refund", "review", "unmerge", "grant_ended"})
"""Reasons for which a tier may be lost; anything else only gives."""


def note_joined(member: Member, activity: Activity, program: Program, changes: Changes) -> None:
    """Where years of membership count, keep from when they run: the registration, or the first order without one."""
    if program.tiers is None or program.tiers.basis.year != "anniversary_year":
        return
    joined = activity.facts.registered_at or activity.facts.first_order_at
    if joined is not None and joined != member.joined_at:
        member.joined_at = joined
        changes.stand(member)


class Spent(NamedTuple):
    """What an order counts in money, and when it was placed."""

    at: datetime | None
    amount: Decimal


NOTHING_SPENT = Spent(None, ZERO)


def spent(purchase: Purchase) -> Spent:
    """What the order counts as it stands."""
    return Spent(purchase.placed_at, counting.worth(purchase, Measure.SPEND))


def measure_of(program: Program) -> Measure | None:
    """What counts towards tiers; None if the program has none."""
    return program.tiers.basis.measure if program.tiers is not None else None


def start_of_window(program: Program, moment: datetime) -> datetime | None:
    """From when on `Member.spend` counts at `moment`; None if the program has no tiers."""
    if program.tiers is None:
        return None
    basis = program.tiers.basis
    if basis.over is not None:
        return window_start(moment, basis.over, program.time_zone)
    return year_start(moment, NEW_YEAR, program.time_zone)


def follow_order(  # noqa: PLR0917
    member: Member, purchase: Purchase, before: Spent, activity: Activity, program: Program, changes: Changes
) -> None:
    """Count an order that was told, told again, refunded or called off; `before` is what it counted until then."""
    tiers = program.tiers
    if tiers is None:
        member.spend_since, member.spend = None, ZERO  # whoever has tiers again sums it up anew
        return
    if member.spend_since is None:
        member.spend_since = start_of_window(program, changes.now)
    assert member.spend_since is not None
    if before.at is not None and before.at >= member.spend_since:
        member.spend -= before.amount
    if purchase.placed_at is not None and purchase.placed_at >= member.spend_since:
        member.spend += counting.worth(purchase, Measure.SPEND)
    if tiers.basis.measure is not Measure.POINTS:
        reason = "spend" if before.at is None else "refund"
        reconsider(
            member,
            program,
            changes,
            at=activity.time,
            cause=activity.id,
            reason=reason,
            historical=activity.historical,
        )


def follow_points(
    member: Member, activity: Activity, program: Program, changes: Changes, before: int
) -> None:
    """Where points count, count what an activity has given or taken; `before` is what had been earned until then.
    Points of orders are counted with the order."""
    if measure_of(program) is not Measure.POINTS:
        return
    count_earned(
        member,
        program,
        changes,
        before,
        key=None if activity.type in ORDERS else activity.id,
        at=activity.time,
        cause=activity.id,
        historical=activity.historical,
    )


def count_earned(
    member: Member,
    program: Program,
    changes: Changes,
    before: int,
    *,
    key: str | None,
    at: datetime,
    cause: str,
    historical: bool = False,
) -> None:
    """Where points count, count what was earned or lost since it had been `before`; under `key`, unless it is counted
    with its order."""
    if program.tiers is None or program.tiers.basis.measure is not Measure.POINTS:
        return
    change = member.lifetime_earned - before
    if not change:
        return
    if member.counted is None:
        member.counted = {}
    if key is not None:
        member.counted[key] = Counted(at, Decimal(change))
    reason = "spend" if change > 0 else "refund"
    reconsider(member, program, changes, at=at, cause=cause, reason=reason, historical=historical)


def current_level(tiers: Tiers, member: Member) -> int:
    """The index of the member's level; a tier that the program no longer has counts as the lowest."""
    return tiers.places.get(member.tier or "", 0)


def reconsider(
    member: Member,
    program: Program,
    changes: Changes,
    *,
    at: datetime,
    cause: str,
    reason: str = "spend",
    historical: bool = False,
) -> None:
    """Upgrade at once if the member now reaches more; take a tier back if what reached it is undone."""
    tiers = program.tiers
    if tiers is None:
        return
    if member.counted is not None or reason in LOSING or not tiers.rolls:
        standing = present(member, program, changes.now)
        apply(member, standing, program, changes, cause=cause, reason=reason, historical=historical)
        if reason in LOSING and tiers.notice_before is not None and member.tier_until is not None:
            notice = max(tiers.notice_before.before(member.tier_until, program.time_zone), changes.now)
            member.tier_due = min(member.tier_due or notice, notice)  # what was safe may be so no longer
            changes.stand(member)
        return
    current, in_grace = current_level(tiers, member), member.tier_status == GRACE
    above = current + 1
    if not in_grace and (above == len(tiers.levels) or member.spend < tiers.levels[above].at):
        return  # as mostly
    level = level_for(tiers, member.spend)
    again = level == current and in_grace
    if level > current or again:
        calendar = Calendar.of(tiers.basis, program.time_zone, member)
        standing = reached(tiers, calendar, level, at)
        if again:
            standing = standing._replace(since=member.tier_since)
        apply(member, standing, program, changes, cause=cause, reason=reason, historical=historical)


def present(member: Member, program: Program, now: datetime) -> Standing:
    """Where the member stands at `now` by all that counts and all that was granted; both must be loaded."""
    tiers = program.tiers
    assert tiers is not None
    calendar = Calendar.of(tiers.basis, program.time_zone, member)
    items = counting.counted(member, tiers.basis.measure)
    return with_grants(earned(items, tiers, calendar, now), member.grants, tiers, now)


def decide_anew(
    member: Member, program: Program, changes: Changes, activity: Activity, *, reason: str
) -> None:
    """The tier by all that is the member's own now; it must all be at hand."""
    standing = present(member, program, changes.now)
    apply(
        member,
        standing,
        program,
        changes,
        cause=activity.id,
        reason=reason,
        historical=activity.historical,
    )


def standing_of(member: Member, tiers: Tiers) -> Standing:
    """Where the member stands by what is stored."""
    return Standing(current_level(tiers, member), member.tier_since, member.tier_until, member.tier_status)


def amount_now(member: Member, program: Program, now: datetime) -> Decimal:
    """What counts towards tiers at `now`."""
    tiers = program.tiers
    assert tiers is not None
    if member.counted is None and tiers.rolls:
        return member.spend
    calendar = Calendar.of(tiers.basis, program.time_zone, member)
    return counting.total(counting.counted(member, tiers.basis.measure), calendar.start(now))


def apply(
    member: Member,
    standing: Standing,
    program: Program,
    changes: Changes,
    *,
    cause: str,
    reason: str,
    historical: bool = False,
) -> None:
    """Make this the member's standing, with a record if it is another tier; unless that would take a tier away for no
    reason to."""
    tiers = program.tiers
    assert tiers is not None
    current, old = current_level(tiers, member), member.tier
    if standing.level < current and reason not in LOSING:
        return
    level = tiers.levels[standing.level]
    if old is None and not standing.level:
        return  # the lowest tier needs no record as long as there was no other
    if old == level.id and standing[1:] == (member.tier_since, member.tier_until, member.tier_status):
        return
    if standing.status == GRACE != member.tier_status:
        reason = "grace"
    member.tier, member.tier_since, member.tier_until = level.id, standing.since, standing.until
    member.tier_status = standing.status
    historical = historical and changes.tells  # a simulation plays imported history as it was lived
    due = due_at_change(member, level, tiers, program.time_zone, changes.now, historical=historical)
    if not historical or old != level.id:
        member.tier_promise = level.promise
    elif member.tier_due is not None:
        due = min(due or member.tier_due, member.tier_due)  # history keeps back nothing that is due
    member.tier_due = due
    changes.stand(member)
    if old != level.id or reason in {"review", "grace", "grant", "grant_ended"}:
        _record(member, program, changes, old=old, cause=cause, reason=reason, historical=historical)


def _record(
    member: Member,
    program: Program,
    changes: Changes,
    *,
    old: str | None,
    cause: str,
    reason: str,
    historical: bool,
) -> None:
    new = member.tier
    assert new is not None
    if new != old and historical:
        changes.by_history.add(member.customer_id)
    elif new != old:
        changes.by_history.discard(member.customer_id)
    member.tier_changes += 1
    changes.tiers.append(
        TierChange(
            member.customer_id,
            member.tier_changes,
            changes.now,
            old,
            new,
            reason,
            amount_now(member, program, changes.now),
            cause,
            program.version,
            member.tier_until,
        )
    )
    if new != old or reason == "grace":
        data: dict[str, Any] = {"from": old, "to": new, "reason": reason, "until": member.tier_until}
        changes.tell(
            member,
            "tier.changed" if new != old else "tier.grace",
            id_=f"{member.customer_id}/tier/{member.tier_changes}",
            cause=cause,
            data=data,
            historical=historical,
        )
