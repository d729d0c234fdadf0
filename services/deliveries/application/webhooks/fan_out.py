"""Outcomes become messages to the endpoints that want them, in the transaction that takes them."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.webhooks.endpoint import Endpoint, Subscriptions
from services.deliveries.domain.webhooks.payload import (
    CALL,
    Addressed,
    Event,
    MessageNews,
    called_of,
    event_of,
    event_of_message,
)
from shared.contracts.outcomes import Outcome

log = structlog.get_logger()

FRESH_S = 1.0
"""So soon after it was made, changed or deleted, an endpoint counts as such."""


class Endpoints(Protocol):
    """Where endpoints are kept."""

    async def all(self, connection: AsyncConnection) -> list[Endpoint]:
        """Every endpoint that was not deleted."""


class Messages(Protocol):
    """The queue of webhooks."""

    async def add(
        self,
        connection: AsyncConnection,
        events: Sequence[Event],
        addressed: Sequence[Addressed],
        now: datetime,
    ) -> None:
        """Put events in the queue of the endpoints that get them. Repeated, nothing changes."""


class FanOut:
    """Takes outcomes (see `Taker`). What nobody subscribes to need not be read for it."""

    def __init__(self, endpoints: Endpoints, messages: Messages) -> None:
        self._endpoints = endpoints
        self._messages = messages
        self._subscriptions = Subscriptions(())
        self._looked_at = float("-inf")

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """See `Taker`: what endpoints subscribe to, and what campaigns call them with."""
        await self._look(connection)
        return self._subscriptions.types | {CALL}

    async def __call__(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Put what the outcomes tell in the queues of those who want it."""
        await self._look(connection)
        events: dict[str, Event] = {}
        addressed: list[Addressed] = []
        for outcome in outcomes:
            for event, endpoint_id in self._telling(outcome):
                events[event.id] = event
                addressed.append(Addressed(endpoint_id, event.id))
        if events:
            await self._messages.add(connection, list(events.values()), addressed, now)

    async def tell(self, connection: AsyncConnection, news: Sequence[MessageNews], now: datetime) -> None:
        """Implements `News`."""
        if not news:
            return
        await self._look(connection)
        events = [event_of_message(each, now) for each in news if self._subscriptions.wanting(each.type)]
        addressed = [
            Addressed(endpoint.id, event.id)
            for event in events
            for endpoint in self._subscriptions.wanting(event.type)
        ]
        if events:
            await self._messages.add(connection, events, addressed, now)

    async def _look(self, connection: AsyncConnection) -> None:
        moment = time.monotonic()
        if moment - self._looked_at >= FRESH_S:
            self._subscriptions = Subscriptions(await self._endpoints.all(connection))
            self._looked_at = moment

    def _telling(self, outcome: Outcome) -> list[tuple[Event, str]]:
        """What is told of an outcome, and to whom."""
        if (call := called_of(outcome)) is not None:
            name, event = call
            called = self._subscriptions.named(name)
            if called is None:
                log.warning("webhook_of_campaign_unknown", name=name, campaign=outcome.data.get("campaign"))
            # Who listens while developing sees what campaigns would tell endpoints, too.
            listening = [each for each in self._subscriptions.wanting(event.type) if each.url is None]
            heard = [*listening, *([called] if called is not None and called not in listening else [])]
            return [(event, endpoint.id) for endpoint in heard]
        wanting = self._subscriptions.wanting(outcome.type)
        told = event_of(outcome) if wanting else None
        return [] if told is None else [(told, endpoint.id) for endpoint in wanting]
