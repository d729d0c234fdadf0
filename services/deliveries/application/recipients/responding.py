"""What people do with messages: they open them, follow links, unsubscribe, and choose what they get.

Each is noted once, and becomes an event of our own, so that scoring counts it like anything else that customers do.
What they refuse holds here at once: it would take a moment until it has gone round through scoring.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import News, OwnEvent, OwnEvents
from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.recipients.choices import Cell, Consents, choosing, unsubscribing
from services.deliveries.domain.webhooks.payload import MessageNews
from shared.program.model.program import ConsentRule

TRACKING: Final = "tracking"
"""The consent whose withdrawal ends the counting of opens and clicks."""


class Response(StrEnum):
    """What is noted of a message, each once."""

    OPENED = "opened"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who a message went to, as far as its links must know. `subject` and `identifiers` are those of the contact (None:
    erased); `reached` the channels by which the customer can be reached; `about` is what webhooks tell of it."""

    message: str
    campaign: str
    channel: Channel
    customer_id: str
    part: str
    subject: str | None
    identifiers: Mapping[str, str]
    reached: frozenset[Channel] = frozenset()
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Consents of a part that were withdrawn here, until scoring says so itself: by the event of this key."""

    part: str
    names: tuple[str, ...]
    event: str
    at: datetime


class ResponseStore(Protocol):
    """Where messages and recipients rest."""

    async def addressee(self, connection: AsyncConnection, message: str) -> Addressee | None:
        """Who the message went to; None if there is no such message (any more)."""

    async def note(
        self, connection: AsyncConnection, message: str, response: Response, target: str, now: datetime
    ) -> bool:
        """Whether this had not been noted yet."""

    async def consents(self, connection: AsyncConnection, customer_id: str) -> Consents | None:
        """What the customer agreed to; their row is locked. None if nothing is known of them."""

    async def look(self, connection: AsyncConnection, customer_id: str) -> Consents:
        """The same without a lock, to show it."""

    async def decide(
        self,
        connection: AsyncConnection,
        customer_id: str,
        consents: Consents,
        withdrawal: Withdrawal,
        given: tuple[str, ...],
    ) -> None:
        """Keep what they decided, and remember what they withdrew."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The page of preferences: what may go by which channel, and whether opens and clicks are counted."""

    channels: tuple[Channel, ...]
    allowed: Mapping[Cell, bool] = field(default_factory=dict)
    tracking: bool = True


@dataclass(frozen=True, slots=True)
class Responding:
    """The use cases. All happen within the caller's transaction."""

    store: ResponseStore
    events: OwnEvents
    news: News

    async def opened(self, connection: AsyncConnection, message: str, now: datetime) -> bool:
        """The message was opened. Whether that counts: it does once."""
        return await self._respond(connection, message, Response.OPENED, "", now)

    async def clicked(
        self, connection: AsyncConnection, message: str, destination: str, now: datetime
    ) -> bool:
        """A link in the message was followed. Whether that counts: it does once for each destination."""
        target = blake2b(destination.encode(), digest_size=8).hexdigest()
        return await self._respond(connection, message, Response.CLICKED, target, now)

    async def unsubscribe(
        self, connection: AsyncConnection, message: str, now: datetime
    ) -> tuple[Addressee | None, bool]:
        """No more marketing by the channel that the message came by; and whether that changed anything: twice is as
        good as once. None: no such message."""
        to = await self.store.addressee(connection, message)
        consents = await self.store.consents(connection, to.customer_id) if to is not None else None
        if to is None or consents is None:
            return to, False
        names = unsubscribing(consents, to.channel)
        if names and to.subject is not None:
            name = f"{message}/unsubscribed/{now.isoformat()}"
            await self.news.tell(connection, [_news(to, "message.unsubscribed", name)], now)
        await self._decide(connection, to, consents, names, now, unsubscribed=to.channel is Channel.EMAIL)
        return to, bool(names)

    async def choice(
        self, connection: AsyncConnection, to: Addressee, rule: ConsentRule, channels: tuple[Channel, ...]
    ) -> Choice:
        """What the customer gets now, to be shown."""
        consents = await self.store.look(connection, to.customer_id)
        shown = tuple(channel for channel in channels if channel in to.reached or channel is to.channel)
        return Choice(
            channels=shown,
            allowed={cell: consents.allow(cell, rule) for cell in cells(shown)},
            tracking=TRACKING not in consents.withdrawn,
        )

    async def choose(
        self,
        connection: AsyncConnection,
        to: Addressee,
        wanted: Mapping[Cell, bool],
        *,
        tracking: bool,
        rule: ConsentRule,
        now: datetime,
    ) -> None:
        """From now on the customer gets what they want."""
        consents = await self.store.consents(connection, to.customer_id)
        if consents is not None:
            names = choosing(consents, wanted, rule)
            if tracking is (TRACKING in consents.withdrawn):
                names[TRACKING] = tracking
            await self._decide(connection, to, consents, names, now)

    async def _respond(
        self, connection: AsyncConnection, message: str, response: Response, target: str, now: datetime
    ) -> bool:
        to = await self.store.addressee(connection, message)
        if to is None or to.subject is None or to.channel is not Channel.EMAIL:
            return False
        if not await self.store.note(connection, message, response, target, now):
            return False
        name = f"{message}/{response}" + (f"/{target}" if target else "")
        await self.news.tell(connection, [_news(to, f"message.{response}", name)], now)
        await self.events.append(connection, [_event(to, name, f"email.{response}", now)], now)
        return True

    async def _decide(
        self,
        connection: AsyncConnection,
        to: Addressee,
        consents: Consents,
        names: Mapping[str, bool],
        now: datetime,
        *,
        unsubscribed: bool = False,
    ) -> None:
        """Keep what was decided and tell of it, if anything changes. Each change is an event of its own, named by its
        time: who unsubscribes, comes back and unsubscribes again by the same mail has done so twice."""
        if not names or to.subject is None:
            return
        name = f"{to.message}/{'unsubscribed' if unsubscribed else 'chosen'}/{now.isoformat()}"
        refused = tuple(sorted(each for each, given in names.items() if not given))
        given = tuple(sorted(each for each, yes in names.items() if yes))
        withdrawal = Withdrawal(to.part, refused, self.events.key(name), now)
        await self.store.decide(connection, to.customer_id, consents.changed(names), withdrawal, given)
        event = (
            _event(to, name, "email.unsubscribed", now)
            if unsubscribed
            else _event(to, name, "consent.changed", now, {"customer": {"consent": dict(names)}})
        )
        await self.events.append(connection, [event], now)


def _news(to: Addressee, type_: str, name: str) -> MessageNews:
    about = {**to.about, "message": to.message, "campaign": to.campaign, "channel": to.channel}
    return MessageNews(type_, name, to.customer_id, about)


def _event(
    to: Addressee, name: str, event_type: str, now: datetime, data: dict[str, Any] | None = None
) -> OwnEvent:
    """An event about the message, unless it tells of something else."""
    assert to.subject is not None
    told = {"message_id": to.message, "campaign": to.campaign} if data is None else data
    return OwnEvent(name, event_type, now, to.subject, dict(to.identifiers), told)


def cells(channels: tuple[Channel, ...]) -> list[Cell]:
    """Everything there is to choose for these channels."""
    return [(channel, purpose) for channel in channels for purpose in Purpose]
