"""Messages as the API shows them. One statement each, so one moment each."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.messages.messages import COLUMNS, message_of
from services.deliveries.domain.messages.message import Message, State

END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)

_ONE = text(f"SELECT {COLUMNS}, settled_at FROM deliveries.messages WHERE id = :id")  # noqa: S608
_ATTEMPTS = text("""
    SELECT number, at, channel, result, code, detail FROM deliveries.attempts
    WHERE message_id = :id ORDER BY number
    """)
_WAITING = text("""
    SELECT state, count(*) AS messages, min(due_at) AS due_at FROM deliveries.messages
    WHERE due_at IS NOT NULL GROUP BY state
    """)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a provider was given a message, and what it said."""

    number: int
    at: datetime
    channel: str
    result: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages of a state wait, and since when the oldest of them is or will be due."""

    state: str
    messages: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: None asks for all."""

    customer: str | None = None
    campaign: str | None = None
    state: State | None = None


async def listed(
    connection: AsyncConnection, wanted: Wanted, before: tuple[datetime, str] | None, limit: int
) -> list[Message]:
    """Messages newest first, from the one after `before` on."""
    at, id_ = before or (END_OF_TIME, "")
    asked = {"customer_id": wanted.customer, "campaign": wanted.campaign, "state": wanted.state}
    conditions = " AND ".join(
        ["(created_at, id) < (:at, :id)", *(f"{name} = :{name}" for name, value in asked.items() if value)]
    )
    statement = _LISTS.setdefault(
        conditions,
        text(
            f"SELECT {COLUMNS} FROM deliveries.messages WHERE {conditions}"  # noqa: S608  # names of our own
            " ORDER BY created_at DESC, id DESC LIMIT :limit"
        ),
    )
    bound = {name: str(value) for name, value in asked.items() if value}
    rows = await connection.execute(statement, bound | {"at": at, "id": id_, "limit": limit})
    return [message_of(row) for row in rows]


_LISTS: dict[str, Any] = {}
"""The statements, one for each combination of filters."""


async def one(connection: AsyncConnection, id_: str) -> tuple[Message, datetime | None, list[Attempt]] | None:
    """A message, when it was settled, and its attempts; None if there is none of that id."""
    row = (await connection.execute(_ONE, {"id": id_})).first()
    if row is None:
        return None
    *message, settled_at = row
    attempts = [Attempt(*each) for each in await connection.execute(_ATTEMPTS, {"id": id_})]
    return message_of(message), settled_at, attempts


async def waiting(connection: AsyncConnection) -> list[Waiting]:
    """What waits, by state."""
    return [Waiting(*row) for row in await connection.execute(_WAITING, {})]
