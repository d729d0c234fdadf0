"""Points that activity lets last, and the notice before they expire.

Where the program says `renewed_by`, lots are renewable: an event of these types lets all of them last `expire_after`
from its day on. What is stored of a renewable lot may lag behind: the member's `renewed_until` is right, and every lot
that is loaded is brought in step with it (`lots.keep_in_step`). So an order costs the same, however many lots there
are.
"""

from collections import defaultdict
from datetime import datetime

from services.rewards.domain.changes import Changes
from services.rewards.domain.points import ledger
from services.rewards.domain.state.accounts import Account, Kind
from services.rewards.domain.state.lots import Lot, end_of_points, keep_in_step
from services.rewards.domain.state.member import Member
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.values.calendar import end_of_day, last_day


def is_late_renewal(activity: Activity, program: Program, now: datetime) -> bool:
    """Whether the activity renews points, and some may have expired between it and now."""
    points = program.points
    if activity.type not in points.renewed_by or points.expire_after is None:
        return False
    by_the_hour = not points.expire_after.months and not points.expire_after.rest.days
    return by_the_hour or end_of_day(activity.time, program.time_zone) <= now


def renew(member: Member, activity: Activity, program: Program, changes: Changes) -> None:
    """Let all points that the customer has at the activity's time last from then on. Those that expired after it come
    back: it only arrived late. Needs such lots (see `Needs`), no others."""
    if activity.type not in program.points.renewed_by:
        return
    until = end_of_points(activity.time, program)
    if until is None:
        return
    _extend(member, activity.time, until)
    changes.touch(member)
    for lot in member.lots.values():
        end = lot.expires_at
        if lot.renewable and lot.expired and end is not None and activity.time < end < until:
            _bring_back(member, lot, until, activity, changes)
        keep_in_step(lot, member.renewed_since, member.renewed_until)
    ledger.settle(member, changes, cause=activity.id, at=activity.time)


def join_renewals(target: Member, source: Member) -> None:
    """What renewed the points of either renews those of both, once they are one."""
    if source.renewed_since is not None and source.renewed_until is not None:
        _extend(target, source.renewed_since, source.renewed_until)
    for lot in target.lots.values():
        keep_in_step(lot, target.renewed_since, target.renewed_until)


def _extend(member: Member, since: datetime, until: datetime) -> None:
    """Join the time from `since` to `until` to the one that is kept, if they meet; else the later one is kept."""
    if member.renewed_since is None or member.renewed_until is None or since >= member.renewed_until:
        member.renewed_since, member.renewed_until = since, until
    elif until > member.renewed_since:
        member.renewed_since = min(member.renewed_since, since)
        member.renewed_until = max(member.renewed_until, until)


def _bring_back(member: Member, lot: Lot, until: datetime, activity: Activity, changes: Changes) -> None:
    points, lot.expired = lot.expired, 0
    lot.remaining += points
    lot.expires_at, lot.noticed, lot.changed = until, False, True
    changes.post(
        member,
        Kind.RENEW,
        Account.EXPIRED,
        Account.AVAILABLE,
        points,
        lot=lot.number,
        rule=None,
        cause=activity.id,
        at=activity.time,
        key=f"renew/{lot.number}/{member.entries + 1}",
    )


def give_notice(member: Member, program: Program, changes: Changes) -> None:
    """Tell once of each lot that it will expire within the notice period; lots of one day together. Needs the lots
    that end in that period, brought up to date."""
    notice = program.points.notice_before
    if notice is None:
        return
    horizon = notice.after(changes.now, program.time_zone)
    due: dict[datetime, list[Lot]] = defaultdict(list)
    for lot in member.lots.values():
        if lot.remaining and not lot.noticed and lot.expires_at is not None and lot.expires_at <= horizon:
            due[lot.expires_at].append(lot)
    for end, lots in sorted(due.items()):
        for lot in lots:
            lot.noticed = lot.changed = True
        changes.touch(member)
        first = min(lot.number for lot in lots)
        changes.tell(
            member,
            "points.expiring",
            id_=f"{member.customer_id}/expiring/{end.isoformat()}/{first:016x}",
            cause=f"lot:{first:016x}",
            data={
                "points": sum(lot.remaining for lot in lots),
                "on": last_day(end, program.time_zone).isoformat(),
                "expires_at": end.isoformat(),
                "available": member.spendable(),
            },
        )
