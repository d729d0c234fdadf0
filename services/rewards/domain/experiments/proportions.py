"""Shares and their differences, with intervals that hold for small numbers too."""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

LEVEL: Final = 0.95
"""How often an interval holds the truth, over many experiments."""


class Share(NamedTuple):
    """`hits` of so many; `of` is at least 1."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1."""
        return self.hits / self.of


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        """Both ends so many times as large; `factor` is not below zero."""
        assert factor >= 0
        return Interval(self.low * factor, self.high * factor)

    def plus(self, shift: float) -> "Interval":
        """Both ends moved."""
        return Interval(self.low + shift, self.high + shift)

    def has(self, value: float) -> bool:
        """Whether the value lies within."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """The best guess, and the interval that holds the truth at the level that was asked for."""

    value: float
    interval: Interval


@lru_cache(maxsize=64)
def quantile(level: float) -> float:
    """How many standard deviations of a normal variable lie on each side at that level: 1.96 at 0.95."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(share: Share, level: float = LEVEL) -> Interval:
    """The interval of a share (Wilson 1927, the score interval): 0 of 20 does not mean that it never happens."""
    of, z2 = share.of, quantile(level) ** 2
    middle = (share.value + z2 / (2 * of)) / (1 + z2 / of)
    reach = sqrt(z2 * (share.value * (1 - share.value) / of + z2 / (4 * of * of))) / (1 + z2 / of)
    low = 0.0 if share.hits == 0 else max(middle - reach, 0.0)
    high = 1.0 if share.hits == of else min(middle + reach, 1.0)
    return Interval(low, high)


def newcombe(share: Share, base: Share, level: float = LEVEL) -> Estimate:
    """By how much a share is above a base share, from -1 to 1: square-and-add of the two Wilson intervals (Newcombe
    1998, method 10)."""
    one, other = wilson(share, level), wilson(base, level)
    value = share.value - base.value
    low = value - sqrt((share.value - one.low) ** 2 + (other.high - base.value) ** 2)
    high = value + sqrt((one.high - share.value) ** 2 + (base.value - other.low) ** 2)
    return Estimate(value, Interval(max(low, -1.0), min(high, 1.0)))
