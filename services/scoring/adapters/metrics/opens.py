"""E-mails by the day, counted from the timeline: the stream does nothing for it, and late events, merges and erasures
are in it by themselves."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.tables.emails import E_MAILS
from services.scoring.domain.metrics.opens import Mails

_BEGIN = text("SELECT 1 FROM scoring.email_watch WHERE day IS NULL OR day < :today FOR UPDATE SKIP LOCKED")
_STALE = text("""
    SELECT d.day FROM (
        SELECT CAST(:first AS date) + n AS day FROM generate_series(0, CAST(:today AS date) - :first - 1) AS n
    ) d LEFT JOIN scoring.email_days e USING (day)
    WHERE e.day IS NULL OR (d.day >= :recent AND e.counted_on < :today) ORDER BY d.day LIMIT 1
    """)
# A click is an opening too, and each message is opened once; without an id each opening is one.
_COUNT = text(f"""
    INSERT INTO scoring.email_days (day, sent, opened, counted_on)
    SELECT CAST(:day AS date), count(*) FILTER (WHERE type = 'email.sent'),
        count(DISTINCT (customer_id, coalesce(record #>> '{{data,message_id}}', encode(event_key, 'hex'))))
            FILTER (WHERE type <> 'email.sent'),
        CAST(:today AS date)
    FROM scoring.timeline WHERE {E_MAILS} AND at >= :begins AND at < :ends
    ON CONFLICT (day) DO UPDATE SET sent = excluded.sent, opened = excluded.opened, counted_on = excluded.counted_on
    """)  # noqa: S608  # our own words
_DAYS = text("SELECT day, sent, opened FROM scoring.email_days WHERE day >= :first")
_DONE = text("UPDATE scoring.email_watch SET day = :today")
_FORGET = text("DELETE FROM scoring.email_days WHERE day < :first")
_CLOSED = text("""
    SELECT EXISTS (SELECT FROM platform.alerts WHERE customer_id = '' AND kind = :kind AND closed_at >= :since)
    """)


class PostgresOpens:
    """`Counts` on PostgreSQL."""

    async def begin(self, connection: AsyncConnection, today: date) -> bool:
        """See `Counts.begin`."""
        return await connection.scalar(_BEGIN, {"today": today}) is not None

    async def stale(self, connection: AsyncConnection, first: date, recent: date, today: date) -> date | None:
        """See `Counts.stale`."""
        found: date | None = await connection.scalar(
            _STALE, {"first": first, "recent": recent, "today": today}
        )
        return found

    async def count(self, connection: AsyncConnection, day: date, today: date, zone: ZoneInfo) -> None:
        """See `Counts.count`."""
        begins = datetime.combine(day, time(), zone)
        ends = datetime.combine(day + timedelta(days=1), time(), zone)
        await connection.execute(_COUNT, {"day": day, "today": today, "begins": begins, "ends": ends})

    async def days(self, connection: AsyncConnection, first: date) -> Mapping[date, Mails]:
        """See `Counts.days`."""
        rows = await connection.execute(_DAYS, {"first": first})
        return {day: Mails(sent, opened) for day, sent, opened in rows}

    async def done(self, connection: AsyncConnection, today: date, first: date) -> None:
        """See `Counts.done`."""
        await connection.execute(_DONE, {"today": today})
        await connection.execute(_FORGET, {"first": first})

    async def closed_since(self, connection: AsyncConnection, kind: str, since: datetime) -> bool:
        """See `Counts.closed_since`."""
        return bool(await connection.scalar(_CLOSED, {"kind": kind, "since": since}))
