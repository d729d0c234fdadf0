"""How often somebody is written to: the program's limit, and no heap of messages after a time without any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.deliveries.domain.channels import Purpose
from shared.program.model.limit import Limit
from shared.program.values.period import Period

LATE = timedelta(hours=6)
"""A message that is looked at so long after it was due has waited for us, not for its limits."""

SPACING = timedelta(hours=24)
"""Between messages to one person that are sent late: whoever heard nothing for a week gets no week's worth at once."""

ALL_TIME = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Written:
    """A message that went out, or is on its way."""

    at: datetime
    purpose: Purpose


def within_limit(
    limit: Limit | None, written: Sequence[Written], now: datetime, zone: ZoneInfo
) -> datetime | None:
    """From when on one more marketing message is within the limit; `now` if it is now, None if it never will be."""
    if limit is None:
        return now
    moments = sorted(each.at for each in written if each.purpose is Purpose.MARKETING)
    if not isinstance(limit.per, Period):
        return now if len(moments) < limit.times else None
    if len(moments) < limit.times:
        return now
    # The newest `times` of them count; when the oldest of those is a period ago, there is room for one more.
    return max(now, limit.per.after(moments[-limit.times], zone).astimezone(UTC))


def counted_since(limit: Limit | None, now: datetime, zone: ZoneInfo) -> datetime:
    """From when on what went out matters, wherever the customer lives."""
    margin = now - SPACING
    if limit is None:
        return margin
    if not isinstance(limit.per, Period):
        return now - ALL_TIME
    return min(margin, limit.per.before(now, zone) - timedelta(days=2))


def spaced(written: Sequence[Written], now: datetime) -> datetime:
    """From when on a late message keeps its distance from what went before it."""
    return max((each.at + SPACING for each in written), default=now)
