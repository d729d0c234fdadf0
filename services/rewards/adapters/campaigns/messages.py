"""Messages that campaigns asked for, and what became of them, written with the rest of a batch."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.campaigns.metrics import count_asked, count_noted
from services.rewards.adapters.sets import Writes
from services.rewards.domain.changes import Changes
from services.rewards.domain.state.messages import AskedMessage, Noted, earliest

# Locked in the order of their ids: a message may be of a customer that another worker has, where parts went apart.
_NOTE = text("""
    WITH w AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:messages AS text[]), CAST(:sent AS timestamptz[]), CAST(:opened AS timestamptz[]),
            CAST(:clicked AS timestamptz[]), CAST(:unsubscribed AS timestamptz[]))
            AS w(message, sent, opened, clicked, unsubscribed)
    ), known AS MATERIALIZED (
        SELECT * FROM rewards.campaign_messages
        WHERE message = ANY(CAST(:messages AS text[])) ORDER BY message FOR NO KEY UPDATE
    )
    UPDATE rewards.campaign_messages m SET sent_at = least(m.sent_at, w.sent),
        opened_at = least(m.opened_at, w.opened), clicked_at = least(m.clicked_at, w.clicked),
        unsubscribed_at = least(m.unsubscribed_at, w.unsubscribed)
    FROM w JOIN known k USING (message) WHERE m.message = w.message
    RETURNING m.campaign, k.sent_at IS NULL AND w.sent IS NOT NULL AS sent,
        k.opened_at IS NULL AND w.opened IS NOT NULL AS opened,
        k.clicked_at IS NULL AND w.clicked IS NOT NULL AS clicked,
        k.unsubscribed_at IS NULL AND w.unsubscribed IS NOT NULL AS unsubscribed
    """)
_WHAT = Noted._fields[1:]


def write_messages(writes: Writes, changes: Changes) -> None:
    """Which messages runs asked for."""
    writes.insert("campaign_messages", AskedMessage._fields, changes.messages)
    count_asked(changes.messages)


async def note_messages(connection: AsyncConnection, changes: Changes) -> None:
    """Write what activities told of messages. What is told of such that no run asked for is nobody's."""
    notes = earliest(changes.noted)
    bound: dict[str, list[Any]] = {what: [getattr(note, what) for note in notes] for what in _WHAT}
    for row in await connection.execute(_NOTE, {"messages": [note.message for note in notes], **bound}):
        count_noted(row.campaign, [what for what in _WHAT if getattr(row, what)])
