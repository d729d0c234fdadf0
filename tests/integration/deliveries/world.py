"""Deliveries on a real database: outcomes in, the queue, and what comes of it."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.messages.messages import PostgresMessages
from services.deliveries.adapters.metrics import Measured
from services.deliveries.adapters.own_events import OutboxEvents
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.adapters.recipients.recipients import PostgresRecipients
from services.deliveries.adapters.recipients.writes import PostgresKnowing
from services.deliveries.application.consuming import OutcomeHandler
from services.deliveries.application.messages.claiming import MessageQueue
from services.deliveries.application.messages.first_look import FirstLook
from services.deliveries.application.messages.queueing import QueueMessages
from services.deliveries.application.messages.rendering import TemplateRenderer
from services.deliveries.application.ports import Claimed
from services.deliveries.application.recipients.knowing import KnowRecipients
from services.deliveries.application.recipients.tagging import TagCustomers
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.deciding import Unavailable
from services.deliveries.domain.messages.links import Links
from services.deliveries.domain.providers.answers import Receipt, Sent
from services.deliveries.wiring.sender import create_queue
from shared.bus.records import Incoming
from shared.bus.wiring import make_outbox
from shared.contracts.codec import decode, encode
from shared.contracts.customer import own_id
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.contracts.outcomes import OUTCOMES_TOPIC, Outcome, message_id
from shared.program.versions.store import put_program
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.seal import Sealer
from shared.vault.subject_keys import SubjectKeys
from tests.support.clock import ManualClock
from tests.support.streams import on_stream

PROGRAM = """
name: Mugs & more
currency: USD
time_zone: UTC
{messages}
campaigns:
  - {{id: hello, on: order.completed, do: [{{message: hello}}]}}
  - {{id: winback, on: order.completed, do: [{{message: winback}}]}}
  - {{id: solved, on: order.completed, do: [{{message: solved}}]}}
templates:
  hello: {{subject: Hello, text: Hello there, sms: Hello by SMS}}
  winback: {{subject: Come back, text: We miss you}}
  solved: {{subject: Solved, text: It is solved, sms: Solved, purpose: service}}
