"""Dead letters: records that a service could not handle, set aside alone so that the rest goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import DecodeError, Struct
from msgspec.json import Decoder
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.interface import Producer
from shared.bus.records import Incoming, Outgoing

DETAIL_CHARACTERS_MAX = 500
REPLAY_RECORDS_MAX = 500


def dead_letter_table(metadata: MetaData) -> Table:
    """The table `dead_letters` of a service."""
    return Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("topic", String, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("key", String, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("reason", String, nullable=False),
        Column("detail", String, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("replayed_at", DateTime(timezone=True)),
    )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record set aside: where it stood, what it was, why it could not be handled (`reason` is stable), and
    when it was published once more, if it was."""

    id: int
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    reason: str
    detail: str
    at: datetime
    replayed_at: datetime | None


class DeadLetters:
    """The dead letters of one service, in `<schema>.dead_letters`."""

    def __init__(self, schema: str) -> None:
        table = f"{schema}.dead_letters"
        columns = 'id, topic, partition, "offset", key, value, reason, detail, at, replayed_at'
        self._insert = text(f"""
            INSERT INTO {table} (topic, partition, "offset", key, value, reason, detail, at)
            VALUES (:topic, :partition, :offset, :key, :value, :reason, :detail, :at)
            """)  # noqa: S608  # the schema is the program's own
        self._list = text(f"""
            SELECT {columns} FROM {table}
            WHERE id > :after AND (:replayed OR replayed_at IS NULL)
            ORDER BY id LIMIT :limit
            """)  # noqa: S608
        self._take = text(f"""
            SELECT {columns} FROM {table}
            WHERE replayed_at IS NULL AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))
            ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
            """)  # noqa: S608
        self._mark = text(f"UPDATE {table} SET replayed_at = :at WHERE id = ANY(CAST(:ids AS bigint[]))")  # noqa: S608
        self._count = text(f"SELECT count(*) FROM {table} WHERE replayed_at IS NULL")  # noqa: S608

    async def add(
        self, connection: AsyncConnection, record: Incoming, error: Exception, now: datetime
    ) -> None:
        """Set a record aside, with the error that it caused."""
        await connection.execute(
            self._insert,
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "key": storable(record.key),
                "value": record.value,
                "reason": type(error).__name__,
                "detail": detail_of(error),
                "at": now,
            },
        )

    async def list(
        self, connection: AsyncConnection, *, after: int = 0, limit: int = 100, replayed: bool = False
    ) -> list[DeadLetter]:
        """The oldest first, from the one after `after` on; those replayed already only if asked for."""
        rows = await connection.execute(self._list, {"after": after, "limit": limit, "replayed": replayed})
        return [DeadLetter(*row) for row in rows]

    async def count(self, connection: AsyncConnection) -> int:
        """How many wait."""
        return int(await connection.scalar(self._count) or 0)

    async def replay(
        self, engine: AsyncEngine, producer: Producer, now: datetime, ids: Sequence[int] | None = None
    ) -> int:
        """Publish dead letters (all that wait, or these) to their topics again, oldest first; answer how many.

        Killed in between, it may publish some twice: their identities make that harmless. A letter that fails
        again is set aside again, under a new id. Raises `BusUnavailableError`.
        """
        replayed = 0
        while True:
            async with engine.begin() as connection:
                rows = await connection.execute(
                    self._take, {"ids": None if ids is None else [*ids], "limit": REPLAY_RECORDS_MAX}
                )
                letters = [DeadLetter(*row) for row in rows]
                if not letters:
                    return replayed
                await producer.publish([Outgoing(each.topic, each.key, each.value) for each in letters])
                await connection.execute(self._mark, {"at": now, "ids": [each.id for each in letters]})
            replayed += len(letters)


class _Named(Struct):
    """What tells whose fault a record is: an event's own `id`, or the `event_id` that an activity comes from."""

    source: str
    id: str
    event_id: str = ""


_named = Decoder(_Named)


def event_in(value: bytes) -> str | None:
    """The event that a record is about, as its sender named it (`source/id`); None where the bytes do not say."""
    try:
        named = _named.decode(value)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return f"{named.source}/{named.event_id or named.id}"


def detail_of(error: Exception) -> str:
    """The first line of what an error says, without the values that a database error carries along."""
    message = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    lines = message.splitlines() or [""]
    return storable(lines[0])[:DETAIL_CHARACTERS_MAX]


def storable(words: str) -> str:
    """Text that PostgreSQL takes: without NUL and lone surrogates."""
    return words.replace("\0", "\ufffd").encode(errors="replace").decode()
