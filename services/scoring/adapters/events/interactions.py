"""Reads a customer's timeline in pages, newest first, as far as it passes a filter.

There is no index but the key (customer, time, event): a filter looks through one customer's events, newest first, and
stops when the page is full. An index on what is in the records would cost the stream more than all its readers save.
"""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.events.timeline import event_of
from services.scoring.domain.event import Event

_PAGE = text("""
    SELECT at, event_key, CAST(record AS text), reading FROM scoring.timeline
    WHERE customer_id = :id AND (at, event_key) < (:before, :key)
        AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR at < :until)
        AND (CAST(:types AS text[]) IS NULL OR type = ANY(:types))
        AND (CAST(:order_id AS text) IS NULL OR record #>> '{data,order_id}' = :order_id)
        AND (CAST(:channel AS text) IS NULL OR record #>> '{data,channel}' = :channel)
    ORDER BY at DESC, event_key DESC LIMIT :limit
    """)


class TimelineFilter(Struct, frozen=True, kw_only=True):
    """Which events are asked for; None lets all pass. `since` is included, `until` is not."""

    types: list[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    order_id: str | None = None
    channel: str | None = None


class Interactions:
    """Pages of timelines."""

    async def page(
        self,
        connection: AsyncConnection,
        customer_id: str,
        asked: TimelineFilter,
        *,
        before: tuple[datetime, str],
        limit: int,
    ) -> list[Event]:
        """Events before a place (time, key) that pass, newest first."""
        at, key = before
        bound = {
            "id": customer_id,
            "before": at,
            "key": bytes.fromhex(key),
            "since": asked.since,
            "until": asked.until,
            "types": asked.types,
            "order_id": asked.order_id,
            "channel": asked.channel,
            "limit": limit,
        }
        return [event_of(*row) for row in await connection.execute(_PAGE, bound)]
