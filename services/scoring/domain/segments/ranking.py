"""How a customer compares with all others: percentiles, by values that the whole population was last cut at.

A ranking looks at everybody with an order that stands, N customers. Its cut number p (1 to 100) of a fact is the value
of the customer who is ceil(p N / 100)-th from below; a customer's percentile is the number of cuts below the own
value, that is the largest whole p such that at least p % of the N had strictly less. So equal customers are equal, at
most 10 % ever reach 90, and a percentile follows from the own state and the cuts alone: exact, and the same tomorrow
for whoever asks about today.
"""

from bisect import bisect_left
from datetime import UTC, datetime

from msgspec import Struct

from services.scoring.domain.state import State

CUTS = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Ranking(Struct, frozen=True, kw_only=True):
    """The cuts of one moment, ascending: spend in units, orders, times of the last order in microseconds since 1970.

    `customers` is N; without anybody there are no cuts, and nobody has a percentile.
    """

    at: datetime | None = None
    customers: int = 0
    spend: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    recency: tuple[int, ...] = ()


UNRANKED = Ranking()
"""Before all were compared for the first time."""


class Percentiles(Struct, frozen=True):
    """Of one customer; all None without an order, or without a ranking.

    `rfm_recency` is the fifth (1 to 5) of the recency; `rfm_value` the mean of those of orders and spend, a half
    rounded up. Recency, frequency and monetary value in fifths are Hughes, *Strategic Database Marketing*, 1994.
    """

    spend: int | None = None
    orders: int | None = None
    recency: int | None = None
    rfm_recency: int | None = None
    rfm_value: int | None = None


_NONE = Percentiles()


def percentiles_of(state: State, ranking: Ranking) -> Percentiles:
    """Where the customer stands among those whom the ranking saw."""
    if not state.orders or not ranking.customers or state.last_order_at is None:
        return _NONE
    spend = bisect_left(ranking.spend, state.spend)
    orders = bisect_left(ranking.orders, state.orders)
    recency = bisect_left(ranking.recency, microseconds(state.last_order_at))
    value = (fifth(spend) + fifth(orders) + 1) // 2
    return Percentiles(spend, orders, recency, fifth(recency), value)


def fifth(percentile: int) -> int:
    """1 for the lowest fifth, 5 for the highest."""
    return 1 + min(percentile // 20, 4)


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
