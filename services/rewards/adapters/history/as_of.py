"""What a customer had at a moment of the past: what there is now, less what the append-only records say of since then.

Customers who were merged since count as the one that they are now. Once an account was divided (a merge undone, a part
that went to another customer), lots and orders are no longer where they were: of before that nothing is answered.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.points.books.statements import ids_of
from services.rewards.adapters.reading.reader import END_OF_TIME, offer_of
from services.rewards.domain.points.balances import Held, Holdings, Moved
from services.rewards.domain.spending.offers import Offer
from services.rewards.domain.state.accounts import Account, Kind

_SUMS = text("""
    SELECT sum(reserved)::bigint, sum(debt)::bigint, sum(lifetime_earned)::bigint, max(divided_at)
    FROM rewards.members WHERE customer_id = ANY(CAST(:ids AS text[]))
    """)
_MOVED = text("""
    SELECT kind, debit, credit, sum(points)::bigint FROM rewards.entries
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND recorded_at > :at GROUP BY 1, 2, 3
    """)
# Each lot as it is, less what came into it since. Added up rather than joined: whatever the server thinks of how many
# there are, it goes through both once. `whose` tells lots of which nothing is known but that points moved in them.
_HELD = text("""
    WITH parts AS (
        SELECT l.lot, l.remaining * (NOT l.pending)::int AS available, l.remaining * l.pending::int AS pending,
            true AS whose, l.available_at, l.expires_at, l.renewable AND m.renewed_since IS NOT NULL AS renewed
        FROM rewards.lots l JOIN rewards.members m USING (customer_id) WHERE l.customer_id = :id
        UNION ALL
        SELECT lot, points * ((debit = 'customer:available')::int - (credit = 'customer:available')::int),
            points * ((debit = 'customer:pending')::int - (credit = 'customer:pending')::int), NULL, NULL, NULL, NULL
        FROM rewards.entries
        WHERE customer_id = ANY(CAST(:ids AS text[])) AND recorded_at > :at
            AND ARRAY[debit, credit]::text[] && ARRAY['customer:available', 'customer:pending']
    ), lots AS (
        SELECT sum(available) AS available, sum(pending) AS pending, bool_or(whose) IS NULL AS gone,
            max(available_at) > :at AS waits, max(expires_at) AS ends_at, bool_or(renewed) AS renewed
        FROM parts GROUP BY lot
    )
    SELECT waits, CASE WHEN ends_at <= CAST(:horizon AS timestamptz) THEN ends_at END AS ends_at,
        sum(pending)::bigint, sum(available)::bigint, bool_or(gone) AS gone, bool_or(renewed) AS renewed
    FROM lots WHERE gone OR pending <> 0 OR available <> 0 GROUP BY 1, 2
    """)
DIVIDED = text("""
    SELECT max(divided_at) FROM rewards.members WHERE customer_id = :id OR merged_into = :id
    """)
_OFFERS = text("""
    SELECT code, customer_id, offer, rule, cause, program_version, issued_at, valid_until, uses,
        used + (
            SELECT count(*) FILTER (WHERE u.at <= :moment AND u.undone_at > :moment)
                - count(*) FILTER (WHERE u.at > :moment AND u.undone_at IS NULL)
            FROM rewards.offer_uses u WHERE u.customer_id = o.customer_id AND u.code = o.code AND u.personal
        ) AS used,
        CASE WHEN revoked_at <= :moment THEN revoked_at END AS revoked_at,
        percent, amount, free_shipping, gift, currency
    FROM rewards.offers o
    WHERE customer_id = :id AND issued_at <= :moment AND (issued_at, code) < (:at, :code)
    ORDER BY issued_at DESC, code DESC LIMIT :limit
    """)


class NotKnownError(Exception):
    """What was then cannot be told any more. The message says why, and what can be asked instead."""


async def holdings_at(
    connection: AsyncConnection, customer_id: str, moment: datetime, horizon: datetime
) -> Holdings:
    """The customer's points by all entries that were recorded up to `moment`, and when those end that do by the
    horizon. In a transaction with one snapshot.

    Raises `NotKnownError`.
    """
    ids = await ids_of(connection, customer_id)
    ((reserved, debt, lifetime, divided_at),) = await connection.execute(_SUMS, {"ids": ids})
    check_divided(divided_at, moment)
    key = {"id": customer_id, "ids": ids, "at": moment, "horizon": horizon}
    rows = (await connection.execute(_HELD, key)).all()
    if any(row.gone for row in rows):
        raise NotKnownError(_DIVIDED_SINCE)
    if any(row.renewed for row in rows):
        raise NotKnownError(
            "the customer's activity has moved on when points expire, and when they would have is not kept; ask for"
            " the balances of a day, GET /v1/customers/{customer}/statement, or for the entries, …/ledger"
        )
    held = []
    for waits, ends_at, pending, available, *_ in rows:
        waiting = pending if waits else 0
        held += [Held(True, ends_at, waiting), Held(False, ends_at, pending + available - waiting)]
    moved = await connection.execute(_MOVED, {"ids": ids, "at": moment})
    since = [
        Moved(Kind(kind), Account(debit), Account(credit), points) for kind, debit, credit, points in moved
    ]
    return Holdings(held, reserved, debt, lifetime).before(since)


async def offers_at(
    connection: AsyncConnection,
    customer_id: str,
    moment: datetime,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Offer]:
    """Offers that had been issued by `moment`, newest first, used and revoked as they were. Raises `NotKnownError`."""
    check_divided(await connection.scalar(DIVIDED, {"id": customer_id}), moment)
    at, code = before or (END_OF_TIME, "")
    key = {"id": customer_id, "moment": moment, "at": at, "code": code, "limit": limit}
    return [offer_of(row) for row in await connection.execute(_OFFERS, key)]


_DIVIDED_SINCE = (
    "the customer's account has been divided since (a merge was undone); ask for a later moment, or for the entries,"
    " GET /v1/customers/{customer}/ledger"
)


def check_divided(divided_at: datetime | None, moment: datetime) -> None:
    """Raises `NotKnownError` if the account was divided after `moment`."""
    if divided_at is not None and moment < divided_at:
        raise NotKnownError(_DIVIDED_SINCE)
