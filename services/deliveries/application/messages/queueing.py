"""The use case of queueing messages: each outcome `message.due` becomes one message, once; one message per cause."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.recipients.knowing import Knowing, lock_owners
from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.messages.message import FINAL, Message, Reason, State
from shared.contracts.outcomes import MessageDue, Outcome, message_id

DUE: Final = "message.due"
WITHDRAWN: Final = "message.withdrawn"
TYPES: Final = frozenset({DUE, WITHDRAWN})

LASTS: Final = timedelta(days=7)
"""How long a message is worth sending that does not say so itself."""


class Withdrawn(Struct, frozen=True):
    """The data of `message.withdrawn`: what is still queued of a run is not sent any more."""

    campaign: str
    run: str


class Messages(Protocol):
    """Where messages are queued."""

    async def causes(
        self, connection: AsyncConnection, causes: Collection[str]
    ) -> dict[tuple[str, str], str]:
        """By customer and cause the id of the message that there is; skipped ones do not count."""

    async def add(self, connection: AsyncConnection, messages: Sequence[Message]) -> None:
        """Queue those that are not there already."""

    async def withdraw(self, connection: AsyncConnection, runs: Collection[str], now: datetime) -> None:
        """Let nothing more of these runs go out."""


class Look(Protocol):
    """The look at messages when they are taken on."""

    async def __call__(
        self, connection: AsyncConnection, messages: Sequence[Message], now: datetime
    ) -> list[Message]:
        """The messages, those in their final state that would be skipped whatever limits say. Their recipients are
        locked."""


@dataclass(frozen=True, slots=True)
class QueueMessages:
    """A `Taker`. What will not go out anyway is written down as that, and comes into no queue."""

    knowing: Knowing
    messages: Messages
    look: Look

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """See `Taker`."""
        return TYPES

    async def __call__(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """See `Taker`. Nobody is written to about history."""
        due = [outcome for outcome in outcomes if outcome.type == DUE and not outcome.historical]
        if due:
            await self._queue(connection, due, now)
        runs = {
            msgspec.convert(outcome.data, Withdrawn).run for outcome in outcomes if outcome.type == WITHDRAWN
        }
        if runs:
            await self.messages.withdraw(connection, runs, now)

    async def _queue(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        told = [msgspec.convert(outcome.data, MessageDue) for outcome in outcomes]
        parts = [
            (each.part or outcome.customer_id, outcome.customer_id)
            for each, outcome in zip(told, outcomes, strict=True)
        ]
        owners = await lock_owners(connection, self.knowing, parts)
        causes = await self.messages.causes(connection, {outcome.cause for outcome in outcomes})
        asked = [_message(*each, now) for each in zip(told, outcomes, owners, strict=True)]
        queued: dict[str, Message] = {}
        for message in await self.look(connection, asked, now):
            cause = message.customer_id, message.cause
            if causes.get(cause, message.id) != message.id:
                message = _skipped(message)  # noqa: PLW2901
            elif message.state not in FINAL:
                causes[cause] = message.id
            queued.setdefault(message.id, message)
        await self.messages.add(connection, list(queued.values()))


def _message(due: MessageDue, outcome: Outcome, owner: str, now: datetime) -> Message:
    caused_at = due.caused_at or outcome.time
    return Message(
        id=message_id(outcome.id),
        customer_id=owner,
        part=due.part or outcome.customer_id,
        campaign=due.campaign,
        run=due.run,
        template=due.message,
        arm=due.arm,
        purpose=Purpose(due.purpose),
        cause=outcome.cause,
        caused_at=caused_at,
        created_at=now,
        expires_at=due.expires_at or caused_at + LASTS,
        program_version=outcome.program_version,
        context=due.context,
        due_at=outcome.time,
    )


def _skipped(message: Message) -> Message:
    return replace(message, state=State.SKIPPED, reason=Reason.SAME_CAUSE, due_at=None)
