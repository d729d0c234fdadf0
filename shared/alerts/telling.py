"""What is still to be told of alerts: that each was raised, and that it was closed, once each."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

TELL_MAX = 500
"""Alerts that one transaction tells of."""

_TAKE = text("""
    WITH untold AS (
        SELECT id, told FROM platform.alerts WHERE told = 0 OR (told = 1 AND closed_at IS NOT NULL)
        ORDER BY raised_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE platform.alerts a SET told = CASE WHEN a.closed_at IS NULL THEN 1 ELSE 2 END
    FROM untold u WHERE a.id = u.id
    RETURNING a.id, a.kind, a.customer_id, a.subject, a.rule, a.cause, a.program_version, a.raised_at, a.times,
        a.details, a.assigned_to, a.closed_at, a.tell, u.told
    """)


class Untold(NamedTuple):
    """An alert of which somebody is still to hear: that it was raised, that it was closed, or both (see `news`)."""

    id: str
    kind: str
    customer_id: str
    subject: str
    rule: str | None
    cause: str
    program_version: int | None
    raised_at: datetime
    times: int
    details: dict[str, Any]
    assigned_to: str | None
    closed_at: datetime | None
    tell: bool | None
    told: int

    @property
    def news(self) -> list[tuple[str, datetime]]:
        """What to tell, in this order, and when it happened."""
        found = [] if self.told else [("alert.raised", self.raised_at)]
        return found if self.closed_at is None else [*found, ("alert.closed", self.closed_at)]


async def take_untold(connection: AsyncConnection, limit: int = TELL_MAX) -> list[Untold]:
    """Alerts of which something is to be told, the oldest first; they count as told when the caller's transaction
    commits. Those that somebody else is busy with are passed over."""
    rows = [Untold(*row) for row in await connection.execute(_TAKE, {"limit": limit})]
    return sorted(rows, key=lambda one: (one.raised_at, one.id))
