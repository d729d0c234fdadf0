"""What numbers say, and what they cannot say yet."""

from math import sqrt
from statistics import NormalDist
from typing import Final, Literal

from services.rewards.domain.experiments.means import Moments
from services.rewards.domain.experiments.proportions import LEVEL, Estimate, Share, quantile

Verdict = Literal["better", "worse", "not_shown", "too_few"]
"""`better`, `worse`: the interval leaves 0 out. `not_shown`: there may be no difference, or one smaller than such
numbers show. `too_few`: these numbers could hardly show even a doubling."""
POWER: Final = 0.8
"""How often a difference that is called detectable would have shown."""


def judge(estimate: Estimate, detectable: float, usual: float) -> Verdict:
    """What a difference says. `detectable` is the least one that such numbers show (`POWER`), `usual` what would be
    doubled: with fewer customers than that takes, an interval about 0 says nothing."""
    if estimate.interval.low > 0:
        return "better"
    if estimate.interval.high < 0:
        return "worse"
    return "not_shown" if detectable <= usual else "too_few"


def detectable_share(share: Share, base: Share, level: float = LEVEL) -> float:
    """The least difference between two shares that so many customers show, about the share of all of them."""
    of_all = together(share, base).value
    return _reach(level) * sqrt(of_all * (1 - of_all) * (1 / share.of + 1 / base.of))


def judge_shares(estimate: Estimate, share: Share, base: Share, level: float = LEVEL) -> Verdict:
    """What the difference of two shares says: the rarer of reaching and missing the goal would be doubled."""
    of_all = together(share, base).value
    if of_all in {0, 1}:
        return "too_few"
    return judge(estimate, detectable_share(share, base, level), min(of_all, 1 - of_all))


def together(share: Share, base: Share) -> Share:
    """The share among all of both."""
    return Share(share.hits + base.hits, share.of + base.of)


def detectable_mean(group: Moments, base: Moments, level: float = LEVEL) -> float:
    """The least difference between two means that so many customers show."""
    return _reach(level) * sqrt(group.variance / group.count + base.variance / base.count)


def judge_means(estimate: Estimate | None, group: Moments, base: Moments, level: float = LEVEL) -> Verdict:
    """What the difference of two means says. Where sums are so one-sided that the interval does not hold what it
    promises, whatever it says, they are too few."""
    if estimate is None or not (group.suffices() and base.suffices()):
        return "too_few"
    return judge(estimate, detectable_mean(group, base, level), base.mean)


def _reach(level: float) -> float:
    return quantile(level) + NormalDist().inv_cdf(POWER)
