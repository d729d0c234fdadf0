"""How often a rule may give: at most so many times, per period or per value of a field."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.rewards.domain.state.member import Use
from shared.program.model.limit import Limit
from shared.program.values.period import Period


def within(limit: Limit, uses: Sequence[Use], at: datetime, scope: str, zone: ZoneInfo) -> bool:
    """Whether a use at `at` is within the limit, given the other uses, earlier and later ones."""
    if isinstance(limit.per, Period):
        return _most_in_one_period([use.at for use in uses], at, limit.per, zone) < limit.times
    return sum(1 for use in uses if use.scope == scope) < limit.times


def _most_in_one_period(uses: list[datetime], at: datetime, per: Period, zone: ZoneInfo) -> int:
    """The most earlier uses that share one period of the limit with a use at `at`: a late event may have uses on
    either side of it, and no period, wherever it begins, may hold too many."""
    start, end = per.before(at, zone), per.after(at, zone)
    near = sorted(moment for moment in uses if start < moment < end)
    most = 0
    for first in [moment for moment in near if moment <= at] + [at]:
        last = per.after(first, zone)
        most = max(most, sum(1 for moment in near if first <= moment < last))
    return most