"""


@dataclass
class World:
    """The parts, and words for what happens. Customers go by the shop's ids."""

    engine: AsyncEngine
    admin: AsyncEngine
    settings: Settings
    clock: ManualClock
    keys: SubjectKeys = field(init=False)
    pseudonyms: Pseudonyms = field(init=False)
    handler: OutcomeHandler = field(init=False)
    queue: MessageQueue = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self.keys = SubjectKeys(self.settings.secret)
        self.pseudonyms = Pseudonyms(self.settings.secret)
        recipients = PostgresRecipients(self.keys, self.pseudonyms)
        knowing = PostgresKnowing(self.keys, recipients)
        events = OutboxEvents(make_outbox(self.settings, "deliveries"))
        programs = PostgresPrograms()
        look = FirstLook(recipients, programs, _renderer(programs), Measured())
        self.handler = OutcomeHandler(
            [
                KnowRecipients(knowing),
                QueueMessages(knowing, PostgresMessages(), look),
                TagCustomers(knowing, events),
            ]
        )
        self.queue = self.another_queue()

    def another_queue(self) -> MessageQueue:
        """The queue as another process has it."""
        programs = PostgresPrograms()
        return create_queue(self.settings, _renderer(programs), programs)

    async def program(self, messages: str = "messages: {consent: unless_withdrawn}") -> None:
        """Put a program in force, with these limits."""
        async with self.admin.begin() as connection:
            await put_program(
                connection,
                PROGRAM.format(messages=messages),
                origin="api",
                actor=None,
                now=self.clock(),
            )
        self.queue = self.another_queue()

    def subject(self, shop_id: str) -> str:
        """The pseudonym of a shop's id."""
        return self.pseudonyms.of("id", shop_id)

    def id(self, shop_id: str) -> str:
        """Our id of the customer that a shop's id is by itself; also its part."""
        return own_id(self.subject(shop_id))

    async def happen(self, *outcomes: Outcome) -> None:
        """Take outcomes as one batch of the stream."""
        records = [
            Incoming(OUTCOMES_TOPIC, 0, offset, each.customer_id, encode(each))
            for offset, each in enumerate(outcomes)
        ]
        async with self.engine.begin() as connection:
            await self.handler(connection, records, self.clock())

    async def told(
        self, shop_id: str, *, of: str | None = None, at: datetime | None = None, **more: Any
    ) -> Outcome:
        """The outcome that tells of a person: `customer` are the sealed fields. `of`: whose the part is now."""
        self._number += 1
        customer = {"id": shop_id, **more.pop("customer", {})}
        subject, event = self.subject(shop_id), blake2b(f"e{self._number}".encode(), digest_size=16).digest()
        async with self.admin.begin() as connection:
            key = (await self.keys.get_or_create(connection, [subject]))[subject]
        sealed = b64encode(Sealer(key).seal(json.encode({"customer": customer}), event)).decode()
        person = {
            "subject": subject,
            "sealed": sealed,
            "sealed_fields": [f"customer.{name}" for name in customer],
            "identifiers": {"id": subject},
            **{name: more.pop(name) for name in ("locale", "time_zone") if name in more},
            "consents": more.pop("consents", []),
            "consents_withdrawn": more.pop("withdrawn", []),
        }
        data = {
            "part": self.id(shop_id),
            "at": at or self.clock(),
            "event": event.hex(),
            "person": person,
            **more,
        }
        return self.outcome("recipient.changed", of or shop_id, data)

    async def knows(self, shop_id: str, **more: Any) -> None:
        """A person is told of, by default with an e-mail address."""
        more.setdefault("customer", {"email": f"{shop_id}@example.com"})
        await self.happen(await self.told(shop_id, **more))

    def mood(self, shop_id: str, *, angry: bool = False, unopened: int = 0) -> Outcome:
        """The outcome of a ticket or an e-mail event."""
        data = {
            "part": self.id(shop_id),
            "at": self.clock(),
            "event": "00" * 16,
            "person": None,
            "tickets_angry": angry,
            "emails_unopened": unopened,
        }
        return self.outcome("recipient.changed", shop_id, data)

    def merged(
        self, source: str, target: str, epoch: int, *, kind: str = "customer.merged", **more: Any
    ) -> Outcome:
        """The outcome that the part of a shop's id went to another customer."""
        data = {"from": self.id(source), "parts": [self.id(source)], "epoch": epoch, "person": None, **more}
        return self.outcome(kind, target, data)

    def due(
        self,
        shop_id: str,
        template: str = "hello",
        *,
        cause: str | None = None,
        of: str | None = None,
        **more: Any,
    ) -> Outcome:
        """The outcome that asks for a message; its campaign is called as its template."""
        self._number += 1
        now: datetime = more.pop("time", self.clock())
        data = {
            "campaign": template,
            "run": f"run-{self._number}",
            "part": self.id(shop_id),
            "message": template,
            "arm": "a",
            "purpose": "service" if template == "solved" else "marketing",
            "context": {"event": {}, "customer": {}, "points": 0, "tier": None, "offer": None},
            "caused_at": now,
            "expires_at": now + timedelta(days=7),
            **more,
        }
        return self.outcome("message.due", of or shop_id, data, cause or f"cause-{self._number}", now)

    def outcome(
        self, type_: str, shop_id: str, data: dict[str, Any], cause: str = "c", time: datetime | None = None
    ) -> Outcome:
        """An outcome of any type."""
        self._number += 1
        return Outcome(
            id=f"outcome-{self._number}",
            customer_id=self.id(shop_id),
            type=type_,
            time=time or self.clock(),
            cause=cause,
            program_version=1,
            data=data,
        )

    async def claim(
        self, limit: int = 100, unavailable: dict[Channel, Unavailable] | None = None
    ) -> list[Claimed]:
        """What goes out now."""
        async with self.engine.begin() as connection:
            return await self.queue.claim(connection, self.clock(), limit, unavailable)

    async def note(
        self, claimed: Sequence[Claimed], receipt: Receipt | None = None, retry_at: datetime | None = None
    ) -> list[str]:
        """The provider said the same of all; by default it took them. The ids of those that were noted."""
        said = [(each, receipt or Sent("r-1")) for each in claimed]
        async with self.engine.begin() as connection:
            kept = await self.queue.note(connection, said, self.clock(), [retry_at] * len(said))
        return [each.message.id for each in kept]

    async def send(self) -> list[tuple[str, str]]:
        """Claim and send what goes out now: template and address of each."""
        claimed = await self.claim()
        await self.note(claimed)
        return [(each.message.template, each.contact.value) for each in claimed]

    async def row(self, outcome: Outcome) -> Any:
        """The message that an outcome asked for, as it is stored."""
        statement = text("SELECT * FROM deliveries.messages WHERE id = :id")
        async with self.admin.connect() as connection:
            return (await connection.execute(statement, {"id": message_id(outcome.id)})).one()

    async def state(self, outcome: Outcome) -> tuple[str, str | None]:
        """State and reason of the message that an outcome asked for."""
        row = await self.row(outcome)
        return row.state, row.reason

    async def events(self) -> list[EventRecord]:
        """What was told to the stream of events."""
        async with self.admin.connect() as connection:
            return [decode(each.value, EventRecord) for each in await on_stream(connection, EVENTS_TOPIC)]


def _renderer(programs: PostgresPrograms) -> TemplateRenderer:
    return TemplateRenderer(programs, Links("https://shop.example", b"k" * 32))
