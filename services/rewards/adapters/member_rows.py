"""Rows of members, as they are read and locked: always in the order of their ids."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.member import Member

COLUMNS = (
    "customer_id, entries, available, pending, reserved, debt, lifetime_earned, tier, tier_since, tier_until,"
    " tier_status, tier_due, tier_noticed, tier_changes, joined_at, spend, spend_since, merged_into, merged_by,"
    " renewed_since, renewed_until, goals_until, tier_promise"
)

_LOCK = text(
    f"SELECT {COLUMNS} FROM rewards.members WHERE customer_id = ANY(CAST(:ids AS text[]))"  # noqa: S608
    " ORDER BY customer_id FOR UPDATE"
)


async def lock(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Member]:
    """The members with these ids, locked; those that do not exist are missing."""
    if not ids:
        return {}
    rows: Iterable[Any] = await connection.execute(_LOCK, {"ids": list(ids)})
    return {row[0]: Member(*row) for row in rows}


async def lock_merged(connection: AsyncConnection, found: dict[str, Member]) -> None:
    """Add those into whom some of the found were merged, locked.

    Out of order, and so it may deadlock with another worker; then both are tried again.
    """
    moved = {member.merged_into for member in found.values() if member.merged_into is not None}
    found.update(await lock(connection, moved - found.keys()))
