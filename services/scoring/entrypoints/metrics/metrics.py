"""`/v1/metrics`, `/v1/cohorts`, `/v1/completeness`: all customers together, by month and by segment."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.metrics.sums import MetricSums
from services.scoring.application.ports import Rules
from services.scoring.domain.metrics.formulas import Series, cohort_of
from services.scoring.domain.metrics.months import NO_MONTH, Month, month_named, month_of, name_of
from services.scoring.domain.metrics.rollup import RollupSettings
from services.scoring.entrypoints.metrics.schemas import (
    Cohort,
    CohortsAnswer,
    CompletenessAnswer,
    MetricsAnswer,
    MonthMetrics,
    SegmentMetrics,
)
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.openapi import problem_responses
from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import ShortText

MONTHS_DEFAULT = 12
MONTHS_MAX = 120
EVERYBODY = ""
"""The segment of all customers."""

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]


def _known_year(name: str) -> str:
    if not "1970-01" <= name <= "2199-12":
        raise PydanticCustomError("month_out_of_range", "must be between 1970-01 and 2199-12")
    return name


MonthName = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$"), AfterValidator(_known_year)
]
First = Annotated[
    MonthName | None, Query(alias="from", description="First month, such as 2026-01; a year before `to`.")
]
Last = Annotated[
    MonthName | None, Query(alias="to", description="Last month, included; the present one if left out.")
]
OfSegment = Annotated[ShortText | None, Query(description="Only customers who are in this segment now.")]


def metrics_routes(sums: MetricSums, rules: Rules, clock: Clock) -> APIRouter:
    """The routes by which metrics are read."""
    router = APIRouter(tags=["metrics"], responses=problem_responses(401, 403, 422, 503))

    @router.get(
        "/v1/metrics",
        summary="Retention, order value, churn, NPS and more, by month or by segment",
        responses=problem_responses(404),
    )
    async def metrics(
        _: Reader,
        first: First = None,
        last: Last = None,
        by: Literal["month", "segment"] = "month",
        segment: OfSegment = None,
    ) -> MetricsAnswer:
        """Months are those of the program's time zone. What each metric means, with its formula: docs/metrics.md."""
        views = await _Views.of(sums, rules, clock)
        begin, end = views.period(first, last)
        if by == "segment":
            if segment is not None:
                raise _refused("segment", "goes with by=month; by=segment lists all segments")
            return await views.by_segment(begin, end)
        return await views.by_month(begin, end, segment)

    @router.get("/v1/cohorts", summary="Customers by the month of their first order, and what became of them")
    async def cohorts(_: Reader, first: First = None, last: Last = None) -> CohortsAnswer:
        """A row for each month with new buyers between `from` and `to`; its months go on until `to`."""
        views = await _Views.of(sums, rules, clock)
        begin, end = views.period(first, last)
        return await views.cohorts(begin, end)

    @router.get(
        "/v1/completeness",
        summary="What is known of customers, what is missing, and what to do",
        responses=problem_responses(404),
    )
    async def completeness(_: Reader, segment: OfSegment = None) -> CompletenessAnswer:
        """By field, over all customers or a segment."""
        return await (await _Views.of(sums, rules, clock)).completeness(segment)

    return router


class _Views:
    """The answers, by the settings that count."""

    @classmethod
    async def of(cls, sums: MetricSums, rules: Rules, clock: Clock) -> "_Views":
        """The answers as of now."""
        async with sums.engine.connect() as connection:
            settings = RollupSettings.of(await rules.current(connection))
        return cls(sums, rules, settings, clock)

    def __init__(self, sums: MetricSums, rules: Rules, settings: RollupSettings, clock: Clock) -> None:
        self._sums = sums
        self._rules = rules
        self._settings = settings
        self._clock = clock

    def period(self, first: str | None, last: str | None) -> tuple[Month, Month]:
        """The months asked for; none after the present one."""
        present = month_of(self._clock(), self._settings.zone)
        end = present if last is None else min(month_named(last), present)
        begin = end - MONTHS_DEFAULT + 1 if first is None else month_named(first)
        if begin > end:
            raise _refused("from", "must not be after `to`, nor after the present month")
        if end - begin >= MONTHS_MAX:
            raise _refused("from", f"must be less than {MONTHS_MAX} months before `to`")
        return begin, end

    async def by_month(self, begin: Month, end: Month, segment: str | None) -> MetricsAnswer:
        """An item for each month."""
        now = self._clock()
        async with self._sums.engine.connect() as connection:
            await self._check(connection, segment)
            as_of = await self._sums.as_of(connection, now)
            series = Series.of(await self._sums.by_month(connection, segment or EVERYBODY, end), end)
        present = month_of(now, self._settings.zone)
        items = [
            MonthMetrics.of(series.metrics(month, month), month=name_of(month), complete=month < present)
            for month in range(begin, end + 1)
        ]
        return self._answer("month", begin=begin, end=end, segment=segment, as_of=as_of, items=items)

    async def by_segment(self, begin: Month, end: Month) -> MetricsAnswer:
        """An item for each segment over the whole period, all customers first."""
        async with self._sums.engine.connect() as connection:
            as_of = await self._sums.as_of(connection, self._clock())
            found = await self._sums.by_segment(connection, end)
            segments = (await self._rules.current(connection)).segments.sources
        items = [
            SegmentMetrics.of(Series.of(found.get(name, {}), end).metrics(begin, end), segment=name or None)
            for name in (EVERYBODY, *segments)
        ]
        return self._answer("segment", begin=begin, end=end, segment=None, as_of=as_of, items=items)

    async def _check(self, connection: AsyncConnection, segment: str | None) -> None:
        """Refuse a segment that there is not."""
        if segment is None or segment in (await self._rules.current(connection)).segments.sources:
            return
        raise Problem(404, "unknown_segment", "Unknown segment", "No segment has this id.")

    def _answer(
        self,
        by: Literal["month", "segment"],
        *,
        begin: Month,
        end: Month,
        segment: str | None,
        as_of: datetime,
        items: list[MonthMetrics] | list[SegmentMetrics],
    ) -> MetricsAnswer:
        return MetricsAnswer(
            currency=self._settings.currency,
            time_zone=str(self._settings.zone),
            first=name_of(begin),
            last=name_of(end),
            by=by,
            segment=segment,
            as_of=as_of,
            items=items,
        )

    async def cohorts(self, begin: Month, end: Month) -> CohortsAnswer:
        """A row for each cohort."""
        async with self._sums.engine.connect() as connection:
            as_of = await self._sums.as_of(connection, self._clock())
            found = await self._sums.by_cohort(connection, begin, end)
        rows = [cohort_of(cohort, found[cohort], end) for cohort in sorted(found) if cohort != NO_MONTH]
        return CohortsAnswer(
            currency=self._settings.currency,
            time_zone=str(self._settings.zone),
            as_of=as_of,
            items=[Cohort.of(row) for row in rows if row.customers],
        )

    async def completeness(self, segment: str | None) -> CompletenessAnswer:
        """Counts by field."""
        async with self._sums.engine.connect() as connection:
            await self._check(connection, segment)
            as_of = await self._sums.as_of(connection, self._clock())
            customers, known = await self._sums.known_fields(connection, segment or EVERYBODY)
        return CompletenessAnswer.of(customers, known, segment, as_of)


def _refused(parameter: str, detail: str) -> Exception:
    return invalid_request(ProblemError("", "out_of_range", detail, parameter=parameter))
