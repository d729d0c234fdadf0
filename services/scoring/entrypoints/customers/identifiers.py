"""The identifiers by which a customer is known: when each was seen, whose it is, and to some keys what it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.customers.profiles import Profiles, Seen
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.domain.identity.identifiers import RANK, is_shared
from services.scoring.entrypoints.customers.schemas import HIDDEN
from shared.contracts.events import whole

Values = Mapping[tuple[str, str], Any]
"""What identifiers are, by kind and pseudonym."""


class Identifier(BaseModel):
    """One identifier of a customer."""

    kind: str = Field(description="`id` (the shop's), `email`, `phone`, `card` or `anonymous_id`.")
    value: str | None = Field(
        description="As it was told last; null where it may not be seen, or was erased."
    )
    first_seen_at: datetime
    last_seen_at: datetime
    events: int = Field(description="How many events of the customer named it.")
    shared: bool = Field(description="Seen beside too many others: it belongs to nobody, and links nobody.")
    own: bool = Field(description="What happens under it alone is this customer's.")
    note: str | None = None

    @classmethod
    def of(cls, seen: Seen, customer_id: str, values: Values | None, at: datetime) -> "Identifier":
        """An identifier of this customer as it was at a moment; without `values` its own is hidden."""
        shared = is_shared(tuple(link for link in seen.links if link.place[0] <= at))
        return cls(
            kind=seen.kind,
            value=None if values is None else values.get((seen.kind, seen.pseudonym)),
            first_seen_at=seen.first_at,
            last_seen_at=seen.last_at,
            events=seen.events,
            shared=shared,
            own=not shared and seen.customer_id == customer_id,
            note=HIDDEN if values is None else None,
        )


def position_of(seen: Seen) -> tuple[int, datetime, str]:
    """Where it stands in the list: the strongest kind first, of one kind the oldest first."""
    return RANK[seen.kind], seen.first_at, seen.pseudonym


async def values_of(
    connection: AsyncConnection,
    profiles: Profiles,
    personal: PersonalData,
    customer_id: str,
    page: Sequence[Seen],
) -> Values:
    """What each identifier is, by kind and pseudonym, as the newest event that named it told it."""
    events = {
        event.key: event
        for event in await profiles.events_named(connection, customer_id, {one.last_key for one in page})
    }
    opened = await personal.of(connection, list(events.values()))
    values = {}
    for seen in page:
        event = events.get(seen.last_key)
        if event is not None:
            told = whole(event.record.data, opened.get(event.key, {})).get("customer", {})
            values[seen.kind, seen.pseudonym] = told.get(seen.kind)
    return values
