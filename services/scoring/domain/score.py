"""The loyalty score: four parts of 0-100, each with its formula, weighted to a whole of 0-100.

Sources: recency, frequency and spend are the classical dimensions of buying behaviour (Hughes 1994, "Strategic
Database Marketing"; Fader, Hardie and Lee 2005, "RFM and CLV"); they saturate, so that the tenth order moves the
score less than the second. Regularity is the evenness of order intervals, by their coefficient of variation (Platzer
and Reutterer 2016, "Ticking away the moments", show that timing regularity sharpens the prediction of activity).
The half-lives and weights are ours. `docs/scoring.md` explains them to the shop.
"""

from math import sqrt

from msgspec import Struct

from services.scoring.domain.money import Units
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State

RECENCY_HALF_LIFE_DAYS = 60
"""Silence after the last order that halves the recency part."""

FREQUENCY_HALF = 4
"""Orders in 12 months that give half of the frequency part."""

GAPS_TO_BE_REGULAR = 2
"""Intervals between order days without which nothing can be said about regularity."""

FULL = 64
"""So many half-values are everything, long before the power of a half vanishes."""

WEIGHTS = {"recency": 30, "frequency": 30, "spend": 25, "regularity": 15}
"""Per cent of the whole."""
assert sum(WEIGHTS.values()) == 100
_RECENCY, _FREQUENCY, _SPEND, _REGULARITY = WEIGHTS.values()


class Windows(Struct, frozen=True):
    """What was ordered in windows of whole days that end with `today`, in the program's zone and currency."""

    today: int
    orders_12m: int
    spend_12m: Units
    spend_30d: Units


class Parts(Struct, frozen=True):
    """The parts of the score, each a whole number of 0-100."""

    recency: int = 0
    frequency: int = 0
    spend: int = 0
    regularity: int = 0

    @property
    def score(self) -> int:
        """The weighted whole, rounded half up: what a reader gets who recomputes it from the parts shown."""
        whole = (
            _RECENCY * self.recency
            + _FREQUENCY * self.frequency
            + _SPEND * self.spend
            + _REGULARITY * self.regularity
        )
        return (whole + 50) // 100


NO_PARTS = Parts()


def parts_of(state: State, windows: Windows, settings: ScoreSettings) -> Parts:
    """The parts of the score; all 0 without an order."""
    if not state.orders:
        return NO_PARTS
    silence_days = max(0, windows.today - state.last_order_day)
    spend = windows.spend_12m / settings.good_year
    uneven = variation(state)
    return Parts(
        _rounded(100 * 0.5 ** (silence_days / RECENCY_HALF_LIFE_DAYS)),
        _rounded(100 - 100 * 0.5 ** (windows.orders_12m / FREQUENCY_HALF)),
        _rounded(100 - 100 * 0.5**spend) if spend < FULL else 100,
        0 if uneven is None or uneven > 1 else _rounded(100 - 100 * uneven),
    )


def variation(state: State) -> float | None:
    """The coefficient of variation of the intervals between order days; None with fewer than two intervals.

    With k gaps of sum s and sum of squares q: sqrt(q/k - (s/k)^2) / (s/k) = sqrt(q*k - s*s) / s, exact up to the root.
    """
    gaps = state.order_days - 1
    if gaps < GAPS_TO_BE_REGULAR:
        return None
    span = state.last_order_day - state.first_order_day
    return sqrt(state.gap_squares * gaps - span * span) / span


def order_interval_days(state: State) -> float | None:
    """The mean number of days between days with an order; None with fewer than two such days."""
    if state.order_days < 2:
        return None
    return (state.last_order_day - state.first_order_day) / (state.order_days - 1)


def _rounded(value: float) -> int:
    return int(value + 0.5)
