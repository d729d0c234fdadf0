"""Grants of tiers by hand, and the history of tiers, in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.member import TierGrant

_ADD = text("""
    INSERT INTO rewards.tier_grants (id, customer_id, tier, at, until, reason, actor)
    VALUES (:id, :customer, :tier, :at, :until, :reason, :actor)
    """)
_REVOKE = text("""
    UPDATE rewards.tier_grants SET revoked_at = :now, revoked_by = :actor
    WHERE id = :id AND customer_id = :customer AND revoked_at IS NULL RETURNING id
    """)
_GRANTS = text("""
    SELECT id, tier, at, until, reason, actor, revoked_at FROM rewards.tier_grants
    WHERE customer_id = :customer ORDER BY at DESC, id
    """)
_HISTORY = text("""
    SELECT number, at, old, new, reason, spend, cause, program_version, until FROM rewards.tier_history
    WHERE customer_id = :customer AND number < :before ORDER BY number DESC LIMIT :limit
    """)


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant with who gave it and why; `revoked_at` None: it stands."""

    id: str
    tier: str
    at: datetime
    until: datetime
    reason: str
    actor: str
    revoked_at: datetime | None


async def add_grant(
    connection: AsyncConnection, customer_id: str, grant: TierGrant, *, reason: str, actor: str
) -> None:
    """Store a grant."""
    row = {"id": grant.id, "customer": customer_id, "tier": grant.tier, "at": grant.at, "until": grant.until}
    await connection.execute(_ADD, row | {"reason": reason, "actor": actor})


async def revoke_grant(
    connection: AsyncConnection, customer_id: str, id_: str, *, actor: str, now: datetime
) -> bool:
    """Take a grant back; False if there is none that stands."""
    bound = {"id": id_, "customer": customer_id, "actor": actor, "now": now}
    return (await connection.execute(_REVOKE, bound)).first() is not None


async def read_grants(connection: AsyncConnection, customer_id: str) -> list[StoredGrant]:
    """All grants of a customer, the newest first."""
    return [StoredGrant(*row) for row in await connection.execute(_GRANTS, {"customer": customer_id})]


async def read_history(connection: AsyncConnection, customer_id: str, before: int, limit: int) -> list[Any]:
    """Changes of the customer's tier, the newest first, from the one before that number on."""
    bound = {"customer": customer_id, "before": before, "limit": limit}
    return list(await connection.execute(_HISTORY, bound))
