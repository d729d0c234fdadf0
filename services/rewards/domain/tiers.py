"""Tiers: reached by rolling spend at once, kept for a period, reviewed when it is over.

`docs/ledger.md` states the policy for refunds of orders that helped to reach a tier.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from services.rewards.domain.calendar import NEW_YEAR, window_start, year_start
from services.rewards.domain.changes import Changes, TierChange
from services.rewards.domain.member import Member
from services.rewards.domain.purchases import ZERO
from shared.program.model import Program
from shared.program.tiering import TierLevel, Tiers


def start_of_window(program: Program, moment: datetime) -> datetime | None:
    """From when on purchases count towards tiers at `moment`; None if the program has no tiers."""
    if program.tiers is None:
        return None
    basis = program.tiers.basis
    if basis.over is not None:
        return window_start(moment, basis.over, program.time_zone)
    return year_start(moment, NEW_YEAR, program.time_zone)


def count_spend(
    member: Member, program: Program, placed_at: datetime, change: Decimal, now: datetime
) -> None:
    """Add what was paid (or, negative, refunded) for an order placed at `placed_at` to the sums that it is part of."""
    if program.tiers is None or not change:
        return
    if member.spend_since is None:
        member.spend_since = start_of_window(program, now)
    assert member.spend_since is not None
    if placed_at >= member.spend_since:
        member.spend += change
    since = member.tier_since
    if since is not None and placed_at <= since:
        # The window of an earlier moment began earlier: most orders need no closer look.
        start = member.spend_since if placed_at >= member.spend_since else start_of_window(program, since)
        assert start is not None
        if placed_at >= start:
            member.tier_spend += change


def level_for(tiers: Tiers, spend: Decimal) -> int:
    """The index of the highest level that this spend reaches."""
    reached = 0
    for index, level in enumerate(tiers.levels):
        if spend >= level.at:
            reached = index
    return reached


def current_level(tiers: Tiers, member: Member) -> int:
    """The index of the member's level; a tier that the program no longer has counts as the lowest."""
    for index, level in enumerate(tiers.levels):
        if level.id == member.tier:
            return index
    return 0


def reconsider(
    member: Member,
    program: Program,
    changes: Changes,
    *,
    cause: str,
    reason: str = "spend",
    historical: bool = False,
) -> None:
    """Upgrade at once if the spend reaches more; take a tier back if the orders that reached it were undone."""
    tiers = program.tiers
    if tiers is None:
        return
    current = current_level(tiers, member)
    deserved = level_for(tiers, member.spend)
    if deserved > current:
        _change(
            member,
            program,
            tiers.levels[deserved],
            changes,
            cause=cause,
            reason="spend",
            historical=historical,
        )
    elif deserved < current and reason in {"refund", "unmerge"}:
        supported = level_for(tiers, max(member.spend, member.tier_spend))
        if supported < current:
            _change(
                member,
                program,
                tiers.levels[supported],
                changes,
                cause=cause,
                reason=reason,
                historical=historical,
            )


def review(member: Member, program: Program, changes: Changes, now: datetime) -> None:
    """Decide again about a tier whose time is over: kept for another period if the spend still reaches it, or lost."""
    tiers = program.tiers
    if member.tier_until is None or member.tier_until > now:
        return
    if tiers is None:
        member.tier_until = None
        changes.touch(member)
        return
    current = current_level(tiers, member)
    deserved = level_for(tiers, member.spend)
    cause = f"review:{member.tier_until.isoformat()}"
    _change(member, program, tiers.levels[min(deserved, current)], changes, cause=cause, reason="review")


def _change(
    member: Member,
    program: Program,
    level: TierLevel,
    changes: Changes,
    *,
    cause: str,
    reason: str,
    historical: bool = False,
) -> None:
    now = changes.now
    old = member.tier
    if level.id != old or member.tier_since is None:
        member.tier = level.id
        member.tier_since = now
        member.tier_spend = member.spend
    member.tier_until = None
    if level.at > ZERO and level.keep_for is not None:
        member.tier_until = level.keep_for.after(now, program.time_zone)
    _record(member, program, changes, old=old, cause=cause, reason=reason, historical=historical)


def adopt(
    target: Member, source: Member, program: Program, changes: Changes, *, cause: str, historical: bool
) -> None:
    """Give the target of a merge the tier of the source, with its time."""
    old = target.tier
    target.tier, target.tier_since, target.tier_until = source.tier, source.tier_since, source.tier_until
    _record(target, program, changes, old=old, cause=cause, reason="merge", historical=historical)


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
    member.tier_changes += 1
    changes.touch(member)
    changes.tiers.append(
        TierChange(
            member.customer_id,
            member.tier_changes,
            changes.now,
            old,
            new,
            reason,
            member.spend,
            cause,
            program.version,
            member.tier_until,
        )
    )
    if new != old:
        data: dict[str, Any] = {"from": old, "to": new, "reason": reason, "until": member.tier_until}
        changes.tell(
            member,
            "tier.changed",
            id_=f"{member.customer_id}/tier/{member.tier_changes}",
            cause=cause,
            data=data,
            historical=historical,
        )
