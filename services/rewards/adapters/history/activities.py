"""The activities that rewards has taken, in PostgreSQL: their identities for ever, the records as they came by month.

A record is numbered in the order in which records were taken, and found again by its customer, number and month, which
the inbox tells for an identity. So the one index is that of the newest month, which stays in memory, and forgetting old
months is dropping tables.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Taken
from shared.contracts.activity import Activity
from shared.contracts.codec import decode
from shared.postgres.direct import copy_into
from shared.postgres.inserting import FEW

_KNOWN = text("SELECT id FROM rewards.inbox WHERE id = ANY(CAST(:ids AS text[]))")
_NUMBER = text("SELECT nextval('rewards.activity_numbers')")
# All of it in one round trip: to look, to number and twice to COPY would cost more than a few rows do.
_TAKE_FEW = text("""
    WITH numbered AS MATERIALIZED (
        SELECT w.id, w.customer_id, w.record, n.first + w.place - 1 AS number
        FROM (SELECT nextval('rewards.activity_numbers') AS first OFFSET 0) n, unnest(CAST(:ids AS text[]),
            CAST(:customers AS text[]), CAST(:records AS bytea[])) WITH ORDINALITY AS w(id, customer_id, record, place)
    ), taken AS (
        INSERT INTO rewards.inbox (id, customer_id, taken_at, number)
        SELECT id, customer_id, CAST(:now AS timestamptz), number FROM numbered
        ON CONFLICT (id) DO NOTHING RETURNING id
    ), kept AS (
        INSERT INTO rewards.activities (customer_id, number, taken_at, record)
        SELECT customer_id, number, CAST(:now AS timestamptz), record FROM numbered JOIN taken USING (id)
    )
    SELECT id FROM taken
    """)
_ADD_MONTH = text("SELECT rewards.add_activity_month(:moment)")
_DROP_MONTHS = text("SELECT rewards.drop_activity_months(:before)")
_SOON = text("SET LOCAL lock_timeout = '500ms'")
_FOUND = text("""
    SELECT a.record FROM rewards.inbox i
    JOIN rewards.activities a ON (a.customer_id, a.number, a.taken_at) = (i.customer_id, i.number, i.taken_at)
    WHERE i.id = :id
    """)
_OF_CUSTOMERS = text("""
    SELECT number, record FROM rewards.activities
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND number < :before ORDER BY number DESC LIMIT :limit
    """)

BATCH_MAX = 10_000
"""The sequence counts by so much: each batch has numbers of its own."""
NEWEST = 2**63 - 1
"""Before this number stands everything."""


class PostgresActivities:
    """Implements `Activities`. The consumer holds the offset row of the partition, so that nobody else can be taking
    the same record meanwhile; should it happen all the same, the primary key of the inbox refuses the second."""

    def __init__(self) -> None:
        self._months: set[tuple[int, int]] = set()
        """Those known to be there, in UTC."""

    async def take(self, connection: AsyncConnection, told: Sequence[Taken], now: datetime) -> list[Taken]:
        """See `Activities.take`."""
        assert len(told) <= BATCH_MAX
        month = (now.year, now.month)
        if month not in self._months and not await connection.scalar(_ADD_MONTH, {"moment": now}):
            self._months.add(month)  # not when just made: this transaction may still be rolled back
        ids = [each.activity.id for each in told]
        if len(told) > FEW:
            known = {row[0] for row in await connection.execute(_KNOWN, {"ids": ids})}
            taken = [each for each in told if each.activity.id not in known]
            await _copy(connection, taken, now)
            return taken
        customers, records = [each.activity.customer_id for each in told], [each.record for each in told]
        bound = {"ids": ids, "customers": customers, "records": records, "now": now}
        fresh = {row[0] for row in await connection.execute(_TAKE_FEW, bound)}
        return [each for each in told if each.activity.id in fresh]

    async def drop_months(self, connection: AsyncConnection, before: datetime) -> int:
        """Forget the months that were over by `before`; how many. Gives up at once, with an error that passes, when
        somebody reads them for long: nobody who writes may have to wait in line behind it."""
        await connection.execute(_SOON)
        dropped: int = await connection.scalar(_DROP_MONTHS, {"before": before})
        return dropped


async def _copy(connection: AsyncConnection, taken: Sequence[Taken], now: datetime) -> None:
    """Write many, none of which is known. The transaction has begun."""
    if not taken:
        return
    first: int = await connection.scalar(_NUMBER)
    inbox = [(each.activity.id, each.activity.customer_id, now, n) for n, each in enumerate(taken, first)]
    await copy_into(connection, "rewards.inbox", ("id", "customer_id", "taken_at", "number"), inbox)
    records = [(each.activity.customer_id, n, now, each.record) for n, each in enumerate(taken, first)]
    await copy_into(
        connection, "rewards.activities", ("customer_id", "number", "taken_at", "record"), records
    )


async def find(connection: AsyncConnection, id_: str) -> Activity | None:
    """The activity of this identity, while its record is kept."""
    record = await connection.scalar(_FOUND, {"id": id_})
    return decode(record, Activity) if record is not None else None


async def of_customers(
    connection: AsyncConnection, customer_ids: Collection[str], limit: int, before: int = NEWEST
) -> list[tuple[int, Activity]]:
    """Up to `limit` activities of these customers with their numbers, the last taken first, from before a number on."""
    bound = {"customers": list(customer_ids), "before": before, "limit": limit}
    rows = await connection.execute(_OF_CUSTOMERS, bound)
    return [(number, decode(record, Activity)) for number, record in rows]
