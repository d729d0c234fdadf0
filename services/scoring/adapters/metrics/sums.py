"""Reads the sums behind the metrics: tens of thousands of rows at most, however many orders there are."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.domain.metrics.measures import NAMES, Measures
from services.scoring.domain.metrics.months import Month, day_in, month_with

_SUMS = ", ".join("sum(revenue)" if name == "revenue" else f"CAST(sum({name}) AS bigint)" for name in NAMES)
"""Counts as integers: the driver is slow with decimals."""

_BY_MONTH = text(f"""
    SELECT month, {_SUMS} FROM scoring.metric_sums
    WHERE segment = :segment AND month <= :last GROUP BY month
    """)  # noqa: S608  # the names are our own

_BY_SEGMENT = text(f"""
    SELECT segment, month, {_SUMS} FROM scoring.metric_sums WHERE month <= :last GROUP BY segment, month
    """)  # noqa: S608

_BY_COHORT = text(f"""
    SELECT cohort, month, {", ".join(NAMES)} FROM scoring.metric_sums
    WHERE segment = '' AND month <= :last AND cohort BETWEEN :first_cohort AND :last_cohort
    """)  # noqa: S608

_OLDEST_NOTE = text("SELECT at FROM scoring.stale_rollups ORDER BY id LIMIT 1")

_KNOWN = text("""
    SELECT coalesce(sum(known), 0) FROM scoring.metric_sums WHERE segment = :segment
    """)

_FIELDS = text("SELECT field, customers FROM scoring.completeness_sums WHERE segment = :segment")


class MetricSums:
    """The sums, by what they are asked for."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def as_of(self, connection: AsyncConnection, now: datetime) -> datetime:
        """Up to when everything that was taken in is counted. Ask it before the sums."""
        oldest = await connection.scalar(_OLDEST_NOTE)
        return now if oldest is None else min(now, oldest)

    async def by_month(self, connection: AsyncConnection, segment: str, last: Month) -> dict[Month, Measures]:
        """The sums of a segment (empty: of all customers) by month, up to `last`."""
        rows = await connection.execute(_BY_MONTH, {"segment": segment, "last": day_in(last)})
        return {month_with(month): _measures(sums) for month, *sums in rows}

    async def by_segment(self, connection: AsyncConnection, last: Month) -> dict[str, dict[Month, Measures]]:
        """The sums of every segment, and of all customers under the empty name, by month, up to `last`."""
        found: dict[str, dict[Month, Measures]] = {}
        for segment, month, *sums in await connection.execute(_BY_SEGMENT, {"last": day_in(last)}):
            found.setdefault(segment, {})[month_with(month)] = _measures(sums)
        return found

    async def by_cohort(
        self, connection: AsyncConnection, first: Month, last: Month
    ) -> dict[Month, dict[Month, Measures]]:
        """The sums of the cohorts from `first` to `last` by month, up to `last`."""
        bound: dict[str, date] = {
            "last": day_in(last),
            "first_cohort": day_in(first),
            "last_cohort": day_in(last),
        }
        found: dict[Month, dict[Month, Measures]] = {}
        for cohort, month, *sums in await connection.execute(_BY_COHORT, bound):
            found.setdefault(month_with(cohort), {})[month_with(month)] = _measures(sums)
        return found

    async def known_fields(self, connection: AsyncConnection, segment: str) -> tuple[int, dict[str, int]]:
        """How many customers there are, and of how many each field is known."""
        customers = int(await connection.scalar(_KNOWN, {"segment": segment}) or 0)
        rows = await connection.execute(_FIELDS, {"segment": segment})
        return customers, {field: known for field, known in rows}  # noqa: C416  # rows are not pairs to mypy


def _measures(sums: Any) -> Measures:
    return Measures(*map(int, sums))
