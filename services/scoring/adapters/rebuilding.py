"""How far rebuilds have come."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.rebuilding.rebuild import Rebuilding

_COLUMNS = "id, cursor, customers, changed, finished_at"

# One at a time is under way: the index refuses a second.
_BEGIN = text("""
    INSERT INTO scoring.rebuilds (program, begun_at, cursor, customers, changed)
    VALUES (:program, :now, '', 0, 0) ON CONFLICT DO NOTHING
    """)

_GIVE_UP = text("""
    UPDATE scoring.rebuilds SET finished_at = :now WHERE finished_at IS NULL AND program <> :program
    """)

_UNDER_WAY = text(f"SELECT {_COLUMNS} FROM scoring.rebuilds WHERE finished_at IS NULL")  # noqa: S608  # our own

_LOCK = text(f"SELECT {_COLUMNS} FROM scoring.rebuilds WHERE id = :id FOR UPDATE")  # noqa: S608  # our own

_NOTE = text("""
    UPDATE scoring.rebuilds
    SET cursor = :cursor, customers = :customers, changed = :changed, finished_at = :finished_at
    WHERE id = :id
    """)

_BEGIN_WITH = text("""
    INSERT INTO scoring.rebuilds (program, begun_at, cursor, customers, changed, finished_at)
    SELECT :program, :now, '', 0, 0, :now
    WHERE NOT EXISTS (SELECT FROM scoring.rebuilds) AND NOT EXISTS (SELECT FROM scoring.customers)
    """)

# The latest is never one that was given up: that happens only when a newer one begins.
_FOLDED_WITH = text("""
    SELECT CASE WHEN finished_at IS NOT NULL THEN program END FROM scoring.rebuilds ORDER BY id DESC LIMIT 1
    """)

_LOOK_AT_ALL = text("UPDATE scoring.segment_pass SET cause = ''")


class PostgresRebuilds:
    """`Rebuilds` on PostgreSQL."""

    async def begin(self, connection: AsyncConnection, program: str, now: datetime) -> Rebuilding:
        """The rebuild under way with this program, or a new one; one with another program is given up."""
        bound = {"program": program, "now": now}
        await connection.execute(_GIVE_UP, bound)
        await connection.execute(_BEGIN, bound)
        return Rebuilding(*(await connection.execute(_UNDER_WAY, {})).one())

    async def folded_with(self, connection: AsyncConnection, program: str, now: datetime) -> str | None:
        """The digest of the latest rebuild, if that is finished. Where nobody is known yet, it is `program` from now
        on."""
        latest = (await connection.execute(_FOLDED_WITH, {})).first()
        if latest is None:
            await connection.execute(_BEGIN_WITH, {"program": program, "now": now})
            latest = (await connection.execute(_FOLDED_WITH, {})).first()
        return None if latest is None else latest[0]

    async def lock(self, connection: AsyncConnection, rebuild_id: int) -> Rebuilding:
        """How far it has come, locked: one step at a time."""
        return Rebuilding(*(await connection.execute(_LOCK, {"id": rebuild_id})).one())

    async def note(self, connection: AsyncConnection, rebuilding: Rebuilding) -> None:
        """How far it has come now."""
        bound = {
            name: getattr(rebuilding, name)
            for name in ("id", "cursor", "customers", "changed", "finished_at")
        }
        await connection.execute(_NOTE, bound)
        if rebuilding.finished_at is not None:
            # What settings make of an unchanged state (a score, a segment) is looked at by the pass over all customers.
            await connection.execute(_LOOK_AT_ALL, {})
