"""What was written to the streams, where they lie in PostgreSQL."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.log.packs import Row, unpacked
from shared.bus.records import Incoming

_ROWS = text("""
    SELECT topic, partition, "offset", records, key, body FROM platform.log_records
    WHERE topic = :topic ORDER BY partition, "offset"
    """)


async def on_stream(connection: AsyncConnection, topic: str) -> list[Incoming]:
    """Every record of a topic, partition by partition, in order."""
    rows = await connection.execute(_ROWS, {"topic": topic})
    return [each for topic, partition, *row in rows for each in unpacked(topic, partition, Row(*row), 0)]
