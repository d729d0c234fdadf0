"""Messages that are kept no longer, with their attempts and responses."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

BATCH: Final = 500
"""Messages in one transaction."""

# In the order of an index that there is for lists: nothing is written more for being forgotten one day. What somebody
# else is busy with is passed over. A message that can still be asked for again, by a record that comes twice, is kept
# until it would be too late for it; one that limits count, until they do not.
_FORGET = text("""
    WITH old AS (
        SELECT id FROM deliveries.messages
        WHERE created_at < :before AND due_at IS NULL AND settled_at < :before AND expires_at < :before
            AND (state <> 'sent' OR sent_at < :counted)
        ORDER BY created_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), attempts AS (
        DELETE FROM deliveries.attempts a USING old WHERE a.message_id = old.id
    ), responses AS (
        DELETE FROM deliveries.responses r USING old WHERE r.message_id = old.id
    )
    DELETE FROM deliveries.messages m USING old WHERE m.id = old.id RETURNING 1
    """)


async def forget_messages(
    connection: AsyncConnection, before: datetime, counted: datetime, limit: int = BATCH
) -> int:
    """Delete a batch of what was settled, and had expired, before `before`; of what was sent only what limits do not
    count, which count from `counted` on. How many went: call it again while that is not nothing."""
    bound = {"before": before, "counted": counted, "limit": limit}
    return len((await connection.execute(_FORGET, bound)).all())
