"""What activities tell of referrals, written with the rest of a batch: who brings under which id, who came by it."""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.sets import update
from services.rewards.domain.changes import Changes
from services.rewards.domain.state.referral_notes import Bringing, Coming

_BRINGING = text("""
    INSERT INTO rewards.referral_ids (referral_id, customer_id, at, cause, part)
    SELECT * FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS timestamptz[]), CAST(:c3 AS text[]),
        CAST(:c4 AS text[])) AS w(referral_id, customer_id, at, cause, part) ORDER BY referral_id COLLATE "C"
    ON CONFLICT (referral_id) DO UPDATE SET customer_id = excluded.customer_id, at = excluded.at,
        cause = excluded.cause, part = excluded.part
    WHERE referral_ids.customer_id IS NULL OR (excluded.at, excluded.cause) < (referral_ids.at, referral_ids.cause)
    """)
_WAKE = text("""
    UPDATE rewards.referrals SET due_at = :now
    WHERE referral_id = ANY(CAST(:ids AS text[])) AND due_at IS NULL AND closed IS NULL
    """)
_COMING = text("""
    INSERT INTO rewards.referrals (customer_id, referral_id, at, cause, due_at, part)
    SELECT * FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS timestamptz[]), CAST(:c3 AS text[]),
        CAST(:c4 AS timestamptz[]), CAST(:c5 AS text[])) AS w(customer_id, referral_id, at, cause, due_at, part)
    ON CONFLICT (customer_id) DO UPDATE SET referral_id = excluded.referral_id, at = excluded.at,
        cause = excluded.cause, part = excluded.part, due_at = least(referrals.due_at, excluded.due_at)
    WHERE referrals.closed IS NULL AND (excluded.at, excluded.cause) < (referrals.at, referrals.cause)
    """)
_ORDERED = text("""
    UPDATE rewards.referrals r SET due_at = least(r.due_at, w.due_at)
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS timestamptz[])) AS w(customer_id, due_at)
    WHERE r.customer_id = w.customer_id AND r.closed IS NULL
    """)
Row = TypeVar("Row", Bringing, Coming)


async def save_referrals(connection: AsyncConnection, changes: Changes) -> None:
    """Write what activities have told of referrals."""
    bringing = _earliest({}, changes.bringing)
    await update(connection, _BRINGING, bringing)
    if bringing:
        await connection.execute(_WAKE, {"now": changes.now, "ids": [row.referral_id for row in bringing]})
    await update(connection, _COMING, _earliest({}, changes.coming))
    await update(connection, _ORDERED, sorted(changes.ordered.items()))


def _earliest(known: dict[str, Row], rows: Iterable[Row]) -> list[Row]:
    """Of several rows with one key, the earliest; a statement can write a row once only."""
    for row in rows:
        before = known.get(row[0])
        if before is None or (row.at, row.cause) < (before.at, before.cause):
            known[row[0]] = row
    return [known[key] for key in sorted(known)]
