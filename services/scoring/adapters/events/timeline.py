"""The timeline: every event of every customer, as it travelled, in order."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.copying import copy
from services.scoring.application.ports import Arrival
from services.scoring.domain.event import Event
from services.scoring.domain.identity.resolution import Move
from services.scoring.domain.language.reading import decode_reading, encode_reading
from shared.contracts.codec import decode
from shared.contracts.events import EventRecord

_COLUMNS = ["customer_id", "at", "event_key", "type", "subject", "record", "reading"]

_OF = text("""
    SELECT customer_id, at, event_key, CAST(record AS text), reading FROM scoring.timeline
    WHERE customer_id = ANY(CAST(:customers AS text[])) ORDER BY customer_id, at, event_key
    """)

_MOVE = text("""
    UPDATE scoring.timeline t SET customer_id = u.target
    FROM unnest(CAST(:sources AS text[]), CAST(:subjects AS text[]), CAST(:targets AS text[]))
        AS u(source, subject, target)
    WHERE t.customer_id = u.source AND t.subject = u.subject
    """)

_READ_AGAIN = text("""
    UPDATE scoring.timeline t SET reading = u.reading
    FROM unnest(CAST(:customers AS text[]), CAST(:moments AS timestamptz[]), CAST(:keys AS bytea[]),
        CAST(:readings AS text[])) AS u(customer_id, at, event_key, reading)
    WHERE t.customer_id = u.customer_id AND t.at = u.at AND t.event_key = u.event_key
    """)


def event_of(at: datetime, key: bytes, record: str, reading: str | None) -> Event:
    """The event of a row: `at`, `event_key`, `record` as text, `reading`."""
    read = None if reading is None else decode_reading(reading)
    return Event(at, key.hex(), decode(record.encode(), EventRecord), read)


class PostgresTimeline:
    """`Timeline` on PostgreSQL."""

    async def add(self, connection: AsyncConnection, arrivals: Sequence[tuple[str, Arrival]]) -> None:
        """Store events, each with its customer."""
        rows = []
        for customer_id, arrival in arrivals:
            event = arrival.event
            record = event.record
            rows.append(
                (
                    customer_id,
                    event.at,
                    bytes.fromhex(event.key),
                    record.type,
                    record.subject,
                    arrival.record.decode(),
                    None if event.reading is None else encode_reading(event.reading),
                )
            )
        await copy(connection, "timeline", _COLUMNS, rows)

    async def of(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, list[Event]]:
        """All events of these customers, in order."""
        rows = await connection.execute(_OF, {"customers": list(customer_ids)})
        return await asyncio.to_thread(_by_customer, rows)  # decoding thousands takes a while

    async def read_again(self, connection: AsyncConnection, changed: Sequence[tuple[str, Event]]) -> None:
        """Store the new readings of events, each with its customer, who is locked."""
        bound = {
            "customers": [customer_id for customer_id, _ in changed],
            "moments": [event.at for _, event in changed],
            "keys": [bytes.fromhex(event.key) for _, event in changed],
            "readings": [None if one.reading is None else encode_reading(one.reading) for _, one in changed],
        }
        await connection.execute(_READ_AGAIN, bound)

    async def rearrange(self, connection: AsyncConnection, moves: Sequence[Move]) -> None:
        """Give the events under identifiers to the customers whose these are now."""
        bound = {
            "sources": [move.source for move in moves],
            "subjects": [move.pseudonym for move in moves],
            "targets": [move.target for move in moves],
        }
        await connection.execute(_MOVE, bound)


def _by_customer(rows: Iterable[Any]) -> dict[str, list[Event]]:
    lives: dict[str, list[Event]] = {}
    for customer_id, *row in rows:
        lives.setdefault(customer_id, []).append(event_of(*row))
    return lives
