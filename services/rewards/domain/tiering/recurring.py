"""When what a tier brings again and again comes round."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.rewards.domain.state.member import Member
from shared.program.model.tiers import TierLevel, Tiers
from shared.program.values.period import Period

MONTH = timedelta(days=365.2425) / 12
PERIODS_MAX = 100_000
"""No benefit has had more: a day each for 270 years."""
REMEMBERED = 4096
"""Beginnings of periods that are kept in mind: the end of one is the beginning of the next."""


def begins(anchor: datetime, every: Period, number: int, zone: ZoneInfo) -> datetime:
    """When the period of that number begins; counted from the anchor, so that the 31st stays the 31st."""
    return _begins(anchor, every.months, every.rest, number, zone)


@lru_cache(maxsize=REMEMBERED)
def _begins(anchor: datetime, months: int, rest: timedelta, number: int, zone: ZoneInfo) -> datetime:
    return Period(months * number, rest * number).after(anchor, zone)


def period_of(anchor: datetime, every: Period, moment: datetime, zone: ZoneInfo, *, about: int = 0) -> int:
    """The number of the period that `moment` lies in; -1 before the first. Mostly it is `about` that."""
    if moment <= anchor:
        return 0 if moment == anchor else -1
    if begins(anchor, every, about, zone) <= moment < begins(anchor, every, about + 1, zone):
        return about
    number = int((moment - anchor) / (every.months * MONTH + every.rest))  # about
    assert number <= PERIODS_MAX, "periods are days at least"
    while number > 0 and begins(anchor, every, number, zone) > moment:
        number -= 1
    while begins(anchor, every, number + 1, zone) <= moment:
        number += 1
    return number


def due_at_change(
    member: Member, level: TierLevel, tiers: Tiers, zone: ZoneInfo, now: datetime, *, historical: bool
) -> datetime | None:
    """When time next has something to do about a tier that has just changed. Benefits are issued at once, not by the
    hand that changes the tier; those of a tier that imported history reached from the next period on."""
    due = [] if member.tier_until is None else [member.tier_until]
    since = member.tier_since or now
    for _, every in level.recurring:
        due.append(begins(since, every, period_of(since, every, now, zone) + 1, zone) if historical else now)
    if member.tier_until is not None and tiers.notice_before is not None:
        due.append(max(now, tiers.notice_before.before(member.tier_until, zone)))
    return min(due, default=None)
