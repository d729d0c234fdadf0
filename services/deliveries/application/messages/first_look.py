"""The use case of the first look: a message that will not go out is known as such when it is asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.ports import Renderer
from services.deliveries.domain.messages.deciding import Rules, refused
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.messages.progress import after
from services.deliveries.domain.recipients.recipient import Recipient
from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.versions.reading import NoProgramError


class Recipients(Protocol):
    """Who is written to."""

    async def load(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Recipient]: ...


class Programs(Protocol):
    """The program in force."""

    async def current(self, connection: AsyncConnection, now: datetime) -> Program: ...


class Told(Protocol):
    """Counts what was decided, for the metrics."""

    def decided(self, message: Message) -> None: ...


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Implements `Look`. It refuses by the rules by which a claim skips, and decides nothing else: limits, hours and
    providers are for the moment of sending. Where most customers have not agreed to be written to, most messages end
    here: written once, instead of queued, claimed and written again."""

    recipients: Recipients
    programs: Programs
    renderer: Renderer
    told: Told

    async def __call__(
        self, connection: AsyncConnection, messages: Sequence[Message], now: datetime
    ) -> list[Message]:
        """See `Look`. While no program can be read nothing is refused: the queue waits for one, the stream does not."""
        due = [message for message in messages if message.due_at is not None and message.due_at <= now]
        if not due:
            return list(messages)
        try:
            rules = Rules.of(await self.programs.current(connection, now), {})
            await self.renderer.prepare(connection, due, now)
        except (NoProgramError, ProgramError):
            return list(messages)
        people = await self.recipients.load(connection, {message.customer_id for message in due})
        looked = {message.id: self._look(message, people[message.customer_id], rules, now) for message in due}
        return [looked.get(message.id, message) for message in messages]

    def _look(self, message: Message, recipient: Recipient, rules: Rules, now: datetime) -> Message:
        why = refused(message, recipient, rules, self.renderer.channels(message), now)
        if why is None:
            return message
        message = after(message, why, now)
        self.told.decided(message)
        return message
