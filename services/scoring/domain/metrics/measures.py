"""What is counted for the metrics: whole numbers that add up, over customers, months and cohorts."""

from operator import add, neg

from msgspec import Struct
from msgspec.structs import astuple

from services.scoring.domain.money import Units


class Measures(Struct, frozen=True, array_like=True):
    """The contribution of one customer in one month, or the sum of many. New fields go to the end: it is stored.

    Of orders that stand, on the day on which they were placed:
        orders: all of them; `priced_orders` those in the program's currency, `revenue` what these brought, net.
        buyers: 1 for a customer who ordered; `new_buyers` with the first order of all, `second_buyers` with the
            second, `retained_buyers` who had ordered in the month before too.
        gaps, gap_days: intervals between two days with an order, in the month in which they end, and their length.
        products, product_buyers: different products (sku) bought, and 1 for a buyer whose orders name products.
    Of the lifecycle:
        known: 1 in the month of the first event.
        churned, won_back: how often silence reached `churned_after`, and an order ended such a silence.
    Of engagement:
        engagements: acts (see `rollup.ENGAGEMENTS`); `engaged` 1 for a customer with one.
        engaged_before: 1 for a customer who stood at the beginning of the month and was engaged in the month before;
            `churned_engaged` 1 if such a customer churned.
    Of surveys:
        nps_answers, promoters, detractors, csat_answers, satisfied.
    """

    orders: int = 0
    priced_orders: int = 0
    revenue: Units = 0
    buyers: int = 0
    new_buyers: int = 0
    second_buyers: int = 0
    retained_buyers: int = 0
    gaps: int = 0
    gap_days: int = 0
    products: int = 0
    product_buyers: int = 0
    known: int = 0
    churned: int = 0
    won_back: int = 0
    engagements: int = 0
    engaged: int = 0
    engaged_before: int = 0
    churned_engaged: int = 0
    nps_answers: int = 0
    promoters: int = 0
    detractors: int = 0
    csat_answers: int = 0
    satisfied: int = 0

    def __add__(self, other: "Measures") -> "Measures":
        return Measures(*map(add, astuple(self), astuple(other)))

    def __neg__(self) -> "Measures":
        return Measures(*map(neg, astuple(self)))


NOTHING = Measures()
NAMES = Measures.__struct_fields__
