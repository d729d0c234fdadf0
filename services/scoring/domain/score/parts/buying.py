"""How the customer buys: recency, frequency, spend, regularity, diversity, and orders that nobody prompted.

Recency, frequency and spend are the classical dimensions of buying behaviour (Hughes 1994, "Strategic Database
Marketing"; Fader, Hardie and Lee 2005, "RFM and CLV"). They are always known: who did not order, did not order.
The half-values are ours; `docs/scoring.md` explains them to the shop.
"""

from math import sqrt

from services.scoring.domain.money import decimal
from services.scoring.domain.score.parts.part import FactValue, Part, View, falling, rising, rounded
from services.scoring.domain.state import State, distinct
from services.scoring.domain.state.goods import NO_GOODS

RECENCY_HALF_DAYS = 60
"""Silence after the last order that halves the recency part."""

FREQUENCY_HALF = 4
"""Orders in 12 months that give half of the frequency part."""

GAPS_TO_BE_REGULAR = 2
"""Intervals between order days without which nothing can be said about regularity."""

DIVERSITY_HALF = 5
"""Different products that give half of the diversity part."""


_RECENCY = [falling(days, RECENCY_HALF_DAYS) for days in range(RECENCY_HALF_DAYS * 8)]
_FREQUENCY = [rising(orders, FREQUENCY_HALF) for orders in range(FREQUENCY_HALF * 8)]
"""These two are asked of everybody after every event: looked up. Beyond the tables they are 0 and 100."""
assert (_RECENCY[-1], _FREQUENCY[-1]) == (0, 100)


def recency(view: View) -> int:
    """How recent the last order is: halves with every 60 days. 0 without an order."""
    state = view.state
    if not state.orders:
        return 0
    silence = max(0, view.today - state.last_order_day)
    return _RECENCY[silence] if silence < len(_RECENCY) else 0


def frequency(view: View) -> int:
    """How many orders in 12 months: four give half."""
    orders = view.orders_12m
    return _FREQUENCY[orders] if orders < len(_FREQUENCY) else 100


def spend(view: View) -> int:
    """What was spent in 12 months, less refunds: a good year gives half."""
    return rising(view.spend_12m, view.good_year)


def regularity(view: View) -> int | None:
    """How even the days between orders are: 100 less their coefficient of variation, in per cent.

    Platzer and Reutterer 2016, "Ticking away the moments": the regularity of timing tells active customers from lost
    ones better than counts alone.
    """
    uneven = variation(view.state)
    if uneven is None:
        return None
    return int(100.5 - 100 * uneven) if uneven < 1 else 0


def gaps(view: View) -> int:
    """Intervals between days with an order."""
    return view.state.order_days - 1


def diversity(view: View) -> int | None:
    """How many different products were ever bought: five give half. Unknown where orders do not name their lines.

    Customers who buy across the range stay longer (Reinartz and Kumar 2003, "The impact of customer relationship
    characteristics on profitable lifetime duration").
    """
    skus = view.state.goods.skus
    return rising(distinct.count(skus), DIVERSITY_HALF) if skus else None


def unprompted(view: View) -> int | None:
    """The share of orders after the first that came without a coupon or campaign, in per cent.

    Dick and Basu 1994, "Customer loyalty: toward an integrated conceptual framework": buying again counts as loyalty
    where no occasion drives it.
    """
    again = view.state.orders - 1
    if again < 1:
        return None
    return 100 if view.state.goods is NO_GOODS else rounded(100 * (again - prompted_reorders(view)) / again)


def reorders(view: View) -> int:
    """Orders after the first."""
    return max(0, view.state.orders - 1)


def prompted_reorders(view: View) -> int:
    """Orders after the first that had a coupon or a campaign."""
    goods = view.state.goods
    return min(goods.prompted - goods.first_prompted, reorders(view))


def variation(state: State) -> float | None:
    """The coefficient of variation of the intervals between order days; None with fewer than two intervals.

    With k gaps of sum s and sum of squares q: sqrt(q/k - (s/k)^2) / (s/k) = sqrt(q*k - s*s) / s, exact up to the root.
    """
    count = state.order_days - 1
    if count < GAPS_TO_BE_REGULAR:
        return None
    span = state.last_order_day - state.first_order_day
    return sqrt(state.gap_squares * count - span * span) / span


def order_interval_days(state: State) -> float | None:
    """The mean number of days between days with an order; None with fewer than two such days."""
    if state.order_days < 2:
        return None
    return (state.last_order_day - state.first_order_day) / (state.order_days - 1)


def _recency_facts(view: View) -> dict[str, FactValue]:
    state = view.state
    silence = max(0, view.today - state.last_order_day) if state.orders else None
    return {"last_order_at": state.last_order_at, "days_since_last_order": silence}


def _spend_facts(view: View) -> dict[str, FactValue]:
    return {"spend_12m": str(decimal(view.spend_12m)), "good_year": str(decimal(view.good_year))}


def _regularity_facts(view: View) -> dict[str, FactValue]:
    state = view.state
    uneven, interval = variation(state), order_interval_days(state)
    return {
        "order_days": state.order_days,
        "order_interval_days": interval,
        "variation": None if uneven is None else round(uneven, 3),
    }


BUYING = (
    Part("recency", recency, _recency_facts, lambda trace: trace.orders()[-1:]),
    Part(
        "frequency",
        frequency,
        lambda view: {"orders_12m": view.orders_12m},
        lambda trace: trace.orders(since=trace.year),
    ),
    Part(
        "spend",
        spend,
        _spend_facts,
        lambda trace: trace.orders(since=trace.year, currency=trace.currency),
    ),
    Part("regularity", regularity, _regularity_facts, lambda trace: trace.orders(), evidence=gaps, enough=2),
    Part(
        "diversity",
        diversity,
        lambda view: {"products": distinct.count(view.state.goods.skus)},
        lambda trace: [event for event in trace.orders() if event.record.data.get("lines")],
        evidence=lambda view: view.state.orders,
        enough=2,
    ),
    Part(
        "unprompted",
        unprompted,
        lambda view: {"reorders": reorders(view), "prompted": prompted_reorders(view)},
        lambda trace: trace.orders()[1:],
        evidence=reorders,
        enough=2,
    ),
)
