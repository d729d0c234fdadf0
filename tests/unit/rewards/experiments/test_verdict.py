"""Verdicts: nothing is said that the numbers do not say, and what they say is seldom wrong."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower

from services.rewards.domain.experiments.means import Moments, welch
from services.rewards.domain.experiments.proportions import Share, newcombe
from services.rewards.domain.experiments.verdict import Verdict, detectable_share, judge_means, judge_shares


def _shares(hits: int, of: int, base_hits: int, base_of: int) -> Verdict:
    share, base = Share(hits, of), Share(base_hits, base_of)
    return judge_shares(newcombe(share, base), share, base)


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ((180, 900, 10, 100), "better"),  # 20 % against 10 %
        ((45, 900, 12, 100), "worse"),  # 5 % against 12 %
        ((99, 900, 10, 100), "not_shown"),  # 11 % against 10 %, where 20 % would have shown
        ((11, 90, 1, 10), "too_few"),  # 12 % against 10 %, where 20 % would not have
        (
            (855, 900, 94, 100),
            "too_few",
        ),  # 95 % against 94 %: half of those who miss the goal would not have shown
        ((0, 900, 0, 100), "too_few"),  # nobody
        ((900, 900, 100, 100), "too_few"),  # everybody
        ((10, 10, 0, 10), "better"),  # few, but beyond doubt
        ((1, 1, 0, 1), "too_few"),
    ],
)
def test_what_shares_say(counted: tuple[int, int, int, int], said: str) -> None:
    """Given goals reached with and without the campaign; then the verdict is what a careful reader would say."""
    assert _shares(*counted) == said


@pytest.mark.parametrize(("of", "base_of"), [(20, 20), (90, 10), (180, 20), (270, 30)])
def test_a_campaign_without_effect_is_seldom_called_better(of: int, base_of: int) -> None:
    """Given every outcome of two arms that differ by chance alone, and its chance; then better is said in 3 of 100
    cases at most, and better or worse in 6, whatever the rate is."""
    said = np.array([[_shares(k, of, j, base_of) for j in range(base_of + 1)] for k in range(of + 1)])
    for rate in np.linspace(0.01, 0.99, 50):
        chances = np.outer(
            stats.binom.pmf(range(of + 1), of, rate), stats.binom.pmf(range(base_of + 1), base_of, rate)
        )
        assert chances[said == "better"].sum() < 0.05
        assert chances[(said == "better") | (said == "worse")].sum() < 0.06


def test_what_is_detectable_is_detected_in_8_of_10_cases() -> None:
    """Given arms of 900 and 100 and a rate of 30 % in all; when the truth differs by what is called detectable; then
    statsmodels counts about that power."""
    effect = detectable_share(Share(270, 900), Share(30, 100))

    size = effect / np.sqrt(0.3 * 0.7)
    assert abs(NormalIndPower().power(size, nobs1=900, alpha=0.05, ratio=1 / 9) - 0.8) < 0.001


def _paid(buyers: int, of: int, amount: float) -> Moments:
    sums = np.zeros(of)
    sums[:buyers] = amount
    gaps = sums - sums.mean()
    return Moments(of, float(sums.mean()), float((gaps**2).mean()), float((gaps**3).mean()))


@pytest.mark.parametrize(
    ("group", "base", "said"),
    [
        (_paid(300, 900, 50), _paid(12, 100, 50), "too_few"),  # too few buyers among those left alone
        (_paid(1500, 4500, 50), _paid(100, 500, 50), "better"),
        (_paid(450, 4500, 50), _paid(100, 500, 50), "worse"),
        (_paid(950, 4500, 50), _paid(100, 500, 50), "not_shown"),
        (_paid(100, 100, 50), _paid(50, 100, 50), "too_few"),  # all pay the same: the spread is unknown
        (_paid(10, 100, 50), _paid(0, 100, 50), "too_few"),
        (_paid(1, 1, 50), _paid(0, 1, 50), "too_few"),
    ],
)
def test_what_money_says(group: Moments, base: Moments, said: str) -> None:
    """Given what was paid with and without the campaign; then the verdict waits for enough buyers in both."""
    assert judge_means(welch(group, base), group, base) == said
