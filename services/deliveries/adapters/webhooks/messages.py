"""What is on its way to endpoints: put in the queue, claimed, noted, forgotten. Each set-based, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.webhooks.payload import Addressed, Event
from services.deliveries.domain.webhooks.retrying import Answer, Verdict

LEASE = timedelta(minutes=1)
"""How long a claimed message is left to the process that claimed it: longer than any try takes. A process that dies
leaves its messages to the others after that."""

_EVENTS = text("""
    INSERT INTO deliveries.webhook_events (id, type, at, customer_id, body, made_at)
    SELECT w.id, w.type, w.at, w.customer, w.body, CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[]), CAST(:moments AS timestamptz[]),
        CAST(:customers AS text[]), CAST(:bodies AS bytea[])) AS w(id, type, at, customer, body)
    ON CONFLICT DO NOTHING
    """)
# Whether an endpoint is sent to is asked here, and not of what was read some time before.
_MESSAGES = text("""
    INSERT INTO deliveries.webhook_messages (endpoint_id, event_id, made_at, state, due_at, attempts, tries)
    SELECT w.endpoint, w.event, CAST(:now AS timestamptz), CASE WHEN held THEN 'held' ELSE 'waiting' END,
        CASE WHEN NOT held THEN CAST(:now AS timestamptz) END, 0, 0
    FROM unnest(CAST(:endpoints AS text[]), CAST(:events AS text[])) AS w(endpoint, event)
    JOIN deliveries.webhook_endpoints e ON e.id = w.endpoint
    CROSS JOIN LATERAL (SELECT e.url IS NULL OR e.disabled_at IS NOT NULL) AS h(held)
    WHERE e.deleted_at IS NULL
    ON CONFLICT DO NOTHING
    """)
_CLAIM = text("""
    WITH due AS (
        SELECT found.endpoint_id, found.event_id
        FROM unnest(CAST(:endpoints AS text[]), CAST(:rooms AS int[])) AS e(id, room)
        CROSS JOIN LATERAL (
            SELECT m.endpoint_id, m.event_id FROM deliveries.webhook_messages m
            WHERE m.endpoint_id = e.id AND m.due_at <= CAST(:now AS timestamptz)
            ORDER BY m.due_at LIMIT e.room FOR UPDATE SKIP LOCKED
        ) AS found
        LIMIT :limit
    )
    UPDATE deliveries.webhook_messages m SET due_at = CAST(:lease AS timestamptz), attempts = m.attempts + 1,
        tries = m.tries + 1
    FROM due JOIN deliveries.webhook_events v ON v.id = due.event_id
    WHERE m.endpoint_id = due.endpoint_id AND m.event_id = due.event_id
    RETURNING m.endpoint_id, m.event_id, m.attempts, m.tries, v.type, v.body, v.made_at
    """)
# A try that outlived its lease is listed; the message is whoever's that has tried since.
_NOTE = text("""
    WITH w AS (
        SELECT * FROM unnest(CAST(:endpoints AS text[]), CAST(:events AS text[]), CAST(:numbers AS int[]),
            CAST(:states AS text[]), CAST(:due AS timestamptz[]), CAST(:moments AS timestamptz[]),
            CAST(:took AS int[]), CAST(:statuses AS int[]), CAST(:errors AS text[]), CAST(:excerpts AS text[]))
            AS w(endpoint, event, number, state, due_at, at, took_ms, status, error, excerpt)
    ), noted AS (
        UPDATE deliveries.webhook_messages m SET state = w.state, due_at = w.due_at, status = w.status,
            error = w.error, settled_at = CASE WHEN w.due_at IS NULL THEN CAST(:now AS timestamptz) END
        FROM w WHERE m.endpoint_id = w.endpoint AND m.event_id = w.event AND m.attempts = w.number
            AND (m.state = 'waiting' OR w.state = 'delivered')
    )
    INSERT INTO deliveries.webhook_attempts (endpoint_id, event_id, number, at, took_ms, status, error, excerpt)
    SELECT w.endpoint, w.event, w.number, w.at, w.took_ms, w.status, w.error, w.excerpt FROM w
    ON CONFLICT DO NOTHING
    """)
_FORGET = text("""
    WITH old AS (
        SELECT id FROM deliveries.webhook_events WHERE made_at < :before ORDER BY made_at LIMIT :limit
    ), gone AS (
        DELETE FROM deliveries.webhook_messages m USING old WHERE m.event_id = old.id
        RETURNING m.endpoint_id, m.event_id
    ), attempts AS (
        DELETE FROM deliveries.webhook_attempts a USING gone
        WHERE a.endpoint_id = gone.endpoint_id AND a.event_id = gone.event_id
    )
    DELETE FROM deliveries.webhook_events e USING old WHERE e.id = old.id RETURNING 1
    """)
_FORGET_DELETED = text("""
    WITH gone AS (
        DELETE FROM deliveries.webhook_messages m USING (
            SELECT m.endpoint_id, m.event_id FROM deliveries.webhook_messages m
            JOIN deliveries.webhook_endpoints e ON e.id = m.endpoint_id
            WHERE e.deleted_at IS NOT NULL LIMIT :limit
        ) AS old
        WHERE m.endpoint_id = old.endpoint_id AND m.event_id = old.event_id
        RETURNING m.endpoint_id, m.event_id
    ), attempts AS (
        DELETE FROM deliveries.webhook_attempts a USING gone
        WHERE a.endpoint_id = gone.endpoint_id AND a.event_id = gone.event_id
    )
    SELECT 1 FROM gone
    """)


class Claimed(NamedTuple):
    """A message that is this process's for `LEASE`. `attempt` numbers the try for ever, `tries` since it was put in the
    queue."""

    endpoint_id: str
    event_id: str
    attempt: int
    tries: int
    type: str
    body: bytes
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try ended, and what becomes of the message."""

    message: Claimed
    at: datetime
    took_ms: int
    answer: Answer
    verdict: Verdict


