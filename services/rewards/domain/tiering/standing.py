"""Where a customer stands: the tier that all that counts of them amounts to, walked through from the first order on.

The same orders in any order of arrival give the same standing, because they are walked through by their own time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.rewards.domain.state.member import Counted, TierGrant
from services.rewards.domain.state.purchases import ZERO
from services.rewards.domain.tiering.counting import MOMENT, Calendar
from shared.program.model.tiers import Tiers
from shared.program.values.calendar import end_of_day_after

GRACE = "grace"
GRANTED = "granted"


class Standing(NamedTuple):
    """A level (its index) since `since`, and until `until`: then it is looked at anew; None: for good. `status` is
    empty for a tier that was reached, `grace` for one no longer reached and not yet lost, `granted` by hand."""

    level: int = 0
    since: datetime | None = None
    until: datetime | None = None
    status: str = ""


def level_for(tiers: Tiers, amount: Decimal) -> int:
    """The index of the highest level that so much reaches."""
    reached = 0
    for index, level in enumerate(tiers.levels):
        if amount >= level.at:
            reached = index
    return reached


def reached(tiers: Tiers, calendar: Calendar, level: int, at: datetime) -> Standing:
    """The standing of who reaches a level at that moment."""
    keep_for = tiers.levels[level].keep_for
    return Standing(level, at, calendar.end(at, keep_for) if level and keep_for is not None else None)


def earned(items: Sequence[Counted], tiers: Tiers, calendar: Calendar, now: datetime) -> Standing:
    """The standing at `now` of a customer of whom these count, oldest first."""
    walk = _Walk(items, tiers, calendar)
    for one in items:
        walk.pass_time(min(one.at, now))
        walk.take(one)
    walk.pass_time(now)
    return walk.standing


def with_grants(standing: Standing, grants: Iterable[TierGrant], tiers: Tiers, now: datetime) -> Standing:
    """What a customer has by what they reached and what was granted: the higher of the two; of the same, the longer."""
    levels = {level.id: index for index, level in enumerate(tiers.levels)}
    for grant in sorted(grants, key=lambda grant: (grant.until, grant.id)):
        level = levels.get(grant.tier, 0)
        if not grant.at <= now < grant.until or level < standing.level:
            continue
        if level > standing.level:
            standing = Standing(level, grant.at, grant.until, GRANTED)
        elif standing.until is not None and standing.until < grant.until:
            standing = standing._replace(until=grant.until, status=GRANTED)
    return standing


class _Walk:
    """A customer's way through the tiers; `_first` is the oldest item still in the window, whose sum is `_sum`."""

    def __init__(self, items: Sequence[Counted], tiers: Tiers, calendar: Calendar) -> None:
        self.standing = Standing()
        self._items = items
        self._tiers = tiers
        self._calendar = calendar
        self._first = self._next = 0
        self._sum = ZERO
        self._only_adds = all(one.amount >= 0 for one in items)

    def take(self, one: Counted) -> None:
        """Something that counts happens: a higher level is reached at once, and one in grace anew."""
        self._sum += one.amount
        self._next += 1
        if not self._may_rise():
            return
        level = level_for(self._tiers, self._since(self._calendar.start(one.at)))
        current = self.standing
        if level > current.level:
            self.standing = reached(self._tiers, self._calendar, level, one.at)
        elif current.status == GRACE and level == current.level:
            anew = reached(self._tiers, self._calendar, level, one.at)
            self.standing = anew._replace(since=current.since)

    def _may_rise(self) -> bool:
        """Whether a closer look can find a higher level: what is in the window is no more than what was in it at the
        last look, with all that came since."""
        above = self.standing.level + 1
        if self.standing.status == GRACE or not self._only_adds:
            return True
        return above < len(self._tiers.levels) and self._sum >= self._tiers.levels[above].at

    def pass_time(self, until: datetime) -> None:
        """Look anew at tiers whose time is over by then."""
        while self.standing.until is not None and self.standing.until <= until:
            self._review(self.standing, self.standing.until)

    def _review(self, current: Standing, end: datetime) -> None:
        tiers, calendar = self._tiers, self._calendar
        level = level_for(tiers, self._since(calendar.start_for_review(end)))
        keep_for = tiers.levels[current.level].keep_for
        assert keep_for is not None, "what is kept for good is not looked at anew"
        if level >= current.level:
            self.standing = Standing(current.level, current.since, calendar.end_again(end, keep_for))
        elif tiers.grace is not None and current.status != GRACE:
            over = end_of_day_after(end - MOMENT, tiers.grace, calendar.zone)
            self.standing = current._replace(until=over, status=GRACE)
        else:
            level = max(level, current.level - 1) if tiers.downgrade == "one_step" else level
            below = tiers.levels[level].keep_for
            again = calendar.end_again(end, below) if level and below is not None else None
            self.standing = Standing(level, end, again)

    def _since(self, start: datetime) -> Decimal:
        """What counts from `start` on, of all that was taken so far. Starts never go back."""
        while self._first < self._next and self._items[self._first].at < start:
            self._sum -= self._items[self._first].amount
            self._first += 1
        return self._sum
