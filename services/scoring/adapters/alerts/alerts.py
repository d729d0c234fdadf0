"""Alerts as people work on them: listed, taken on, closed. `shared.alerts` raises them, and says where they lie."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.alerts.closing import Alert

State = Literal["open", "closed", "all"]
"""Which alerts a list shows."""

_COLUMNS = ", ".join(Alert.__struct_fields__)
_STATES = {"open": "closed_at IS NULL", "closed": "closed_at IS NOT NULL", "all": "true"}
_PAGES = {
    state: text(f"""
        SELECT {_COLUMNS} FROM platform.alerts
        WHERE {condition} AND (raised_at, id) < (:at, :id)
            AND (CAST(:kind AS text) IS NULL OR kind = :kind)
            AND (CAST(:customer AS text) IS NULL OR customer_id = :customer)
            AND (CAST(:assigned_to AS text) IS NULL OR assigned_to = :assigned_to)
        ORDER BY raised_at DESC, id DESC LIMIT :limit
        """)  # noqa: S608  # our own words
    for state, condition in _STATES.items()
}
_GET = text(f"SELECT {_COLUMNS} FROM platform.alerts WHERE id = :id")  # noqa: S608
_LOCK = text(f"SELECT {_COLUMNS} FROM platform.alerts WHERE id = :id FOR UPDATE")  # noqa: S608
_ASSIGN = text("""
    UPDATE platform.alerts SET assigned_to = :to, assigned_at = :at, assigned_by = :actor WHERE id = :id
    """)
_CLOSE = text("""
    UPDATE platform.alerts SET closed_at = :at, closed_by = :actor, note = :note, note_subject = :subject,
        tell = CAST(:tell AS boolean)
    WHERE id = :id
    """)


class PostgresAlerts:
    """`Alerts` on PostgreSQL, and what the API reads."""

    async def page(
        self,
        connection: AsyncConnection,
        state: State,
        *,
        kind: str | None,
        customer: str | None,
        assigned_to: str | None,
        before: tuple[datetime, str],
        limit: int,
    ) -> list[Alert]:
        """Alerts before a place, newest first."""
        bound = {
            "kind": kind,
            "customer": customer,
            "assigned_to": assigned_to,
            "at": before[0],
            "id": before[1],
            "limit": limit,
        }
        return [_alert(row) for row in await connection.execute(_PAGES[state], bound)]

    async def get(self, connection: AsyncConnection, id_: str, *, lock: bool = False) -> Alert | None:
        """See `Alerts.get`."""
        row = (await connection.execute(_LOCK if lock else _GET, {"id": id_})).first()
        return None if row is None else _alert(row)

    async def assign(
        self, connection: AsyncConnection, id_: str, to: str | None, actor: str, now: datetime
    ) -> None:
        """See `Alerts.assign`."""
        at, by = (None, None) if to is None else (now, actor)
        await connection.execute(_ASSIGN, {"id": id_, "to": to, "at": at, "actor": by})

    async def close(
        self,
        connection: AsyncConnection,
        id_: str,
        *,
        note: bytes,
        subject: str,
        tell: bool,
        actor: str,
        now: datetime,
    ) -> None:
        """See `Alerts.close`."""
        bound = {"id": id_, "note": note, "subject": subject, "tell": tell, "actor": actor, "at": now}
        await connection.execute(_CLOSE, bound)


def _alert(row: Any) -> Alert:
    return Alert(**dict(zip(Alert.__struct_fields__, row, strict=True)))
