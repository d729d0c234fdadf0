"""What people look at and ask for: messages of an endpoint, their attempts, replays, and what listeners fetch."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

REPLAY_MAX = 5_000
"""Messages put in the queue again in one call; the answer says where to go on."""

_SHOWN = """m.endpoint_id, m.event_id, v.type, v.at, v.customer_id, m.made_at, m.state, m.due_at, m.attempts, m.status,
    m.error, m.settled_at"""
_PAGE = text(f"""
    SELECT {_SHOWN} FROM deliveries.webhook_messages m JOIN deliveries.webhook_events v ON v.id = m.event_id
    WHERE m.endpoint_id = :endpoint
        AND (CAST(:states AS text[]) IS NULL OR m.state = ANY(CAST(:states AS text[])))
        AND (CAST(:type AS text) IS NULL OR v.type = CAST(:type AS text))
        AND (CAST(:since AS timestamptz) IS NULL OR m.made_at >= CAST(:since AS timestamptz))
        AND (CAST(:until AS timestamptz) IS NULL OR m.made_at < CAST(:until AS timestamptz))
        AND (CAST(:made_at AS timestamptz) IS NULL
            OR (m.made_at, m.event_id) < (CAST(:made_at AS timestamptz), CAST(:event AS text)))
    ORDER BY m.made_at DESC, m.event_id DESC LIMIT :limit
    """)  # noqa: S608  # our own words
_ONE = text(f"""
    SELECT {_SHOWN}, v.body FROM deliveries.webhook_messages m
    JOIN deliveries.webhook_events v ON v.id = m.event_id
    WHERE m.endpoint_id = :endpoint AND m.event_id = :event
    """)  # noqa: S608
_ATTEMPTS = text("""
    SELECT number, at, took_ms, status, error, excerpt FROM deliveries.webhook_attempts
    WHERE endpoint_id = :endpoint AND event_id = :event ORDER BY number
    """)
_AGAIN = text("""
    UPDATE deliveries.webhook_messages SET state = 'waiting', due_at = :now, tries = 0, settled_at = NULL
    WHERE endpoint_id = :endpoint AND event_id = :event RETURNING 1
    """)
_RANGE = text("""
    WITH chosen AS (
        SELECT m.endpoint_id, m.event_id FROM deliveries.webhook_messages m
        WHERE m.endpoint_id = :endpoint AND m.made_at >= :since AND m.made_at < :until
            AND (m.made_at, m.event_id) > (CAST(:made_at AS timestamptz), CAST(:event AS text))
            AND m.state = ANY(CAST(:states AS text[]))
        ORDER BY m.made_at, m.event_id LIMIT :limit FOR UPDATE
    )
    UPDATE deliveries.webhook_messages m SET state = 'waiting', due_at = :now, tries = 0, settled_at = NULL
    FROM chosen WHERE m.endpoint_id = chosen.endpoint_id AND m.event_id = chosen.event_id
    RETURNING m.made_at, m.event_id
    """)
_TAKE = text("""
    WITH next AS (
        SELECT m.endpoint_id, m.event_id FROM deliveries.webhook_messages m
        WHERE m.endpoint_id = :endpoint AND m.state = 'held'
        ORDER BY m.made_at, m.event_id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE deliveries.webhook_messages m SET state = 'delivered', settled_at = :now
        FROM next WHERE m.endpoint_id = next.endpoint_id AND m.event_id = next.event_id
        RETURNING m.event_id, m.made_at
    )
    SELECT v.id, v.type, v.at, v.body FROM taken JOIN deliveries.webhook_events v ON v.id = taken.event_id
    ORDER BY v.at, taken.made_at, v.id
    """)
_SEEN = text("UPDATE deliveries.webhook_endpoints SET seen_at = :now WHERE id = :endpoint")


class Shown(NamedTuple):
    """A message of an endpoint."""

    endpoint_id: str
    event_id: str
    type: str
    at: datetime
    customer_id: str | None
    made_at: datetime
    state: str
    due_at: datetime | None
    attempts: int
    status: int | None
    error: str | None
    settled_at: datetime | None


class ShownAttempt(NamedTuple):
    """One try."""

    number: int
    at: datetime
    took_ms: int
    status: int | None
    error: str | None
    excerpt: str


class Fetched(NamedTuple):
    """What a listener is given."""

    id: str
    type: str
    at: datetime
    body: bytes


class Place(NamedTuple):
    """A place in the list of an endpoint's messages."""

    made_at: datetime
    event_id: str


async def read_page(
    connection: AsyncConnection,
    endpoint: str,
    *,
    states: Sequence[str] | None,
    type_: str | None,
    since: datetime | None,
    until: datetime | None,
    before: Place | None,
    limit: int,
) -> list[Shown]:
    """An endpoint's messages, the newest first, from the one after `before` on."""
    bound = {
        "endpoint": endpoint,
        "states": None if states is None else list(states),
        "type": type_,
        "since": since,
        "until": until,
        "made_at": None if before is None else before.made_at,
        "event": None if before is None else before.event_id,
        "limit": limit,
    }
    return [Shown(*row) for row in await connection.execute(_PAGE, bound)]


async def read_message(
    connection: AsyncConnection, endpoint: str, event: str
) -> tuple[Shown, bytes, list[ShownAttempt]] | None:
    """One message with its body and attempts; None if there is none."""
    bound = {"endpoint": endpoint, "event": event}
    row = (await connection.execute(_ONE, bound)).one_or_none()
    if row is None:
        return None
    *shown, body = row
    attempts = [ShownAttempt(*each) for each in await connection.execute(_ATTEMPTS, bound)]
    return Shown(*shown), body, attempts


async def replay(connection: AsyncConnection, endpoint: str, event: str, now: datetime) -> bool:
    """Put one message in the queue again, with all its tries before it; whether there is such a message."""
    bound = {"endpoint": endpoint, "event": event, "now": now}
    return (await connection.execute(_AGAIN, bound)).first() is not None


async def replay_range(
    connection: AsyncConnection,
    endpoint: str,
    *,
    since: datetime,
    until: datetime,
    states: Sequence[str],
    after: Place | None,
    now: datetime,
) -> tuple[int, Place | None]:
    """Put messages in the queue again that were made in a time, the oldest first, at most `REPLAY_MAX`; how many that
    were, and where to go on if there may be more."""
    place = after or Place(since, "")
    bound = {
        "endpoint": endpoint,
        "since": since,
        "until": until,
        "states": list(states),
        "made_at": place.made_at,
        "event": place.event_id,
        "now": now,
        "limit": REPLAY_MAX,
    }
    done = [Place(*row) for row in await connection.execute(_RANGE, bound)]
    return len(done), (max(done) if len(done) == REPLAY_MAX else None)


async def take(connection: AsyncConnection, endpoint: str, limit: int, now: datetime) -> list[Fetched]:
    """What a listener has not fetched yet, the oldest first; it counts as delivered now."""
    await connection.execute(_SEEN, {"endpoint": endpoint, "now": now})
    rows = await connection.execute(_TAKE, {"endpoint": endpoint, "limit": limit, "now": now})
    return [Fetched(*row) for row in rows]
