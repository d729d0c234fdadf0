"""Referrals that are due, in PostgreSQL. What activities tell of them, `referral_notes` writes."""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.due import lock_free
from services.rewards.adapters.sets import update
from services.rewards.domain.earning.referrals import Close, Orders
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.referral_notes import Bringing, Coming

_DUE = """
    SELECT r.customer_id, r.referral_id, r.at, r.cause, r.due_at, r.part,
        i.customer_id AS bringer, i.at AS made_at, i.cause AS made_by, i.part AS made_part
    FROM rewards.referrals r LEFT JOIN rewards.referral_ids i USING (referral_id)
    WHERE r.due_at <= :now AND r.closed IS NULL
    """
_FIND = text(f"{_DUE} AND NOT r.customer_id = ANY(CAST(:skip AS text[])) ORDER BY r.due_at LIMIT :limit")
_AGAIN = text(f"{_DUE} AND r.customer_id = ANY(CAST(:customers AS text[])) ORDER BY r.customer_id")
_ORDERS = text("""
    SELECT customer_id, min(placed_at), min(placed_at) FILTER (
        WHERE CAST(:minimum AS numeric) IS NULL OR (counts AND net >= CAST(:minimum AS numeric))),
        (SELECT min(r.at) FROM rewards.referral_ids i JOIN rewards.referrals r USING (referral_id)
            WHERE i.customer_id = p.customer_id AND r.customer_id <> p.customer_id)
    FROM rewards.purchases p
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND placed_at IS NOT NULL AND NOT cancelled
        AND (net > 0 OR total = 0)
    GROUP BY customer_id
    """)
# Locks the id's row, so that who brings under it is told either before or after this, and then wakes what waits.
_AWAIT = text("""
    INSERT INTO rewards.referral_ids (referral_id) VALUES (:id)
    ON CONFLICT (referral_id) DO UPDATE SET referral_id = excluded.referral_id RETURNING customer_id
    """)
_CLOSE = text("""
    UPDATE rewards.referrals r SET due_at = w.due_at, closed = w.closed
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS timestamptz[]), CAST(:c2 AS text[])) AS w(customer_id, due_at, closed)
    WHERE r.customer_id = w.customer_id
    """)


_OF_CUSTOMER = text("""
    SELECT customer_id, referral_id, at, cause, due_at, closed FROM (
        SELECT r.* FROM rewards.referrals r WHERE r.customer_id = :customer
        UNION
        SELECT r.* FROM rewards.referral_ids i JOIN rewards.referrals r USING (referral_id)
        WHERE i.customer_id = :customer
    ) AS r
    WHERE (at, cause) < (:at, :cause) ORDER BY at DESC, cause DESC LIMIT :limit
    """)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


async def of_customer(
    connection: AsyncConnection, customer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Any]:
    """Friends whom the customer brought, and the customer's own coming, newest first."""
    at, cause = before or (END_OF_TIME, "")
    bound = {"customer": customer_id, "at": at, "cause": cause, "limit": limit}
    return list(await connection.execute(_OF_CUSTOMER, bound))


class PostgresReferrals:
    """Implements `Referrals`."""

    async def due(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> tuple[dict[str, Member], list[tuple[Coming, Bringing | None]]]:
        """See `Referrals.due`."""
        bound = {"now": now, "limit": limit, "skip": [*skip]}
        found = [_pair(row) for row in await connection.execute(_FIND, bound)]
        if not found:
            return {}, []
        members = await lock_free(connection, {id_ for pair in found for id_ in _concerned(pair)})
        # What was found may have been decided by somebody else since.
        again = {"now": now, "customers": [coming.customer_id for coming, _ in found]}
        still = [_pair(row) for row in await connection.execute(_AGAIN, again)]
        return members, [pair for pair in still if members.keys() >= _concerned(pair)]

    async def orders(
        self, connection: AsyncConnection, customers: Collection[str], minimum: Decimal | None
    ) -> dict[str, Orders]:
        """See `Referrals.orders`."""
        rows = await connection.execute(_ORDERS, {"customers": [*customers], "minimum": minimum})
        return {customer: Orders(first, fitting, brought) for customer, first, fitting, brought in rows}

    async def wait_for_bringer(self, connection: AsyncConnection, referral_id: str) -> bool:
        """See `Referrals.wait_for_bringer`."""
        return await connection.scalar(_AWAIT, {"id": referral_id}) is None

    async def close(self, connection: AsyncConnection, closes: Collection[Close]) -> None:
        """See `Referrals.close`."""
        await update(connection, _CLOSE, [*closes])


def _pair(row: Any) -> tuple[Coming, Bringing | None]:
    bringing = Bringing(row[1], *row[6:10]) if row[6] is not None else None
    return Coming(*row[:6]), bringing


def _concerned(pair: tuple[Coming, Bringing | None]) -> set[str]:
    coming, bringing = pair
    return {coming.customer_id} if bringing is None else {coming.customer_id, bringing.customer_id}
