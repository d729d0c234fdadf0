"""Finds out whose the events of a batch are, safely beside other workers that do the same.

Batches that only add identities run beside each other: two that add the same one meet at its primary key. A batch
that changes whose an identifier is runs alone, so that what the others have read stays true until they commit.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Customers, Identities
from services.scoring.domain.event import Event
from services.scoring.domain.identity import Resolution, pseudonyms_of, resolve


class _MustBeAloneError(Exception):
    """The batch changes what others may be reading."""


class Identify:
    """The use case."""

    def __init__(self, identities: Identities, customers: Customers) -> None:
        self._identities = identities
        self._customers = customers

    async def __call__(self, connection: AsyncConnection, events: Sequence[Event]) -> Resolution:
        """Resolve the events and store new, changed identities. (Merges and moves are left to the caller.)

        Raises `MalformedRecordError` for an event without identifiers.
        """
        pseudonyms = sorted({pseudonym for event in events for _, pseudonym in pseudonyms_of(event)})
        try:
            async with connection.begin_nested():  # rolled back, it gives the lock back too
                return await self._beside_others(connection, events, pseudonyms)
        except _MustBeAloneError:
            return await self._alone(connection, events, pseudonyms)

    async def _beside_others(
        self, connection: AsyncConnection, events: Sequence[Event], pseudonyms: Sequence[str]
    ) -> Resolution:
        await self._identities.lock(connection, alone=False)
        resolution = resolve(events, await self._identities.find(connection, pseudonyms), {})
        if not resolution.only_adds:
            raise _MustBeAloneError
        if resolution.added and not await self._identities.add(connection, resolution.added):
            raise _MustBeAloneError
        return resolution

    async def _alone(
        self, connection: AsyncConnection, events: Sequence[Event], pseudonyms: Sequence[str]
    ) -> Resolution:
        await self._identities.lock(connection, alone=True)
        known = await self._identities.find(connection, pseudonyms)
        owners = {identity.customer_id for identity in known.values()}
        resolution = resolve(events, known, await self._customers.first_seen(connection, owners))
        added = not resolution.added or await self._identities.add(connection, resolution.added)
        assert added, "nobody else adds identities now"
        if resolution.changed:
            await self._identities.change(connection, resolution.changed)
        return resolution
