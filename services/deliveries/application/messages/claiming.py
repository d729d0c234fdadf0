"""The use case of the queue: what is due is decided about, handed to senders, and what they say is noted."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import Claimed, News, OwnEvent, OwnEvents, Renderer
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import (
    Decision,
    Rules,
    Send,
    Unavailable,
    decide,
    repeat,
    take_room,
)
from services.deliveries.domain.messages.frequency import Written, counted_since
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.messages.progress import after, became, overtaken, turn
from services.deliveries.domain.providers.answers import Receipt, Refused, Sent
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from services.deliveries.domain.webhooks.payload import MessageNews, news_of
from shared.program.model.program import Program


class Recipients(Protocol):
    """Who is written to."""

    async def lock_due(self, connection: AsyncConnection, now: datetime, limit: int) -> list[str]: ...

    async def load(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Recipient]: ...

    async def contacts(self, connection: AsyncConnection, messages: Collection[str]) -> dict[str, Contact]:
        """The contacts that these messages were begun with, by their ids; none of who was erased since."""

    def pseudonym(self, contact: Contact) -> str:
        """The name under which an address is suppressed."""

    async def suppress(
        self, connection: AsyncConnection, contact: Contact, message_id: str, code: str, now: datetime
    ) -> None: ...


class Rows(Protocol):
    """The messages as they are stored."""

    async def due(
        self, connection: AsyncConnection, customers: Collection[str], now: datetime
    ) -> list[Message]:
        """What is due of these customers, locked."""

    async def written(
        self, connection: AsyncConnection, customers: Collection[str], since: datetime
    ) -> list[tuple[str, str, Written]]:
        """What went to these customers since then, or is on its way: customer, message, when and what for."""

    async def settle(
        self, connection: AsyncConnection, messages: Sequence[tuple[Message, str | None]], now: datetime
    ) -> str:
        """Store what was decided, each with the part of the contact that it goes to, None where it goes to the same as
        before; answers the lease of those that are `sending`."""

    async def begin(
        self, connection: AsyncConnection, claimed: Sequence[tuple[Claimed, str]], now: datetime
    ) -> set[str]:
        """See `Queue.begin`; each with the pseudonym of its address."""

    async def noted(
        self, connection: AsyncConnection, messages: Sequence[tuple[Message, str]], now: datetime
    ) -> set[str]:
        """Store what became of messages whose lease is still this one; answers their ids."""

    async def attempted(
        self, connection: AsyncConnection, attempts: Sequence[tuple[Claimed, Receipt]], now: datetime
    ) -> None:
        """Store the attempts."""


class Programs(Protocol):
    """The program in force."""

    async def current(self, connection: AsyncConnection, now: datetime) -> Program: ...


class Told(Protocol):
    """Counts what was decided and what became of it, for the metrics."""

    def decided(self, message: Message) -> None: ...

    def settled(self, message: Message, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class MessageQueue:
    """Implements `Queue`. Raises `ProgramError` and `NoProgramError` when claiming: then all wait for a program."""

    recipients: Recipients
    rows: Rows
    programs: Programs
    renderer: Renderer
    events: OwnEvents
    news: News
    told: Told

    async def claim(
        self,
        connection: AsyncConnection,
        now: datetime,
        limit: int,
        unavailable: Mapping[Channel, Unavailable] | None = None,
    ) -> list[Claimed]:
        """See `Queue.claim`."""
        ids = await self.recipients.lock_due(connection, now, limit)
        if not ids:
            return []
        messages = await self.rows.due(connection, ids, now)
        people = await self.recipients.load(connection, ids)
        program = await self.programs.current(connection, now)
        await self.renderer.prepare(connection, messages, now)
        rooms = dict(unavailable or {})
        rules = Rules.of(program, rooms)
        written = await self._written(connection, ids, rules, now)
        begun = [message for message in messages if message.begun_at is not None]
        decided = await self._repeat_all(connection, begun, people, (rules, rooms), now)
        for message, decision in decided:
            if isinstance(decision, Send):
                written.setdefault(message.customer_id, {})[message.id] = Written(now, message.purpose)
        for id_ in ids:
            due = [each for each in messages if each.customer_id == id_ and each.begun_at is None]
            decided += self._decide_all(people[id_], due, (rules, rooms), written.get(id_, {}), now)
        results = [(after(message, decision, now), decision) for message, decision in decided]
        lease = await self.rows.settle(
            connection, [(message, _part_of(message, decision)) for message, decision in results], now
        )
        for message, _ in results:
            self.told.decided(message)
        await self.news.tell(connection, _news(message for message, _ in results), now)
        return [
            Claimed(message, people[message.customer_id], decision.contact, lease)
            for message, decision in results
            if isinstance(decision, Send)
        ]

    async def begin(self, connection: AsyncConnection, claimed: Sequence[Claimed], now: datetime) -> set[str]:
        """See `Queue.begin`."""
        named = [(each, self.recipients.pseudonym(each.contact)) for each in claimed]
        return await self.rows.begin(connection, named, now)

    async def note(
        self,
        connection: AsyncConnection,
        receipts: Sequence[tuple[Claimed, Receipt]],
        now: datetime,
        retry_at: Sequence[datetime | None] = (),
    ) -> list[Claimed]:
        """See `Queue.note`."""
        again = [*retry_at, *([None] * (len(receipts) - len(retry_at)))]
        then = [
            became(claimed.message, receipt, at, now)
            for (claimed, receipt), at in zip(receipts, again, strict=True)
        ]
        leases = [claimed.lease for claimed, _ in receipts]
        ours = await self.rows.noted(connection, list(zip(then, leases, strict=True)), now)
        kept = [each for each in receipts if each[0].message.id in ours]
        await self.rows.attempted(connection, kept, now)
        for claimed, receipt in kept:
            if isinstance(receipt, Refused) and receipt.suppress:
                await self.recipients.suppress(
                    connection, claimed.contact, claimed.message.id, receipt.code, now
                )
        for message in then:
            if message.id in ours:
                self.told.settled(message, now)
        await self.news.tell(connection, _news(message for message in then if message.id in ours), now)
        sent = [_sent_event(claimed, now) for claimed, receipt in kept if isinstance(receipt, Sent)]
        if sent:
            await self.events.append(connection, sent, now)
        return [claimed for claimed, _ in kept]

    async def _repeat_all(
        self,
        connection: AsyncConnection,
        begun: Sequence[Message],
        people: Mapping[str, Recipient],
        limits: tuple[Rules, dict[Channel, Unavailable]],
        now: datetime,
    ) -> list[tuple[Message, Decision | None]]:
        """Decide about what a provider may have: it goes again as it was."""
        rules, rooms = limits
        contacts = await self.recipients.contacts(connection, [each.id for each in begun]) if begun else {}
        decided: list[tuple[Message, Decision | None]] = []
        for message in begun:
            decision = repeat(message, contacts.get(message.id), people[message.customer_id].zone, rules, now)
            if isinstance(decision, Send):
                take_room(rooms, decision.contact.channel)
            decided.append((message, decision))
        return decided

    def _decide_all(
        self,
        recipient: Recipient,
        due: list[Message],
        limits: tuple[Rules, dict[Channel, Unavailable]],
        written: Mapping[str, Written],
        now: datetime,
    ) -> list[tuple[Message, Decision | None]]:
        """Decide about one customer's messages, one after the other: what goes out counts for those after it."""
        rules, rooms = limits
        decided: list[tuple[Message, Decision | None]] = []
        stale = overtaken(due, now)
        going = [one for id_, one in written.items() if id_ not in {message.id for message in due}]
        for message in sorted(due, key=lambda message: turn(message, now)):
            if message.id in stale:
                decided.append((message, None))
                continue
            words = self.renderer.channels(message)
            decision = decide(message, recipient, rules, words=words, written=going, now=now)
            if isinstance(decision, Send):
                going.append(Written(now, message.purpose))
                take_room(rooms, decision.contact.channel)
            decided.append((message, decision))
        return decided

    async def _written(
        self, connection: AsyncConnection, ids: Sequence[str], rules: Rules, now: datetime
    ) -> dict[str, dict[str, Written]]:
        since = counted_since(rules.messages.at_most, now, rules.zone)
        found: dict[str, dict[str, Written]] = {}
        for customer_id, message_id, written in await self.rows.written(connection, ids, since):
            found.setdefault(customer_id, {})[message_id] = written
        return found


def _news(messages: Iterable[Message]) -> list[MessageNews]:
    return [news for message in messages if (news := news_of(message)) is not None]


def _part_of(message: Message, decision: Decision | None) -> str | None:
    return decision.contact.part if isinstance(decision, Send) and message.begun_at is None else None


def _sent_event(claimed: Claimed, now: datetime) -> OwnEvent:
    message, contact = claimed.message, claimed.contact
    return OwnEvent(
        id=f"{message.id}/sent",
        type=f"{contact.channel}.sent",
        time=now,
        subject=contact.subject,
        identifiers=contact.identifiers,
        data={"message_id": message.id, "campaign": message.campaign},
    )
