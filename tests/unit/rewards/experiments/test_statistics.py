"""Intervals and quantiles, against scipy and statsmodels, and by counting out every case."""

from math import isclose, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from services.rewards.domain.experiments.means import Moments, welch
from services.rewards.domain.experiments.proportions import Interval, Share, newcombe, quantile, wilson
from services.rewards.domain.experiments.students import incomplete_beta, t_quantile

LEVELS = (0.5, 0.8, 0.95, 0.99, 0.999)
counts = st.integers(1, 5000).flatmap(lambda of: st.builds(Share, st.integers(0, of), st.just(of)))
money = st.lists(st.floats(0, 1e5).map(lambda amount: round(amount, 2)), min_size=2, max_size=60)


def moments(sums: list[float]) -> Moments:
    gaps = np.asarray(sums) - np.mean(sums)
    return Moments(len(sums), float(np.mean(sums)), float(np.mean(gaps**2)), float(np.mean(gaps**3)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("freedom", [0.5, 1, 1.3, 2, 3.7, 10, 29.5, 100, 999.9, 9_999, 10_001, 1e5, 1e9])
def test_quantiles_of_t_are_scipys(level: float, freedom: float) -> None:
    """Given degrees of freedom, whole or not, few or many; then the quantile is scipy's to ten digits."""
    assert isclose(t_quantile(level, freedom), stats.t.ppf(0.5 + level / 2, freedom), rel_tol=1e-10)


@given(a=st.floats(0.25, 5000), b=st.floats(0.25, 50), x=st.floats(0.001, 0.999))
def test_the_incomplete_beta_function_is_scipys(a: float, b: float, x: float) -> None:
    """Given any parameters in use; then the continued fraction comes to what scipy's does."""
    assert isclose(incomplete_beta(a, b, x), special.betainc(a, b, x), rel_tol=1e-8, abs_tol=1e-12)


def test_normal_quantiles_are_scipys() -> None:
    """Given the levels in use; then the quantile is scipy's."""
    for level in LEVELS:
        assert isclose(quantile(level), stats.norm.ppf(0.5 + level / 2), rel_tol=1e-12)


@given(count=counts, level=st.sampled_from(LEVELS))
def test_wilson_is_statsmodels(count: Share, level: float) -> None:
    """Given a share; then its interval is the one of statsmodels, and holds the share."""
    interval = wilson(count, level)

    low, high = proportion_confint(*count, alpha=1 - level, method="wilson")
    assert np.allclose((interval.low, interval.high), (low, high), atol=1e-9)
    assert interval.has(count.value)


@given(one=counts, other=counts, level=st.sampled_from(LEVELS))
def test_newcombe_is_statsmodels(one: Share, other: Share, level: float) -> None:
    """Given two shares; then the interval of their difference is the one of statsmodels, and turned round when they
    change places."""
    estimate = newcombe(one, other, level)

    low, high = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff", alpha=1 - level)
    assert np.allclose((estimate.interval.low, estimate.interval.high), (low, high), atol=1e-9)
    back = newcombe(other, one, level)
    assert np.allclose((back.value, back.interval.low), (-estimate.value, -estimate.interval.high))


def test_newcombe_as_published() -> None:
    """Given the examples (a) and (h) of Newcombe 1998, table II; then method 10 gives what stands there."""
    printed = {
        (Share(56, 70), Share(48, 80)): (0.0524, 0.3339),
        (Share(10, 10), Share(0, 20)): (0.6791, 1.0),
    }
    for counted, (low, high) in printed.items():
        interval = newcombe(*counted).interval
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(one=money, other=money, level=st.sampled_from(LEVELS))
def test_welch_is_scipys(one: list[float], other: list[float], level: float) -> None:
    """Given sums of money; then the interval of the difference of their means is the one of scipy."""
    ours = welch(moments(one), moments(other), level)

    assume(
        min(np.std(one), np.std(other)) > 1e-3 * max(*one, *other)
    )  # else scipy itself warns of lost digits
    assert ours is not None
    theirs = stats.ttest_ind(one, other, equal_var=False).confidence_interval(level)
    scale = abs(theirs.high - theirs.low)
    assert np.allclose((ours.interval.low, ours.interval.high), (theirs.low, theirs.high), atol=1e-6 * scale)


@given(one=money, other=money)
def test_moments_of_groups_are_those_of_both_together(one: list[float], other: list[float]) -> None:
    """Given two groups; when their moments are added; then they are those of all."""
    both, whole = moments(one).plus(moments(other)), moments([*one, *other])

    scale = max(*one, *other, 1.0)
    assert both.count == whole.count
    assert isclose(both.mean, whole.mean, abs_tol=1e-9 * scale)
    assert isclose(both.spread, whole.spread, abs_tol=1e-9 * scale**2)
    assert isclose(both.lean, whole.lean, abs_tol=1e-9 * scale**3)
    assert moments(one).plus(Moments(0)) == moments(one) == Moments(0).plus(moments(one))


def test_one_customer_or_no_difference_between_them_makes_no_interval() -> None:
    """Given an arm of one customer, or arms in which all pay the same; then no interval is made up."""
    some = moments([1.0, 2.0, 3.0])

    assert welch(moments([5.0]), some) is None
    assert welch(some, moments([5.0])) is None
    assert welch(moments([5.0, 5.0]), moments([4.0, 4.0])) is None


def _chances(of: int, base_of: int, rate: float, base_rate: float) -> np.ndarray:
    return np.outer(
        stats.binom.pmf(range(of + 1), of, rate), stats.binom.pmf(range(base_of + 1), base_of, base_rate)
    )


@pytest.mark.parametrize(("of", "base_of"), [(10, 10), (90, 10), (50, 50), (180, 20)])
def test_newcombe_holds_the_truth_in_95_of_100_cases(of: int, base_of: int) -> None:
    """Given every outcome that two small arms can have, and its chance; when the hold-out's rate is anything and the
    effect anything; then the interval holds the true difference in about 95 % of the cases, and never in far fewer."""
    found = [
        [newcombe(Share(k, of), Share(j, base_of)).interval for j in range(base_of + 1)]
        for k in range(of + 1)
    ]
    low = np.array([[each.low for each in row] for row in found])
    high = np.array([[each.high for each in row] for row in found])
    covered = []
    for base_rate in np.linspace(0.02, 0.5, 13):
        for effect in (0.0, 0.05, 0.2, 0.4):
            held = (low <= effect) & (effect <= high)
            covered.append(float(_chances(of, base_of, base_rate + effect, base_rate)[held].sum()))

    assert min(covered) > 0.91
    assert 0.945 < float(np.mean(covered)) < 0.975


def test_intervals_are_scaled_and_moved() -> None:
    """Given an interval; then it is scaled and moved as a whole."""
    assert Interval(-1, 2).times(3) == Interval(-3, 6)
    assert Interval(-1, 2).plus(3) == Interval(2, 5)
    assert isclose(moments([0.0] * 9 + [10.0]).skewness, (1 - 0.2) / sqrt(0.09))
