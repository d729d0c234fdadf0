"""What a campaign brought, compared with leaving customers alone, and what that cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import sqrt

from services.rewards.domain.experiments.arms import HOLDOUT
from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.means import welch
from services.rewards.domain.experiments.proportions import LEVEL, Estimate, newcombe, quantile
from services.rewards.domain.experiments.verdict import (
    Verdict,
    detectable_mean,
    detectable_share,
    judge_means,
    judge_shares,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much an arm is above the other. `estimate` None: too few to make an interval of. `detectable`: the least
    difference that such numbers show in 8 of 10 cases; None where nothing varies."""

    verdict: Verdict
    estimate: Estimate | None
    detectable: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against another: the shares who reached the goal, and what customers paid on average."""

    arm: str
    base: str
    level: float
    goal: Difference
    revenue: Difference


@dataclass(frozen=True, slots=True)
class Cost:
    """What was given away: points at their worth (None: the program has none for them), and discounts."""

    points: Decimal | None
    discounts: Decimal

    @property
    def total(self) -> Decimal:
        """All of it that is known."""
        return (self.points or Decimal(0)) + self.discounts


@dataclass(frozen=True, slots=True)
class Effect:
    """What would not have come without the campaign; None where the numbers are too few to tell.

    `goals`, `revenue`: in all, of the customers that it reached. `gain`: the revenue less what the points are worth:
    discounts are off the revenue already. `return_`: the gain by unit of cost; None without any.
    """

    goals: Estimate | None
    revenue: Estimate | None
    gain: Estimate | None
    return_: Estimate | None


def compare(
    figures: Figures, base: Figures, *, arm: str, base_arm: str, level: float = LEVEL
) -> Comparison | None:
    """An arm against another; None while one of them has nobody."""
    if not figures.customers or not base.customers:
        return None
    rate, base_rate = figures.rate, base.rate
    goal = newcombe(rate, base_rate, level)
    paid = welch(figures.revenue, base.revenue, level)
    return Comparison(
        arm,
        base_arm,
        level,
        Difference(
            judge_shares(goal, rate, base_rate, level), goal, detectable_share(rate, base_rate, level) or None
        ),
        Difference(
            judge_means(paid, figures.revenue, base.revenue, level),
            paid,
            detectable_mean(figures.revenue, base.revenue, level) if paid is not None else None,
        ),
    )


def effect(comparison: Comparison, customers: int, cost: Cost) -> Effect:
    """What so many customers brought more than as many that were left alone. What they cost is known, not estimated."""
    goals = _in_all(comparison.goal, customers)
    revenue = _in_all(comparison.revenue, customers)
    gain = None if revenue is None else _moved(revenue, -float(cost.points or 0))
    back = None if gain is None or not cost.total else _scaled(gain, 1 / float(cost.total))
    return Effect(goals, revenue, gain, back)


def between_variants(arms: Mapping[str, Figures]) -> list[Comparison]:
    """Each two variants, the one with the higher rate first. The more pairs there are, the wider are the intervals, so
    that all of them hold at once as often as one would by itself (Bonferroni)."""
    found = [(name, each) for name, each in sorted(arms.items()) if name != HOLDOUT and each.customers]
    pairs = list(combinations(sorted(found, key=lambda item: -item[1].rate.value), 2))
    level = 1 - (1 - LEVEL) / max(len(pairs), 1)
    compared = (
        compare(one, other, arm=name, base_arm=base, level=level) for (name, one), (base, other) in pairs
    )
    return [each for each in compared if each is not None]


def uneven(arms: Mapping[str, Figures], shares: Mapping[str, float]) -> bool:
    """Whether the arms are not as large as their shares make them, in a way that chance does in 1 of 1,000 experiments
    (a sample ratio mismatch): then customers are missing who are not missing at random. `shares` sum up to 1."""
    whole = sum(each.customers for each in arms.values())
    if any(name not in shares for name, each in arms.items() if each.customers):
        return True
    reach = quantile(1 - 0.001 / max(len(shares), 1))
    return any(
        abs(arms.get(name, Figures()).customers - whole * share)
        > reach * sqrt(whole * share * (1 - share)) + 0.5
        for name, share in shares.items()
    )


def _in_all(difference: Difference, customers: int) -> Estimate | None:
    if difference.verdict == "too_few" or difference.estimate is None:
        return None
    return _scaled(difference.estimate, customers)


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(estimate.value * factor, estimate.interval.times(factor))


def _moved(estimate: Estimate, shift: float) -> Estimate:
    return Estimate(estimate.value + shift, estimate.interval.plus(shift))
