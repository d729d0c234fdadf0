"""Whether customers open fewer of the shop's e-mails than they used to: beyond chance, and enough to matter.

The last week is compared with the four weeks before it. The program says by how much the share must have fallen; the
test of two proportions (pooled, one-sided; Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions",
3rd ed. 2003, section 3.2) says whether that may be chance.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from statistics import median
from typing import NamedTuple

WEEKS = 4
"""Weeks before the last one with which it is compared."""

LAG = timedelta(days=1)
"""Openings are counted a day later than what was sent: most come within a day."""

DAYS = (WEEKS + 1) * 7 + LAG.days
"""Days that must be known."""

SENT_MIN = 200
"""E-mails of a week below which its share says little."""

WEEKS_MIN = 2
"""Weeks with as many that must be known."""

Z_MIN = 3.09
"""One in a thousand, by chance alone."""


class Mails(NamedTuple):
    """E-mails sent, and e-mails opened, each once, within a day or a week."""

    sent: int
    opened: int

    @property
    def share(self) -> float:
        """The share that was opened; openings of earlier ones can make it 1 at most."""
        return min(self.opened / self.sent, 1.0) if self.sent else 0.0


class Fall(NamedTuple):
    """The last week, and what was usual before it."""

    week: Mails
    usual: float


def weeks_before(today: date, days: Mapping[date, Mails]) -> list[Mails]:
    """The weeks that are over when a day begins, the last one first."""
    none = Mails(0, 0)
    weeks = []
    for week in range(WEEKS + 1):
        last = today - timedelta(days=1 + 7 * week)
        seven = [last - timedelta(days=ago) for ago in range(7)]
        opened = sum(days.get(day, none).opened for day in seven)
        weeks.append(Mails(sum(days.get(day - LAG, none).sent for day in seven), opened))
    return weeks


def fallen(weeks: Sequence[Mails], by_percent: Decimal) -> Fall | None:
    """The fall, if the first week's share of opened e-mails is so far below what was usual in the others; None if not,
    or too few were sent to tell. What is usual is the median: a week with one good campaign does not raise it."""
    last = weeks[0]
    before = [week for week in weeks[1:] if week.sent >= SENT_MIN]
    if last.sent < SENT_MIN or len(before) < WEEKS_MIN:
        return None
    usual = median(week.share for week in before)
    if last.share > round(usual * (1 - float(by_percent) / 100), 9):
        return None
    sent = sum(week.sent for week in before)
    share_before = sum(week.share * week.sent for week in before) / sent
    together = (share_before * sent + last.share * last.sent) / (sent + last.sent)
    spread = sqrt(together * (1 - together) * (1 / sent + 1 / last.sent))
    if spread == 0 or (share_before - last.share) / spread < Z_MIN:
        return None
    return Fall(last, usual)
