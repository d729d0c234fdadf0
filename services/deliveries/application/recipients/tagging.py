"""The use case of tags that campaigns give: each becomes an event of our own, which the customer's profile counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import OwnEvent, OwnEvents
from shared.contracts.outcomes import Outcome

DUE: Final = "tag.due"


class NamelessError(Exception):
    """Nothing is known of a customer by which an event could name them, as before their first news since deliveries is
    there. The outcome is set aside among the dead letters, and can be replayed once something is known."""


class TagDue(Struct, frozen=True):
    """The data of `tag.due`."""

    campaign: str
    tag: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """By which identifier (kind to pseudonym, that of `subject`) the events of a part go."""

    part: str
    customer_id: str
    subject: str
    identifiers: dict[str, str]


class Names(Protocol):
    """Where that is known."""

    async def named(
        self, connection: AsyncConnection, parts: Sequence[str], customers: Sequence[str]
    ) -> list[Named]:
        """These parts, and all of these customers."""


@dataclass(frozen=True, slots=True)
class TagCustomers:
    """A `Taker`, and the last one: what it appends to the stream takes locks that order writers. Raises
    `NamelessError`."""

    names: Names
    events: OwnEvents

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """See `Taker`."""
        return frozenset({DUE})

    async def __call__(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """See `Taker`. The event's id is the outcome's, so that a repeat counts once."""
        due = [outcome for outcome in outcomes if outcome.type == DUE]
        if not due:
            return
        told = [msgspec.convert(outcome.data, TagDue) for outcome in due]
        parts = [each.part or outcome.customer_id for each, outcome in zip(told, due, strict=True)]
        known = await self.names.named(connection, parts, [outcome.customer_id for outcome in due])
        by_part = {each.part: each for each in known}
        by_customer = {each.customer_id: each for each in sorted(known, key=lambda each: each.part)}
        events = []
        for each, part, outcome in zip(told, parts, due, strict=True):
            name = by_part.get(part) or by_customer.get(outcome.customer_id)
            if name is None:
                raise NamelessError(f"the tag of campaign {each.campaign} for customer {outcome.customer_id}")
            events.append(_event(each, outcome, name))
        if events:
            await self.events.append(connection, events, now)


def _event(due: TagDue, outcome: Outcome, name: Named) -> OwnEvent:
    return OwnEvent(
        id=outcome.id,
        type="customer.tagged",
        time=outcome.time,
        subject=name.subject,
        identifiers=name.identifiers,
        data={"tag": due.tag, "by": due.campaign},
    )
