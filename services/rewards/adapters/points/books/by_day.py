"""Sums of entries by day, kept beside the ledger: each transaction that adds entries leaves theirs in `unbooked` (a
trigger does), from where they are added to the days. So entries count once, whenever their transaction commits."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.accounts import Account

UNBOOKED_MAX = 10_000
"""Rows that one transaction adds to the days: a fraction of a second."""
# Making the books reads every entry; the usual limit of a statement is for small ones.
_BE_PATIENT = text("SET LOCAL statement_timeout = '1h'")

# Only who has locked `booking` takes rows away, so that each is there until it is added.
_LOCK = text("SELECT time_zone FROM rewards.booking FOR UPDATE SKIP LOCKED")
_WAIT = text("SELECT time_zone FROM rewards.booking FOR UPDATE")
_ADD = text("""
    WITH taken AS (
        DELETE FROM rewards.unbooked WHERE ctid = ANY(ARRAY(SELECT ctid FROM rewards.unbooked LIMIT :limit))
        RETURNING recorded_at, debit, credit, points
    ), added AS (
        INSERT INTO rewards.booked (day, debit, credit, points)
        SELECT CAST(recorded_at AT TIME ZONE :zone AS date), debit, credit, sum(points) FROM taken GROUP BY 1, 2, 3
        ON CONFLICT (day, debit, credit) DO UPDATE SET points = booked.points + excluded.points
    )
    SELECT count(*) FROM taken
    """)
_CLEAR = text("DELETE FROM rewards.booked")
# One statement, so one moment: what was left by then is of entries that are read here.
_MAKE = text("""
    WITH left_by_then AS (DELETE FROM rewards.unbooked)
    INSERT INTO rewards.booked (day, debit, credit, points)
    SELECT CAST(recorded_at AT TIME ZONE :zone AS date), debit, credit, sum(points) FROM rewards.entries
    GROUP BY 1, 2, 3
    """)
_MADE = text("UPDATE rewards.booking SET time_zone = :zone")
# One row tells of which zone they are, the others of days: all as of one moment.
_BOOKS = text("""
    SELECT NULL AS day, time_zone AS debit, NULL AS credit, 0 AS points FROM rewards.booking
    UNION ALL
    SELECT greatest(day, :before), debit, credit, CAST(sum(points) AS bigint) FROM (
        SELECT day, debit, credit, points FROM rewards.booked
        UNION ALL
        SELECT CAST(recorded_at AT TIME ZONE :zone AS date), debit, credit, points FROM rewards.unbooked
    ) AS sums GROUP BY 1, 2, 3
    """)
_LEDGER = text("""
    SELECT greatest(CAST(recorded_at AT TIME ZONE :zone AS date), :before), debit, credit,
        CAST(sum(points) AS bigint)
    FROM rewards.entries GROUP BY 1, 2, 3
    """)

Moved = tuple[date, Account, Account, int]
"""Points that moved from one account to another on a day."""


async def read_books(connection: AsyncConnection, before: date, zone: str) -> list[Moved]:
    """The sums of all entries by the day on which they were recorded and accounts, those of days up to `before` as one.

    From the ledger itself while the books are of another time zone, or not made yet: that takes as long as it is.
    """
    bound = {"before": before, "zone": zone}
    rows = list(await connection.execute(_BOOKS, bound))
    if not any(row.day is None and row.debit == zone for row in rows):
        rows = list(await connection.execute(_LEDGER, bound))
    return [
        (day, Account(debit), Account(credit), points)
        for day, debit, credit, points in rows
        if day is not None
    ]


class PostgresBooks:
    """Implements `Books`."""

    async def lock(self, connection: AsyncConnection, *, wait: bool) -> str | None:
        """See `Books.lock`."""
        if wait:  # for somebody who may be making the books
            await connection.execute(_BE_PATIENT)
        zone: str | None = await connection.scalar(_WAIT if wait else _LOCK)
        return zone

    async def add(self, connection: AsyncConnection, zone: str) -> bool:
        """See `Books.add`."""
        return bool(await connection.scalar(_ADD, {"zone": zone, "limit": UNBOOKED_MAX}) == UNBOOKED_MAX)

    async def make(self, connection: AsyncConnection, zone: str) -> None:
        """See `Books.make`."""
        await connection.execute(_BE_PATIENT)
        await connection.execute(_CLEAR)
        await connection.execute(_MAKE, {"zone": zone})
        await connection.execute(_MADE, {"zone": zone})
