"""Redemptions by the quarter of an hour, in PostgreSQL: counted beside the checkout, which does nothing for it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.watching.watching import Customer
from services.rewards.domain.watching.unusual import DAYS, QUARTER, WINDOW, Day, Norm
from shared.alerts.telling import Untold, take_untold

POINTS = "points"
KEPT_FOR = timedelta(days=DAYS + 7)
OWN_YEAR = timedelta(days=365)

_NEXT = text("""
    SELECT next_at, told_from FROM rewards.redemption_watch
    WHERE next_at IS NULL OR next_at < :ended FOR UPDATE SKIP LOCKED
    """)
_BEGIN = text("UPDATE rewards.redemption_watch SET next_at = :first, told_from = :told_from")
_SEEN = text("UPDATE rewards.redemption_watch SET next_at = :until")
_FORGET = text("DELETE FROM rewards.redemption_quarters WHERE quarter < :before")
# What was released counts no longer; what a checkout has only reserved counts, or who takes much would be seen late.
_STANDS = "status NOT IN ('released', 'expired')"
_COUNT = text(f"""
    INSERT INTO rewards.redemption_quarters (item, quarter, times, points)
    SELECT 'points', date_bin('15 minutes', reserved_at, TIMESTAMPTZ '2000-01-01Z'), count(*), sum(points)
    FROM rewards.redemptions WHERE reserved_at >= :since AND reserved_at < :until AND {_STANDS} GROUP BY 2
    UNION ALL
    SELECT 'offer:' || offer, date_bin('15 minutes', at, TIMESTAMPTZ '2000-01-01Z'), count(*), 0
    FROM rewards.offer_uses WHERE at >= :since AND at < :until AND undone_at IS NULL GROUP BY 1, 2
    ON CONFLICT (item, quarter) DO UPDATE SET times = excluded.times, points = excluded.points
    """)  # noqa: S608  # our own words
_BUSY = text("""
    SELECT DISTINCT quarter FROM rewards.redemption_quarters
    WHERE quarter >= :since AND quarter < :until ORDER BY quarter LIMIT :limit
    """)
_DAYS = text("""
    SELECT item, CAST(:days - 1 AS int)
            - CAST(extract(epoch FROM quarter - CAST(:since AS timestamptz)) AS int) / 86400 AS ago,
        CAST(sum(times) AS bigint), CAST(sum(points) AS bigint)
    FROM rewards.redemption_quarters
    WHERE quarter >= :since AND quarter <= :quarter
        AND item IN (SELECT item FROM rewards.redemption_quarters WHERE quarter = :quarter)
    GROUP BY 1, 2
    """)
_CUSTOMERS = text(f"""
    SELECT customer_id, CAST(sum(points) AS bigint), count(*) FROM rewards.redemptions
    WHERE customer_id IN (
            SELECT customer_id FROM rewards.redemptions WHERE reserved_at >= :quarter AND reserved_at < :ended)
        AND reserved_at >= :since AND reserved_at < :ended AND {_STANDS}
    GROUP BY 1 ORDER BY 1
    """)  # noqa: S608
_NORM = text("SELECT customer_days, median, spread FROM rewards.redemption_norms WHERE day = :day")
_MAKE_NORM = text(f"""
    WITH days AS (
        SELECT ln(1 + sum(points)::float) AS log FROM rewards.redemptions
        WHERE reserved_at >= :since AND reserved_at < :until AND {_STANDS}
        GROUP BY customer_id, date_bin('1 day', reserved_at, TIMESTAMPTZ '2000-01-01Z')
    ), middle AS (
        SELECT count(*) AS customer_days, coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY log), 0) AS median
        FROM days
    )
    INSERT INTO rewards.redemption_norms (day, customer_days, median, spread)
    SELECT :day, m.customer_days, m.median,
        coalesce((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(log - m.median)) FROM days), 0)
    FROM middle m
    ON CONFLICT (day) DO NOTHING
    """)  # noqa: S608
_FORGET_NORMS = text("DELETE FROM rewards.redemption_norms WHERE day < :before")
_OWN_DAYS = text(f"""
    SELECT customer_id, CAST(sum(points) AS bigint) FROM rewards.redemptions
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND reserved_at >= :since AND reserved_at < :before
        AND {_STANDS}
    GROUP BY customer_id, date_bin('1 day', reserved_at, TIMESTAMPTZ '2000-01-01Z')
    """)  # noqa: S608
_DEALT_WITH = text("""
    SELECT customer_id, subject FROM platform.alerts WHERE kind = :kind AND closed_at >= :since
    """)


class PostgresWatch:
    """Implements `Watch`."""

    async def untold(self, connection: AsyncConnection, limit: int) -> Sequence[Untold]:
        """See `Watch.untold`."""
        return await take_untold(connection, limit)

    async def next(self, connection: AsyncConnection, ended: datetime) -> tuple[datetime, datetime] | None:
        """See `Watch.next`."""
        row = (await connection.execute(_NEXT, {"ended": ended})).first()
        if row is None:
            return None
        if row.next_at is not None:
            return row.next_at, row.told_from
        first = ended - (DAYS + 1) * WINDOW
        await connection.execute(_BEGIN, {"first": first, "told_from": ended})
        return first, ended

    async def count(self, connection: AsyncConnection, since: datetime, until: datetime) -> None:
        """See `Watch.count`."""
        await connection.execute(_COUNT, {"since": since, "until": until})

    async def seen(self, connection: AsyncConnection, quarter: datetime) -> None:
        """See `Watch.seen`."""
        await connection.execute(_SEEN, {"until": quarter})
        await connection.execute(_FORGET, {"before": quarter - KEPT_FOR})

    async def busy(
        self, connection: AsyncConnection, since: datetime, until: datetime, limit: int
    ) -> Sequence[datetime]:
        """See `Watch.busy`."""
        bound = {"since": since, "until": until, "limit": limit}
        return [row[0] for row in await connection.execute(_BUSY, bound)]

    async def days(self, connection: AsyncConnection, quarter: datetime) -> Mapping[str, Sequence[Day]]:
        """See `Watch.days`."""
        since = quarter + QUARTER - (DAYS + 1) * WINDOW
        bound = {"since": since, "quarter": quarter, "days": DAYS + 1}
        found: dict[str, list[Day]] = {}
        for item, ago, times, points in await connection.execute(_DAYS, bound):
            found.setdefault(item, [Day(0, 0)] * (DAYS + 1))[ago] = Day(times, points)
        return found

    async def customers(self, connection: AsyncConnection, quarter: datetime) -> Sequence[Customer]:
        """See `Watch.customers`."""
        ended = quarter + QUARTER
        bound = {"quarter": quarter, "ended": ended, "since": ended - WINDOW}
        return [Customer(*row) for row in await connection.execute(_CUSTOMERS, bound)]

    async def norm(self, connection: AsyncConnection, day: date) -> Norm:
        """See `Watch.norm`. It is made once a day."""
        row = (await connection.execute(_NORM, {"day": day})).first()
        if row is None:
            until = datetime(day.year, day.month, day.day, tzinfo=UTC)
            bound = {"day": day, "since": until - DAYS * WINDOW, "until": until}
            await connection.execute(_MAKE_NORM, bound)
            await connection.execute(_FORGET_NORMS, {"before": (until - KEPT_FOR).date()})
            row = (await connection.execute(_NORM, {"day": day})).one()
        return Norm(*row)

    async def own_days(
        self, connection: AsyncConnection, customers: Collection[str], before: datetime
    ) -> Mapping[str, Sequence[int]]:
        """See `Watch.own_days`."""
        bound = {"customers": list(customers), "since": before - OWN_YEAR, "before": before}
        found: dict[str, list[int]] = {}
        for customer_id, points in await connection.execute(_OWN_DAYS, bound):
            found.setdefault(customer_id, []).append(points)
        return found

    async def dealt_with(
        self, connection: AsyncConnection, kind: str, since: datetime
    ) -> Collection[tuple[str, str]]:
        """See `Watch.dealt_with`."""
        rows = await connection.execute(_DEALT_WITH, {"kind": kind, "since": since})
        return {(customer_id, subject) for customer_id, subject in rows}
