"""Our own events on the stream `regulars.events`: what happens to messages counts like anything that customers do."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import OwnEvent
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC, OWN_SOURCE, EventRecord, event_key


class OutboxEvents:
    """Implements `OwnEvents`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def key(self, id: str) -> str:  # noqa: A002  # CloudEvents names it so
        """See `OwnEvents.key`."""
        return event_key(OWN_SOURCE, id).hex()

    async def append(self, connection: AsyncConnection, events: Sequence[OwnEvent], now: datetime) -> None:
        """See `OwnEvents.append`."""
        await self._outbox.append(
            connection,
            [Outgoing(EVENTS_TOPIC, event.subject, encode(record_of(event, now))) for event in events],
        )


def record_of(event: OwnEvent, now: datetime) -> EventRecord:
    """The record that travels."""
    return EventRecord(
        id=event.id,
        source=OWN_SOURCE,
        type=event.type,
        time=event.time,
        received=now,
        subject=event.subject,
        identifiers=event.identifiers,
        data=event.data,
    )
