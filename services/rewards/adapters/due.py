"""What is due, found by index. Members are locked in id order; whoever is locked by another worker is passed over."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.member_rows import COLUMNS
from services.rewards.domain.state.member import Member
from shared.program.model.tiers import Tiers

_POINTS = text("""
    SELECT DISTINCT customer_id FROM (
        (SELECT customer_id FROM rewards.lots WHERE pending AND remaining > 0 AND available_at <= :now
            AND NOT customer_id = ANY(CAST(:skip AS text[]))
         ORDER BY available_at LIMIT :limit)
        UNION ALL
        (SELECT customer_id FROM rewards.lots WHERE remaining > 0 AND noticed AND expires_at <= :now
            AND NOT customer_id = ANY(CAST(:skip AS text[]))
         ORDER BY expires_at LIMIT :limit)
        UNION ALL
        (SELECT customer_id FROM rewards.lots WHERE remaining > 0 AND NOT noticed AND expires_at <= :now
            AND NOT customer_id = ANY(CAST(:skip AS text[]))
         ORDER BY expires_at LIMIT :limit)
    ) due LIMIT :limit
    """)
_NOTICES = text("""
    SELECT DISTINCT customer_id FROM (
        SELECT customer_id FROM rewards.lots
        WHERE remaining > 0 AND NOT noticed AND expires_at > :now AND expires_at <= :horizon
            AND NOT customer_id = ANY(CAST(:skip AS text[]))
        ORDER BY expires_at LIMIT :limit
    ) due
    """)
# Whose tier is due; then, to fill up, who has a tier that promises other offers than when it was noted what is due, and
# who had a benefit by another period than the program says, or by one that is not known. An index finds ranges, but not
# `<>`; each with a limit and the index's order, lest all of it be read to join them.
_TIERS = text("""
    SELECT customer_id FROM (
        (SELECT customer_id FROM rewards.members
         WHERE tier_due <= :now AND NOT customer_id = ANY(CAST(:skip AS text[]))
         ORDER BY tier_due LIMIT :limit)
        UNION ALL
        SELECT m.customer_id
        FROM unnest(CAST(:levels AS text[]), CAST(:promises AS text[])) AS w(tier, promise)
        CROSS JOIN LATERAL (
            (SELECT customer_id FROM rewards.members
             WHERE tier = w.tier AND tier_promise < w.promise AND NOT customer_id = ANY(CAST(:skip AS text[]))
             ORDER BY tier, tier_promise LIMIT :limit)
            UNION ALL
            (SELECT customer_id FROM rewards.members
             WHERE tier = w.tier AND tier_promise > w.promise AND NOT customer_id = ANY(CAST(:skip AS text[]))
             ORDER BY tier, tier_promise LIMIT :limit)
        ) m
        UNION ALL
        SELECT b.customer_id
        FROM unnest(CAST(:tiers AS text[]), CAST(:offers AS text[]), CAST(:every AS text[])) AS w(tier, offer, every)
        CROSS JOIN LATERAL (
            (SELECT customer_id FROM rewards.tier_benefits
             WHERE tier = w.tier AND offer = w.offer AND every < w.every
                AND NOT customer_id = ANY(CAST(:skip AS text[]))
             ORDER BY tier, offer, every LIMIT :limit)
            UNION ALL
            (SELECT customer_id FROM rewards.tier_benefits
             WHERE tier = w.tier AND offer = w.offer AND every > w.every
                AND NOT customer_id = ANY(CAST(:skip AS text[]))
             ORDER BY tier, offer, every LIMIT :limit)
            UNION ALL
            (SELECT customer_id FROM rewards.tier_benefits
             WHERE tier = w.tier AND offer = w.offer AND every IS NULL
                AND NOT customer_id = ANY(CAST(:skip AS text[]))
             ORDER BY tier, offer, every LIMIT :limit)
        ) b
    ) due LIMIT :limit
    """)
_RESERVATIONS = text("""
    SELECT id, customer_id FROM rewards.redemptions WHERE status = 'reserved' AND expires_at <= :now
        AND NOT customer_id = ANY(CAST(:skip AS text[]))
    ORDER BY expires_at LIMIT :limit
    """)
_LOCK = text(
    f"SELECT {COLUMNS} FROM rewards.members WHERE customer_id = ANY(CAST(:ids AS text[]))"  # noqa: S608
    " ORDER BY customer_id FOR UPDATE SKIP LOCKED"
)


class PostgresDue:
    """Implements `Due`."""

    async def points(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """See `Due.points`."""
        return await lock_free(
            connection, {row[0] for row in await _find(connection, _POINTS, now, limit, skip)}
        )

    async def notices(
        self,
        connection: AsyncConnection,
        period: tuple[datetime, datetime],
        limit: int,
        skip: Collection[str],
    ) -> dict[str, Member]:
        """See `Due.notices`."""
        bound = {"now": period[0], "horizon": period[1], "limit": limit, "skip": [*skip]}
        return await lock_free(connection, {row[0] for row in await connection.execute(_NOTICES, bound)})

    async def tiers(
        self, connection: AsyncConnection, tiers: Tiers, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """See `Due.tiers`."""
        said = [(level.id, offer, str(every)) for level in tiers.levels for offer, every in level.recurring]
        names, offers, every = zip(*said, strict=True) if said else ((), (), ())
        recurring = {"tiers": [*names], "offers": [*offers], "every": [*every]}
        recurring["levels"] = [level.id for level in tiers.levels if level.recurring]
        recurring["promises"] = [level.promise for level in tiers.levels if level.recurring]
        found = await _find(connection, _TIERS, now, limit, skip, **recurring)
        return await lock_free(connection, {row[0] for row in found})

    async def reservations(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> tuple[dict[str, Member], set[str]]:
        """See `Due.reservations`."""
        rows = await _find(connection, _RESERVATIONS, now, limit, skip)
        members = await lock_free(connection, {row[1] for row in rows})
        return members, {row[0] for row in rows if row[1] in members}


async def _find(
    connection: AsyncConnection,
    statement: TextClause,
    now: datetime,
    limit: int,
    skip: Collection[str],
    **more: list[str],
) -> list[Any]:
    bound: dict[str, Any] = {"now": now, "limit": limit, "skip": [*skip]}
    return list(await connection.execute(statement, bound | more))


async def lock_free(connection: AsyncConnection, ids: set[str]) -> dict[str, Member]:
    """Those of these members whom nobody else is busy with, locked in id order."""
    if not ids:
        return {}
    rows = await connection.execute(_LOCK, {"ids": list(ids)})
    return {row[0]: Member(*row) for row in rows}
