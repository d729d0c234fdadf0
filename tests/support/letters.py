"""Messages and recipients for tests of what is written."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from shared.program.model.program import Program
from shared.program.parse import load_program
from tests.unit.program.texts import HEAD

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

MESSAGE = Message(
    id="m-1",
    customer_id="cus_ana",
    part="cus_ana",
    campaign="we-miss-you",
    run="r-1",
    template="hello",
    arm="default",
    purpose=Purpose.MARKETING,
    cause="a-1",
    caused_at=NOON,
    created_at=NOON,
    expires_at=NOON.replace(year=2027),
    program_version=1,
)


def contact(channel: Channel, value: str) -> Contact:
    """An address of Ana's."""
    return Contact(channel, value, "cus_ana", "a" * 32, {"id": "a" * 32})


ANA = Recipient(
    customer_id="cus_ana",
    contacts={
        Channel.EMAIL: contact(Channel.EMAIL, "ana@example.com"),
        Channel.SMS: contact(Channel.SMS, "+12125550100"),
        Channel.PUSH: contact(Channel.PUSH, "c-42"),
    },
    personal={"first_name": "Ana", "last_name": "Lopes"},
    locale="en-US",
    zone=ZoneInfo("America/New_York"),
)
STRANGER = Recipient(customer_id="cus_nobody", contacts={Channel.EMAIL: ANA.contacts[Channel.EMAIL]})


def message(**fields: Any) -> Message:
    """The message, with some fields of its own."""
    return replace(MESSAGE, **fields)


@cache
def program(templates: str, campaigns: str = "", *, version: int = 1) -> Program:
    """A program with these templates, each on a line of its own."""
    ways = "messages: {channels: [email, sms, push]}\n"
    return load_program(f"{HEAD}{ways}{campaigns}templates:\n{templates}", version=version)


class StoredPrograms:
    """Implements `Programs`: the last one is in force."""

    def __init__(self, *programs: Program) -> None:
        self._programs = programs

    async def current(self, _: AsyncConnection, now: datetime) -> Program:
        return self._programs[-1]

    async def version(self, _: AsyncConnection, version: int) -> Program | None:
        return next((one for one in self._programs if one.version == version), None)
