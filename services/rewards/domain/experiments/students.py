"""Quantiles of Student's t distribution, for intervals of means."""

from functools import lru_cache
from math import exp, lgamma, log, log1p
from statistics import NormalDist
from typing import Final

_STEPS_MAX: Final = 500
_ENOUGH: Final = 1e-15
_SERIES_FROM: Final = 1e4
"""Degrees of freedom from which the series about the normal distribution is exact to the last digits."""


@lru_cache(maxsize=512)
def t_quantile(level: float, freedom: float) -> float:
    """How many standard errors lie on each side of a mean at that level, with so many degrees of freedom (seldom a
    whole number)."""
    assert 0 < level < 1
    assert freedom > 0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    if freedom >= _SERIES_FROM:  # Cornish and Fisher's expansion, Abramowitz and Stegun 26.7.5
        return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    low, high = z, 2 * z
    while _within(high, freedom) < level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return high


def _within(t: float, freedom: float) -> float:
    """The chance that a t variable lies between -t and t (Abramowitz and Stegun 26.7.1, 26.5.27)."""
    return 1 - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8), which is
    taken on the side of the mean where it converges fast."""
    assert 0 < x < 1
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d1/(1 + d2/(1 + …)), from the left (the method of Lentz)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for step in range(1, _STEPS_MAX):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        else:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        lower = 1 / (1 + term * lower)
        upper = 1 + term / upper
        value *= upper * lower
        if abs(upper * lower - 1) < _ENOUGH:
            break
    return value
