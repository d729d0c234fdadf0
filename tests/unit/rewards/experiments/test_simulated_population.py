"""Reports of simulated shops, whose customers' minds are known: what they say is as sure as they say it is."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pytest

from services.rewards.domain.experiments.arms import HOLDOUT, TREATED, arm_of
from services.rewards.domain.experiments.comparing import Cost, compare, effect
from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.means import Moments

CUSTOMERS = 1500
SHOPS = 500
USUAL = 0.20
"""How many order without the campaign."""


@dataclass
class Found:
    """What the reports of many shops said."""

    held_goals: int = 0
    held_revenue: int = 0
    held_gain: list[bool] = field(default_factory=list)
    verdicts: list[tuple[str, str]] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)


def _moments(paid: np.ndarray) -> Moments:
    gaps = paid - paid.mean()
    return Moments(len(paid), float(paid.mean()), float((gaps**2).mean()), float((gaps**3).mean()))


def _figures(orders: np.ndarray, paid: np.ndarray, points: int) -> Figures:
    return Figures(
        runs=len(orders),
        customers=len(orders),
        goals=int(orders.sum()),
        revenue=_moments(paid),
        points=points * len(orders),
    )


@lru_cache
def _left_alone() -> np.ndarray:
    """Who of all people is left alone, wherever they buy: a fifth."""
    return np.array([arm_of(f"cus_{n}", "c", b"salt", holdout=Decimal(20)) == HOLDOUT for n in range(20_000)])


@lru_cache
def _shops(lift: float) -> Found:
    """Shops of customers who would order anyway (`USUAL`), of whom the campaign makes `lift` more order; an order is of
    60 on average, and each customer whom it reached was given points worth 0.50."""
    found, random = Found(), np.random.default_rng(20261122)
    worth = 0.5
    for _ in range(SHOPS):
        alone = random.permutation(_left_alone())[:CUSTOMERS]
        anyway, won = random.random(CUSTOMERS) < USUAL, random.random(CUSTOMERS) < lift / (1 - USUAL)
        orders = anyway | (won & ~alone)
        paid = np.round(random.gamma(2.0, 30.0, CUSTOMERS), 2) * orders
        treated, base = _figures(orders[~alone], paid[~alone], 50), _figures(orders[alone], paid[alone], 0)
        compared = compare(treated, base, arm=TREATED, base_arm=HOLDOUT)
        assert compared is not None
        found.verdicts.append((compared.goal.verdict, compared.revenue.verdict))
        assert compared.goal.estimate is not None
        assert compared.revenue.estimate is not None
        found.held_goals += compared.goal.estimate.interval.has(lift)
        found.held_revenue += compared.revenue.estimate.interval.has(lift * 60)
        came = effect(compared, treated.customers, Cost(Decimal(str(worth)) * treated.customers, Decimal(0)))
        if came.gain is not None:
            found.held_gain.append(came.gain.interval.has((lift * 60 - worth) * treated.customers))
        if came.goals is not None:
            found.gap.append(came.goals.value - lift * treated.customers)
    return found


@pytest.mark.parametrize("lift", [0.0, 0.08, 0.3])
def test_intervals_hold_the_known_effect_in_95_of_100_shops(lift: float) -> None:
    """Given 500 shops with a campaign of known effect; when each has its report; then the intervals of the goal and of
    the revenue hold the truth in 95 % of them, give or take what chance does to 500 (4 standard deviations)."""
    found = _shops(lift)

    for held in (found.held_goals, found.held_revenue):
        assert 0.911 < held / SHOPS < 0.989


def test_incremental_goals_and_gain_are_right_on_average() -> None:
    """Given the same shops, where the campaign works; when reports say how many orders it brought; then the errors
    cancel out, and the interval of the gain holds the truth as often as others do."""
    found = _shops(0.3)

    assert len(found.gap) == SHOPS, "such an effect is never too small to be told"
    error = np.std(found.gap) / np.sqrt(SHOPS)
    assert abs(np.mean(found.gap)) < 4 * error
    assert len(found.held_gain) > SHOPS / 2
    assert 0.911 < np.mean(found.held_gain) < 0.989


def test_a_campaign_that_does_nothing_is_seldom_said_to_work() -> None:
    """Given 500 shops whose campaign does nothing; when each has its report; then 2.5 % say that it works, give or take
    what chance does."""
    verdicts = _shops(0.0).verdicts

    for which in (0, 1):
        assert sum(said[which] == "better" for said in verdicts) < SHOPS * 0.053
        assert sum(said[which] == "worse" for said in verdicts) < SHOPS * 0.07


def test_a_campaign_that_works_is_said_to_work_as_often_as_the_detectable_difference_says() -> None:
    """Given arms of 1,200 and 300 customers, by which 7.9 in 100 are detectable; when the campaign makes 8 in 100 more
    order; then 8 in 10 reports say that it works, and none that it does harm."""
    said = [goal for goal, _ in _shops(0.08).verdicts]

    assert 0.74 < said.count("better") / SHOPS < 0.9
    assert said.count("worse") == 0
