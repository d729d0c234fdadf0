"""The stream's use case: outcomes become what is known of recipients, messages in the queue, and webhooks to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import Taker
from shared.bus.records import Incoming
from shared.contracts.codec import decode, type_of
from shared.contracts.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class OutcomeHandler:
    """Handles batches of the stream `regulars.outcomes`: each taker gets all of a batch that any of them wants, one
    taker after the other. Most of what the stream tells concerns nobody here unless a webhook subscribes to it."""

    takers: Sequence[Taker]

    async def __call__(self, connection: AsyncConnection, records: Sequence[Incoming], now: datetime) -> None:
        """Take the records in the caller's transaction. Raises `MalformedRecordError` for bytes that are no outcome."""
        wanted: set[str] = set()
        for taker in self.takers:
            wanted |= await taker.types(connection)
        outcomes = [
            decode(record.value, Outcome) for record in records if type_of(record.value, Outcome) in wanted
        ]
        for taker in self.takers:
            await taker(connection, outcomes, now)
