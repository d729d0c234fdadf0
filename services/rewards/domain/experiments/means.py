"""Sums of money per customer and their differences, from moments alone: nothing is kept of single customers."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

from services.rewards.domain.experiments.proportions import LEVEL, Estimate, Interval
from services.rewards.domain.experiments.students import t_quantile

SKEWNESS_FACTOR: Final = 25
"""Cochran's rule (Sampling Techniques, 3rd edition, 2.15): with more than 25 times the squared skewness, an interval
about a mean that says 95 % is wrong in 6 % of the cases at most."""


@dataclass(frozen=True, slots=True)
class Moments:
    """A sum of money of each of `count` customers: their mean, and the second and third moments about it (`spread`
    and `lean`, divided by `count`)."""

    count: int
    mean: float = 0.0
    spread: float = 0.0
    lean: float = 0.0

    @property
    def variance(self) -> float:
        """The estimate of the variance among all customers; needs two."""
        return self.spread * self.count / (self.count - 1)

    @property
    def skewness(self) -> float:
        """How one-sided the sums are: 0 when they are even about the mean, large when few customers pay a lot."""
        return float(self.lean / self.spread**1.5)

    def suffices(self) -> bool:
        """Whether there are enough customers, of whom enough pay something, for an interval of the mean."""
        return self.spread > 0 and self.count > max(SKEWNESS_FACTOR * self.skewness**2, 2)

    def plus(self, other: "Moments") -> "Moments":
        """The moments of both groups together (Chan, Golub and LeVeque 1983; Pébay 2008)."""
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        n, m, gap = self.count, other.count, other.mean - self.mean
        mean = self.mean + gap * m / count
        spread = (self.spread * n + other.spread * m + gap**2 * n * m / count) / count
        lean = self.lean * n + other.lean * m + gap**3 * n * m * (n - m) / count**2
        lean += 3 * gap * (n * other.spread * m - m * self.spread * n) / count
        return Moments(count, mean, spread, lean / count)


NOBODY: Final = Moments(0)


def welch(group: Moments, base: Moments, level: float = LEVEL) -> Estimate | None:
    """By how much a mean is above a base mean: Welch's interval for unequal variances, with the degrees of freedom of
    Welch and Satterthwaite. None where nothing varies, or an arm has fewer than two customers."""
    if group.count < 2 or base.count < 2 or not (group.spread or base.spread):
        return None
    one, other = group.variance / group.count, base.variance / base.count
    freedom = (one + other) ** 2 / (one**2 / (group.count - 1) + other**2 / (base.count - 1))
    reach = t_quantile(level, freedom) * sqrt(one + other)
    value = group.mean - base.mean
    return Estimate(value, Interval(value - reach, value + reach))
