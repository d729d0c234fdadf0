"""When days come round, and occasions are due, for whom: a row a customer. And birthdays, read for a moment and never
stored in plain."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.events.timeline import event_of
from services.scoring.application.ports.due import DueCustomer, Next, Root
from services.scoring.domain.due.occasions import SETTLED, Begun
from services.scoring.domain.state import decode_state

_NOTE = text("""
    INSERT INTO scoring.coming_days AS d (customer_id, next_at, told_until)
    SELECT id, CAST(:now AS timestamptz), CAST(:since AS timestamptz) FROM unnest(CAST(:ids AS text[])) AS u(id)
    ORDER BY id COLLATE "C"
    ON CONFLICT (customer_id) DO UPDATE SET next_at = least(d.next_at, excluded.next_at),
        told_until = CASE WHEN d.next_at IS NULL OR d.next_at > excluded.told_until
            THEN greatest(d.told_until, excluded.told_until) ELSE d.told_until END
    """)
_TAKE_DUE = text("""
    SELECT d.customer_id, d.told_until, c.state, d.marks FROM scoring.coming_days d
    LEFT JOIN scoring.customers c ON c.id = d.customer_id
    WHERE d.next_at <= :now AND (c.updated_at <= :quiet_since OR c.updated_at > :ahead OR c.id IS NULL)
    ORDER BY d.next_at LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    """)
_NOTE_TOLD = text("""
    UPDATE scoring.coming_days d SET next_at = u.next_at, marks = u.marks, looked_at = :now,
        told_until = greatest(d.told_until, :now)
    FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[]), CAST(:marks AS text[]))
        AS u(customer_id, next_at, marks)
    WHERE d.customer_id = u.customer_id
    """)
_LOOK_AGAIN = text("""
    UPDATE scoring.coming_days d SET next_at = least(d.next_at, :now), looked_at = :now
    FROM (
        SELECT customer_id FROM scoring.coming_days WHERE looked_at > :ahead
        ORDER BY looked_at DESC LIMIT :limit FOR UPDATE SKIP LOCKED
    ) f
    WHERE d.customer_id = f.customer_id RETURNING 1
    """)
_SINCE = text("SELECT name, since FROM scoring.occasions")
_BEGUN = text("""
    SELECT u.customer_id, u.type, u.at, t.event_key, t.subject
    FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[]), CAST(:times AS timestamptz[]))
        AS u(customer_id, type, at)
    CROSS JOIN LATERAL (
        SELECT event_key, subject FROM scoring.timeline t WHERE t.customer_id = u.customer_id AND t.at = u.at
        ORDER BY t.type = u.type DESC, t.event_key DESC LIMIT 1
    ) t
    """)
_FORGET = text("DELETE FROM scoring.coming_days WHERE customer_id = ANY(CAST(:ids AS text[]))")
_EVENTS = text("""
    SELECT t.customer_id, t.at, t.event_key, CAST(t.record AS text), t.reading
    FROM unnest(CAST(:ids AS text[]), CAST(:keys AS bytea[])) AS u(customer_id, event_key)
    JOIN scoring.timeline t ON t.customer_id = u.customer_id AND t.event_key = u.event_key
    """)


class PostgresComingDays:
    """`ComingDays` on PostgreSQL."""

    def __init__(self, personal: PersonalData | None = None) -> None:
        self._personal = personal

    async def note(
        self, connection: AsyncConnection, customer_ids: Collection[str], since: datetime, now: datetime
    ) -> None:
        """Look at these customers soon. A day that was due before is told all the same."""
        if customer_ids:
            await connection.execute(_NOTE, {"ids": list(customer_ids), "since": since, "now": now})

    async def take_due(
        self, connection: AsyncConnection, now: datetime, quiet_since: datetime, limit: int
    ) -> list[DueCustomer]:
        """Some whose time has come, locked. Whom a clock that was ahead has changed is not waited for."""
        bound = {"now": now, "quiet_since": quiet_since, "ahead": now + SETTLED, "limit": limit}
        return [
            DueCustomer(id_, told_until, None if state is None else decode_state(state), marks.split())
            for id_, told_until, state, marks in await connection.execute(_TAKE_DUE, bound)
        ]

    async def note_told(
        self, connection: AsyncConnection, following: Mapping[str, Next], now: datetime
    ) -> None:
        """What time brought to these was told until now, and what comes next."""
        bound = {
            "ids": list(following),
            "times": [one.at for one in following.values()],
            "marks": [" ".join(one.marks) for one in following.values()],
            "now": now,
        }
        await connection.execute(_NOTE_TOLD, bound)

    async def look_again(self, connection: AsyncConnection, now: datetime, limit: int) -> bool:
        """Let those be looked at whom a clock has looked at that was further ahead than clocks differ."""
        bound = {"now": now, "ahead": now + SETTLED, "limit": limit}
        return bool((await connection.execute(_LOOK_AGAIN, bound)).all())

    async def since(self, connection: AsyncConnection) -> dict[str, datetime]:
        """By its name, from when on each occasion is told."""
        return {row[0]: row[1] for row in await connection.execute(_SINCE)}

    async def begun(self, connection: AsyncConnection, roots: Collection[Root]) -> dict[Root, Begun]:
        """The events with which silences began: of that time, and, where there is one, of that type."""
        ids, types, times = map(list, zip(*roots, strict=True))
        rows = await connection.execute(_BEGUN, {"ids": ids, "types": types, "times": times})
        return {(id_, type_, at): Begun(key.hex(), subject) for id_, type_, at, key, subject in rows}

    async def forget(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """There are no such customers any more."""
        await connection.execute(_FORGET, {"ids": list(customer_ids)})

    async def birthdays(self, connection: AsyncConnection, told_by: Mapping[str, str]) -> dict[str, date]:
        """Birthdays by customer, as the events with these keys told them."""
        if self._personal is None:
            return {}
        bound = {"ids": list(told_by), "keys": [bytes.fromhex(key) for key in told_by.values()]}
        events = {row[0]: event_of(*row[1:]) for row in await connection.execute(_EVENTS, bound)}
        opened = await self._personal.of(connection, list(events.values()))
        found = {}
        for customer_id, event in events.items():
            customer = opened.get(event.key, {}).get("customer")
            told = customer.get("birthday") if isinstance(customer, dict) else None
            if isinstance(told, str):
                found[customer_id] = date.fromisoformat(told)
        return found
