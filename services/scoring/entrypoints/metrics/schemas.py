"""What the API of scoring answers about all customers together."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import asdict
from pydantic import BaseModel, Field

from services.scoring.domain.completeness import FIELDS, REMEDIES
from services.scoring.domain.metrics.formulas import Cohort as CohortRow
from services.scoring.domain.metrics.formulas import Metrics as MetricsOfPeriod
from services.scoring.domain.metrics.months import name_of


class Metrics(BaseModel):
    """The metrics of a period; money in the program's currency, as decimal strings. A rate over nobody is null."""

    customers: int = Field(description="Customers known at its end.")
    orders: int = Field(description="Orders that stand.")
    revenue: str = Field(description="What orders in the program's currency brought, less refunds.")
    order_value: str | None = Field(description="Revenue by order in the program's currency.")
    buyers: int = Field(description="Customers with an order, counted once a month.")
    new_buyers: int = Field(description="Customers whose first order fell into it.")
    retention_rate: float | None = Field(description="Of the buyers of the month before: bought again.")
    repeat_purchase_rate: float | None = Field(
        description="Of all who had ordered by its end: with two orders or more."
    )
    lifetime_value: str | None = Field(description="Revenue to date by customer who has ordered.")
    order_interval_days: float | None = Field(description="Mean days between two days with an order.")
    diversity: float | None = Field(description="Different products by buyer and month.")
    churned: int = Field(description="How often silence reached the program's `churned_after`.")
    won_back: int = Field(description="How often an order ended such a silence.")
    churn_rate: float | None = Field(description="Churned, of those who stood at the beginning.")
    engaged: int = Field(description="Customers who did something beside buying, counted once a month.")
    engagements: int = Field(description="How often.")
    engagement_rate: float | None = Field(description="Engaged, of the customers known.")
    churn_rate_engaged: float | None = Field(
        description="The churn rate of those who were engaged in the month before."
    )
    churn_rate_others: float | None = Field(description="The churn rate of all others.")
    nps: float | None = Field(description="Per cent of promoters less per cent of detractors, -100 to 100.")
    nps_answers: int
    csat: float | None = Field(description="Per cent of answers with 4 or 5 of 5.")
    csat_answers: int

    @classmethod
    def of(cls, metrics: MetricsOfPeriod, **more: Any) -> Any:
        """The schema of metrics; `more` are the fields of a class that adds some."""
        shown = {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in asdict(metrics).items()
        }
        return cls(**shown, **more)


class MonthMetrics(Metrics):
    """The metrics of a month."""

    month: str = Field(examples=["2026-01"])
    complete: bool = Field(description="Whether the month is over.")


class SegmentMetrics(Metrics):
    """The metrics of a segment: of the customers who are in it now."""

    segment: str | None = Field(description="Null: all customers.")


class MetricsAnswer(BaseModel):
    """Metrics with what they were made from. Everything that was taken in before `as_of` is counted."""

    currency: str
    time_zone: str
    first: str = Field(serialization_alias="from", examples=["2025-12"])
    last: str = Field(serialization_alias="to", examples=["2026-11"])
    by: Literal["month", "segment"]
    segment: str | None = Field(description="Only the customers in this segment; null: all.")
    as_of: datetime
    items: list[MonthMetrics] | list[SegmentMetrics]


class CohortMonth(BaseModel):
    """What a cohort did in a month, `offset` months after its first."""

    month: str
    offset: int
    buyers: int
    retention_rate: float | None = Field(description="Buyers, of the customers in the cohort.")
    orders: int
    revenue: str
    lifetime_value: str | None = Field(description="Revenue so far by customer of the cohort.")


class Cohort(BaseModel):
    """The customers whose first order fell into one month."""

    cohort: str
    customers: int
    months: list[CohortMonth]

    @classmethod
    def of(cls, row: CohortRow) -> "Cohort":
        """The schema of a row."""
        return cls(
            cohort=name_of(row.cohort),
            customers=row.customers,
            months=[
                CohortMonth(
                    month=name_of(one.month),
                    offset=one.month - row.cohort,
                    buyers=one.buyers,
                    retention_rate=one.retention_rate,
                    orders=one.orders,
                    revenue=str(one.revenue),
                    lifetime_value=None if one.lifetime_value is None else str(one.lifetime_value),
                )
                for one in row.months
            ],
        )


class CohortsAnswer(BaseModel):
    """The cohort table, oldest cohort first."""

    currency: str
    time_zone: str
    as_of: datetime
    items: list[Cohort]


class FieldCompleteness(BaseModel):
    """How many customers told one field, and how to learn it from the others."""

    field: str
    known: int
    missing: int
    share: float | None = Field(description="Known, of all customers.")
    remedy: str


class CompletenessAnswer(BaseModel):
    """How complete the profiles are, over all customers."""

    customers: int
    completeness: float | None = Field(description="Known fields, of all fields of all customers.")
    segment: str | None
    as_of: datetime
    fields: list[FieldCompleteness]

    @classmethod
    def of(
        cls, customers: int, known: dict[str, int], segment: str | None, as_of: datetime
    ) -> "CompletenessAnswer":
        """The schema of counts by field."""

        def share(part: int, whole: int) -> float | None:
            return round(part / whole, 4) if whole else None

        return cls(
            customers=customers,
            completeness=share(sum(known.values()), customers * len(FIELDS)),
            segment=segment,
            as_of=as_of,
            fields=[
                FieldCompleteness(
                    field=name,
                    known=known.get(name, 0),
                    missing=customers - known.get(name, 0),
                    share=share(known.get(name, 0), customers),
                    remedy=REMEDIES[name],
                )
                for name in FIELDS
            ],
        )
