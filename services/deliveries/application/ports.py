"""What the use cases ask of the parts around them: senders, renderers, the stream of events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import Unavailable
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.providers.answers import Receipt
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from services.deliveries.domain.webhooks.payload import MessageNews
from shared.contracts.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of a message for one channel. `subject` and `html` are empty where the channel has none; `headers` are
    further ones of an e-mail (`List-Unsubscribe` …), already safe."""

    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class RenderError(Exception):
    """The words cannot be made, and trying again would not help; says why, without personal data."""


class Renderer(Protocol):
    """Makes the words of messages."""

    async def prepare(self, connection: AsyncConnection, messages: Sequence[Message], now: datetime) -> None:
        """Look up the programs of these messages, before asking about them. Raises `NoProgramError`, `ProgramError`."""

    def channels(self, message: Message) -> frozenset[Channel]:
        """The channels for which the message's template has words; empty when there is no such template any more."""

    def render(self, message: Message, recipient: Recipient, channel: Channel) -> Rendered:
        """The words. Raises `RenderError`."""


class Sender(Protocol):
    """Hands messages to providers."""

    async def send(
        self,
        channel: Channel,
        rendered: Rendered,
        contact: Contact,
        idempotency_key: str,
        since: datetime | None = None,
    ) -> Receipt:
        """Hand one message over. The same key is the same message: a provider that keeps keys sends it once.

        `since`: the message may have been handed over before (a worker was killed, an answer was lost), and came about
        then. A provider that keeps no keys is asked first whether it has it.
        """


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that was decided to go out now, and is this process's until its lease ends."""

    message: Message
    recipient: Recipient
    contact: Contact
    lease: str


class Queue(Protocol):
    """The queue as senders use it. Claims and notes are each one transaction of the caller's."""

    async def claim(
        self,
        connection: AsyncConnection,
        now: datetime,
        limit: int,
        unavailable: Mapping[Channel, Unavailable] | None = None,
    ) -> list[Claimed]:
        """Look at what is due, of at most `limit` recipients: decide for each message whether it goes out now, waits or
        is skipped. Those that go out are `sending` when the transaction commits. Two processes never claim the same."""

    async def begin(self, connection: AsyncConnection, claimed: Sequence[Claimed], now: datetime) -> set[str]:
        """Look once more, right before these are handed over, and note of those that still may go that a provider may
        have them: their ids. Of the others the lease is over, consent or the address was withdrawn, the goal reached,
        or the recipient erased."""

    async def note(
        self,
        connection: AsyncConnection,
        receipts: Sequence[tuple[Claimed, Receipt]],
        now: datetime,
        retry_at: Sequence[datetime | None] = (),
    ) -> list[Claimed]:
        """Write down what became of claimed messages, with the attempt, and tell the events of those that were
        sent. `retry_at`: for each, when to try again after `Again`; None: given up. Answers those whose lease was still
        this process's: of the others nothing is noted, because somebody else has them now."""


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """Something that happened to a message, as an event of source `regulars`: `email.sent`, `email.opened`,
    `email.clicked`, `email.unsubscribed`, `sms.sent`, `push.sent` … `id` derives from the message's, so that a repeat
    counts once. `subject` and `identifiers` are those of the contact that it went to."""

    id: str
    type: str
    time: datetime
    subject: str
    identifiers: dict[str, str]
    data: dict[str, Any] = field(default_factory=dict)


class OwnEvents(Protocol):
    """Writes events of our own to the stream `regulars.events`, through the outbox."""

    def key(self, id: str) -> str:  # noqa: A002  # CloudEvents names it so
        """The id of the activity that an event of this id becomes."""

    async def append(self, connection: AsyncConnection, events: Sequence[OwnEvent], now: datetime) -> None:
        """In the caller's transaction, as its last statement: it takes locks that order writers."""


class News(Protocol):
    """Tells endpoints of webhooks what became of messages."""

    async def tell(self, connection: AsyncConnection, news: Sequence[MessageNews], now: datetime) -> None:
        """In the caller's transaction, before events of our own are appended. The same news again is told once."""


class Taker(Protocol):
    """Takes outcomes of the types that concern it, in their order, each exactly once or harmlessly again."""

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """Those types: the others need not be read."""

    async def __call__(
        self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime
    ) -> None: ...
