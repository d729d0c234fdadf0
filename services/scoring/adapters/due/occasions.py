"""The occasions that are told, and how far everybody has been looked at for them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.due.introduce_occasions import Passing
from shared.program.versions.reading import read_timeline

_LOCK = text("SELECT digest, after_id FROM scoring.occasion_pass WHERE id = 1 FOR UPDATE SKIP LOCKED")
_NOTE = text("UPDATE scoring.occasion_pass SET digest = :digest, after_id = :after_id WHERE id = 1")
_REMOVE = text("DELETE FROM scoring.occasions WHERE name <> ALL(CAST(:names AS text[]))")
_ADD = text("""
    INSERT INTO scoring.occasions (name, since)
    SELECT name, CAST(:since AS timestamptz) FROM unnest(CAST(:names AS text[])) AS u(name)
    ON CONFLICT (name) DO NOTHING
    """)
_FOLLOWING = text("SELECT id FROM scoring.customers WHERE id > :after ORDER BY id LIMIT :limit")


class PostgresOccasions:
    """`Occasions` on PostgreSQL."""

    async def lock(self, connection: AsyncConnection) -> Passing | None:
        """The pass, locked; None when somebody else is at it."""
        row = (await connection.execute(_LOCK)).one_or_none()
        return None if row is None else Passing(*row)

    async def in_force_since(self, connection: AsyncConnection, now: datetime) -> datetime:
        """Since when the program in force is; now, if that is not known."""
        activation = (await read_timeline(connection)).in_force(now)
        return now if activation is None else activation.starts_at

    async def introduce(self, connection: AsyncConnection, names: Collection[str], since: datetime) -> None:
        """These are all there are; those that are new are told from that moment on."""
        await connection.execute(_REMOVE, {"names": list(names)})
        await connection.execute(_ADD, {"names": list(names), "since": since})

    async def note(self, connection: AsyncConnection, passing: Passing) -> None:
        """How far the pass has come."""
        await connection.execute(_NOTE, {"digest": passing.digest, "after_id": passing.after_id})

    async def following(self, connection: AsyncConnection, after_id: str, limit: int) -> list[str]:
        """The next customers, in the order of their ids."""
        return [row[0] for row in await connection.execute(_FOLLOWING, {"after": after_id, "limit": limit})]
