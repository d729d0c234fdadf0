"""Which redemptions are unusual: far beyond what is usual, by a statistic that a few wild days do not bend.

The modified z-score of Iglewicz and Hoaglin (1993, "How to Detect and Handle Outliers"): the distance from the median
in median absolute deviations. It is taken of logarithms, because redemptions differ by factors. A customer's day is
looked at beside the days of all customers, and beside the customer's own; the shop's day beside the days before it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import expm1, log1p
from statistics import median
from typing import NamedTuple

WINDOW = timedelta(hours=24)
"""A day is the last 24 hours, whenever one looks, so that each has every hour of the day in it."""

DAYS = 28
"""So many days before are what is usual: four of each weekday."""

QUARTER = timedelta(minutes=15)
"""How often one looks, and how finely redemptions are counted."""

SETTLED_AFTER = timedelta(minutes=5)
"""So long after its end a quarter is looked at: no transaction lasts longer."""

SCORE_MIN = 3.5
"""From here on Iglewicz and Hoaglin call a value an outlier."""

_NORMAL = 0.6745
"""Median absolute deviations in a standard deviation of the normal distribution."""

_SPREAD_MIN = 0.1
"""Days that are all alike deviate by nothing; then a tenth counts as usual."""

DAYS_MIN = 14
"""Days with redemptions that the shop must have had among those before, or it is too early to tell."""

CUSTOMER_DAYS_MIN = 30
"""Days of customers that must be known."""

OWN_DAYS_MIN = 8
"""A customer with so many days of their own is looked at beside these too: some redeem much, and always have."""

TIMES_MIN = 10
"""Redemptions in a day below which nobody need look at the shop."""


class Norm(NamedTuple):
    """What is usual: how many values, and the median and the median absolute deviation of ln(1 + value)."""

    values: int
    median: float
    spread: float

    @property
    def usual(self) -> int:
        """The usual value itself."""
        return round(expm1(self.median))


def norm_of(values: Sequence[int]) -> Norm:
    """The norm of some values; none of them: everything is 0."""
    if not values:
        return Norm(0, 0.0, 0.0)
    logs = [log1p(value) for value in values]
    middle = median(logs)
    return Norm(len(logs), middle, median(abs(one - middle) for one in logs))


def stands_out(value: int, norm: Norm, times: float) -> bool:
    """Whether a value is far above the norm: an outlier, and at least `times` the usual."""
    score = _NORMAL * (log1p(value) - norm.median) / max(norm.spread, _SPREAD_MIN)
    return score > SCORE_MIN and value >= times * norm.usual


class Day(NamedTuple):
    """What the shop had in 24 hours: redemptions (or uses of a code), and the points they took (for uses: 0)."""

    times: int
    points: int

    @property
    def value(self) -> int:
        """What is compared."""
        return self.points or self.times


def shop_stands_out(days: Sequence[Day], times: float) -> Norm | None:
    """What would have been usual, if the first day stands out among the others; None if not, or too early to tell."""
    today, before = days[0], [day.value for day in days[1:]]
    if today.times < TIMES_MIN or sum(1 for value in before if value) < DAYS_MIN:
        return None
    norm = norm_of(before)
    return norm if stands_out(today.value, norm, times) else None


def customer_stands_out(points: int, all_days: Norm, own_days: Sequence[int], times: float) -> Norm | None:
    """What is usual among customers, if a customer's points of a day stand out among those, and, where there are
    enough, among the customer's own days too; None if not, or too early to tell."""
    if all_days.values < CUSTOMER_DAYS_MIN or not stands_out(points, all_days, times):
        return None
    if len(own_days) >= OWN_DAYS_MIN and not stands_out(points, norm_of(own_days), times):
        return None
    return all_days


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour that a moment is in."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // QUARTER * QUARTER
