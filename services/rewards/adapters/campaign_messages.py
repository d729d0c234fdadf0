"""Messages that campaigns asked for, and what became of them, written with the rest of a batch."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.sets import copy, update
from services.rewards.domain.campaigns.messages import AskedMessage, earliest
from services.rewards.domain.changes import Changes

# Locked in the order of their ids: a message may be of a customer that another worker has, where parts went apart.
_NOTE = text("""
    WITH w AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS timestamptz[]), CAST(:c2 AS timestamptz[]),
            CAST(:c3 AS timestamptz[]), CAST(:c4 AS timestamptz[])) AS w(message, sent, opened, clicked, unsubscribed)
    ), locked AS MATERIALIZED (
        SELECT m.message FROM rewards.campaign_messages m
        WHERE m.message = ANY(CAST(:c0 AS text[])) ORDER BY m.message FOR NO KEY UPDATE
    )
    UPDATE rewards.campaign_messages m SET sent_at = least(m.sent_at, w.sent),
        opened_at = least(m.opened_at, w.opened), clicked_at = least(m.clicked_at, w.clicked),
        unsubscribed_at = least(m.unsubscribed_at, w.unsubscribed)
    FROM w JOIN locked USING (message) WHERE m.message = w.message
    """)


async def save_messages(connection: AsyncConnection, changes: Changes) -> None:
    """Write which messages runs asked for, and what activities told of such. What is told of messages that no run
    asked for is nobody's."""
    await copy(connection, "campaign_messages", AskedMessage._fields, changes.messages)
    await update(connection, _NOTE, earliest(changes.noted))
