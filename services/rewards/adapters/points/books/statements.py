"""The entries of a customer, and what they sum up to, over time."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.accounts import Account

_BALANCES = text("""
    SELECT coalesce(sum(available), 0)::bigint, coalesce(sum(pending), 0)::bigint,
        coalesce(sum(reserved), 0)::bigint, coalesce(sum(debt), 0)::bigint
    FROM rewards.members WHERE customer_id = ANY(CAST(:ids AS text[]))
    """)
_MOVED = text("""
    SELECT recorded_at >= :until, debit, credit, sum(points)::bigint FROM rewards.entries
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND recorded_at >= :since GROUP BY 1, 2, 3
    """)
_ENTRIES = text("""
    SELECT customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause, program_version
    FROM rewards.entries
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND recorded_at >= :since AND recorded_at < :until
        AND (recorded_at, customer_id, number) > (:at, :id, :number)
    ORDER BY recorded_at, customer_id, number LIMIT :limit
    """)
_IDS = text("SELECT customer_id FROM rewards.members WHERE customer_id = :id OR merged_into = :id")


async def ids_of(connection: AsyncConnection, customer_id: str) -> list[str]:
    """The customer, and those that were merged into it."""
    return [row[0] for row in await connection.execute(_IDS, {"id": customer_id})]


async def read_balances(
    connection: AsyncConnection, ids: list[str], since: datetime, until: datetime
) -> tuple[dict[Account, int], list[tuple[bool, Account, Account, int]]]:
    """The balances of these customers together now, debt below zero, and the sums of their entries recorded since a
    moment, by whether they are from `until` on. In a transaction with one snapshot."""
    (available, pending, reserved, debt), *_ = list(await connection.execute(_BALANCES, {"ids": ids}))
    now = {
        Account.AVAILABLE: available,
        Account.PENDING: pending,
        Account.RESERVED: reserved,
        Account.DEBT: -debt,
    }
    rows = await connection.execute(_MOVED, {"ids": ids, "since": since, "until": until})
    return now, [(later, Account(debit), Account(credit), points) for later, debit, credit, points in rows]


async def read_entries(
    connection: AsyncConnection,
    ids: list[str],
    period: tuple[datetime, datetime],
    after: tuple[datetime, str, int] | None,
    limit: int,
) -> list[Any]:
    """Entries recorded in the period, oldest first, from the one after (`recorded_at`, customer, number) on."""
    at, id_, number = after or (period[0], "", 0)
    bound = {"ids": ids, "since": period[0], "until": period[1], "at": at, "id": id_, "number": number}
    return list(await connection.execute(_ENTRIES, bound | {"limit": limit}))