class WebhookQueue:
    """The queue of webhooks."""

    async def add(
        self,
        connection: AsyncConnection,
        events: Sequence[Event],
        addressed: Sequence[Addressed],
        now: datetime,
    ) -> None:
        """Put events in the queue of the endpoints that get them. Repeated, nothing changes."""
        columns = {
            "ids": [event.id for event in events],
            "types": [event.type for event in events],
            "moments": [event.at for event in events],
            "customers": [event.customer_id for event in events],
            "bodies": [event.body for event in events],
            "now": now,
        }
        await connection.execute(_EVENTS, columns)
        await connection.execute(
            _MESSAGES,
            {
                "endpoints": [each.endpoint_id for each in addressed],
                "events": [each.event_id for each in addressed],
                "now": now,
            },
        )

    async def claim(
        self, connection: AsyncConnection, rooms: Mapping[str, int], now: datetime, limit: int
    ) -> list[Claimed]:
        """Claim what is due, for each endpoint at most as much as it has room, in all at most `limit`. Nobody else
        claims the same within `LEASE`."""
        bound = {
            "endpoints": list(rooms),
            "rooms": list(rooms.values()),
            "now": now,
            "lease": now + LEASE,
            "limit": limit,
        }
        return [Claimed(*row) for row in await connection.execute(_CLAIM, bound)]

    async def note(self, connection: AsyncConnection, attempts: Sequence[Attempt], now: datetime) -> None:
        """Write down how tries ended, and what becomes of their messages."""
        messages = [each.message for each in attempts]
        bound = {
            "endpoints": [each.endpoint_id for each in messages],
            "events": [each.event_id for each in messages],
            "numbers": [each.attempt for each in messages],
            "states": [str(each.verdict.state) for each in attempts],
            "due": [each.verdict.due_at for each in attempts],
            "moments": [each.at for each in attempts],
            "took": [each.took_ms for each in attempts],
            "statuses": [each.answer.status for each in attempts],
            "errors": [each.answer.error for each in attempts],
            "excerpts": [each.answer.excerpt for each in attempts],
            "now": now,
        }
        await connection.execute(_NOTE, bound)

    async def forget(self, connection: AsyncConnection, before: datetime, limit: int) -> int:
        """Delete a batch of what was told before `before`, and of what deleted endpoints had; how much went. Call it
        again while that is not nothing."""
        old = await connection.execute(_FORGET, {"before": before, "limit": limit})
        deleted = await connection.execute(_FORGET_DELETED, {"limit": limit})
        return len(old.all()) + len(deleted.all())
