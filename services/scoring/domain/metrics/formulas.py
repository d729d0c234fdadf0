"""The metrics: what the sums mean. `docs/metrics.md` has the same list with the formulas in words.

A period is one month or several in a row. Rates are exact fractions, rounded once, at the end. A rate over nobody is
None. Over several months a rate is that of all its months together: the sum of the numerators by the sum of the
denominators.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct

from services.scoring.domain.metrics.measures import NOTHING, Measures
from services.scoring.domain.metrics.months import Month
from services.scoring.domain.money import DECIMALS

RATE_DECIMALS = 4
_CENTS = Decimal("0.01")


class Metrics(Struct, frozen=True, kw_only=True):
    """The metrics of one period, of all customers or of a segment. Money is in the program's currency."""

    customers: int
    orders: int
    revenue: Decimal
    order_value: Decimal | None
    buyers: int
    new_buyers: int
    retention_rate: float | None
    repeat_purchase_rate: float | None
    lifetime_value: Decimal | None
    order_interval_days: float | None
    diversity: float | None
    churned: int
    won_back: int
    churn_rate: float | None
    engaged: int
    engagements: int
    engagement_rate: float | None
    churn_rate_engaged: float | None
    churn_rate_others: float | None
    nps: float | None
    nps_answers: int
    csat: float | None
    csat_answers: int


class Series(Struct):
    """The sums of some customers: `totals` has for each month, from `first` on, the sum of all months up to it."""

    first: Month
    totals: list[Measures]

    @classmethod
    def of(cls, sums: Mapping[Month, Measures], last: Month) -> "Series":
        """The series that ends with `last`; later sums are left out."""
        first = min((month for month in sums if month <= last), default=last)
        months = [sums.get(month, NOTHING) for month in range(first, last + 1)]
        return cls(first, list(accumulate(months)))

    def metrics(self, begin: Month, end: Month) -> Metrics:
        """The metrics of the months from `begin` to `end`, both included; `end` is not after the last one."""
        until = self._until(end)
        sums = until + -self._until(begin - 1)
        earlier_buyers = self._until(end - 1).buyers - self._until(begin - 2).buyers
        standing = sum(self._standing(month) for month in range(begin, end + 1))
        known = sum(self._until(month).known for month in range(begin, end + 1))
        return Metrics(
            customers=until.known,
            orders=sums.orders,
            revenue=_money(Fraction(sums.revenue)),
            order_value=_mean_money(sums.revenue, sums.priced_orders),
            buyers=sums.buyers,
            new_buyers=sums.new_buyers,
            retention_rate=_rate(sums.retained_buyers, earlier_buyers),
            repeat_purchase_rate=_rate(until.second_buyers, until.new_buyers),
            lifetime_value=_mean_money(until.revenue, until.new_buyers),
            order_interval_days=_rate(sums.gap_days, sums.gaps),
            diversity=_rate(sums.products, sums.product_buyers),
            churned=sums.churned,
            won_back=sums.won_back,
            churn_rate=_rate(sums.churned, standing),
            engaged=sums.engaged,
            engagements=sums.engagements,
            engagement_rate=_rate(sums.engaged, known),
            churn_rate_engaged=_rate(sums.churned_engaged, sums.engaged_before),
            churn_rate_others=_rate(sums.churned - sums.churned_engaged, standing - sums.engaged_before),
            nps=_rate(100 * (sums.promoters - sums.detractors), sums.nps_answers),
            nps_answers=sums.nps_answers,
            csat=_rate(100 * sums.satisfied, sums.csat_answers),
            csat_answers=sums.csat_answers,
        )

    def _until(self, month: Month) -> Measures:
        """The sum of all months up to this one."""
        place = month - self.first
        return self.totals[place] if place >= 0 else NOTHING

    def _standing(self, month: Month) -> int:
        """Customers at the beginning of a month: had ordered, and were not given up since."""
        before = self._until(month - 1)
        return before.new_buyers - before.churned + before.won_back


def _rate(part: int, whole: int) -> float | None:
    if whole <= 0:
        return None
    return float(round(Fraction(part, whole), RATE_DECIMALS))


def _mean_money(units: int, count: int) -> Decimal | None:
    return _money(Fraction(units, count)) if count > 0 else None


def _money(units: Fraction) -> Decimal:
    """An amount in units as a decimal, rounded half to even to hundredths."""
    exact = Decimal(units.numerator) / Decimal(units.denominator)
    return exact.scaleb(-DECIMALS).quantize(_CENTS, ROUND_HALF_EVEN)


class CohortMonth(Struct, frozen=True, kw_only=True):
    """What a cohort did in one month. `lifetime_value` is revenue so far, by customer of the cohort."""

    month: Month
    buyers: int
    retention_rate: float | None
    orders: int
    revenue: Decimal
    lifetime_value: Decimal | None


class Cohort(Struct, frozen=True, kw_only=True):
    """The customers whose first order fell into one month."""

    cohort: Month
    customers: int
    months: list[CohortMonth]


def cohort_of(cohort: Month, sums: Mapping[Month, Measures], last: Month) -> Cohort:
    """The row of a cohort, from its own month to `last`."""
    customers = sums.get(cohort, NOTHING).new_buyers
    months = []
    revenue = 0
    for month in range(cohort, last + 1):
        one = sums.get(month, NOTHING)
        revenue += one.revenue
        months.append(
            CohortMonth(
                month=month,
                buyers=one.buyers,
                retention_rate=_rate(one.buyers, customers),
                orders=one.orders,
                revenue=_money(Fraction(one.revenue)),
                lifetime_value=_mean_money(revenue, customers),
            )
        )
    return Cohort(cohort=cohort, customers=customers, months=months)
