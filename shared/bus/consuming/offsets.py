"""How far a service has come, kept in its own schema so that it moves in the same transaction as the effects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.interface import FencedError
from shared.bus.log.tables import TOPIC
from shared.bus.records import Partition, columns


def offset_table(metadata: MetaData) -> Table:
    """The table `offsets`: next offset to handle, and the epoch of the consumer that may handle it."""
    return Table(
        "offsets",
        metadata,
        Column("topic", TOPIC, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("position", BigInteger, nullable=False),
        Column("epoch", BigInteger, nullable=False),
    )


def unread_table(metadata: MetaData) -> Table:
    """The table `unread`: since when records have waited in a partition without any being handled, for a process that
    starts later. A row says something as long as the partition stands at its position."""
    return Table(
        "unread",
        metadata,
        Column("topic", TOPIC, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("position", BigInteger, nullable=False),
        Column("since", DateTime(timezone=True), nullable=False),
    )


Stand = tuple[int, datetime]
"""A position, and since when nothing behind it has been handled."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to handle a partition from `position` on; it ends when somebody claims a later `epoch`."""

    position: int
    epoch: int


class Offsets:
    """The positions of one service, in `<schema>.offsets`. Rows are locked in key order, always.

    `origin` names what the offsets count in (see `Consumer.origin`): each has rows of its own, or a service that
    moves to Kafka would begin there where it stopped in PostgreSQL, and pass over as many records in silence.
    """

    def __init__(self, schema: str, origin: str = "") -> None:
        self._schema = schema
        self._prefix = f"{origin}:" if origin else ""
        table = f"{schema}.offsets"
        self._claim = text(f"""
            INSERT INTO {table} (topic, partition, position, epoch)
            SELECT topic, partition, 0, 1
            FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS w(topic, partition)
            ORDER BY topic COLLATE "C", partition
            ON CONFLICT (topic, partition) DO UPDATE SET epoch = {table.split(".")[1]}.epoch + 1
            RETURNING topic, partition, position, epoch
            """)  # noqa: S608  # the schema is the program's own
        # One round trip. The rows are locked in key order, so that members cannot deadlock, and moved only after that.
        self._move = text(f"""
            WITH locked AS (
                SELECT o.topic, o.partition, o.position, o.epoch, w.epoch AS mine, w.position AS next
                FROM {table} o
                JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:epochs AS bigint[]),
                    CAST(:positions AS bigint[])) AS w(topic, partition, epoch, position) USING (topic, partition)
                ORDER BY o.topic, o.partition FOR UPDATE OF o
            ), moved AS (
                UPDATE {table} o SET position = l.next FROM locked l
                WHERE o.topic = l.topic AND o.partition = l.partition AND l.epoch = l.mine AND l.position < l.next
            )
            SELECT topic, partition, position, epoch FROM locked
            """)  # noqa: S608
        self._positions = text(f"""
            SELECT topic, partition, position FROM {table} WHERE topic = :topic
            """)  # noqa: S608
        self._unread = text(f"""
            SELECT topic, partition, position, since FROM {schema}.unread WHERE topic = :topic
            """)  # noqa: S608
        self._note_unread = text(f"""
            INSERT INTO {schema}.unread AS u (topic, partition, position, since)
            SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]),
                CAST(:since AS timestamptz[])) AS w(topic, partition, position, since)
            ORDER BY topic COLLATE "C", partition
            ON CONFLICT (topic, partition) DO UPDATE SET position = excluded.position, since = excluded.since
            WHERE u.position <> excluded.position
            """)  # noqa: S608
        self._advance = text(f"""
            UPDATE {table} o SET position = w.position
            FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                AS w(topic, partition, position)
            WHERE o.topic = w.topic AND o.partition = w.partition
            """)  # noqa: S608

    def within(self, origin: str) -> "Offsets":
        """The same service's positions within another origin."""
        return Offsets(self._schema, origin)

    async def claim(
        self, connection: AsyncConnection, partitions: Iterable[Partition]
    ) -> dict[Partition, Claim]:
        """Take partitions over: whoever had them before can no longer write for them.

        Waits for a transaction of the former owner that is under way, and answers the position that it leaves.
        """
        topics, numbers = self._columns(partitions)
        rows = await connection.execute(self._claim, {"topics": topics, "partitions": numbers})
        return {self._partition(*place): Claim(position, epoch) for *place, position, epoch in rows}

    async def move(
        self, connection: AsyncConnection, ends: Mapping[Partition, int], epochs: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Lock partitions that were claimed with these epochs until the transaction ends, and move them on to `ends`,
        the offsets to handle next; answer where they stood. One that stood further on stays there.

        Raises `FencedError` when any of them has been claimed by somebody else since.
        """
        topics, numbers = self._columns(ends)
        bound = {
            "topics": topics,
            "partitions": numbers,
            "epochs": [epochs[each] for each in ends],
            "positions": list(ends.values()),
        }
        stood: dict[Partition, int] = {}
        lost: list[Partition] = []
        for *place, position, epoch in await connection.execute(self._move, bound):
            partition = self._partition(*place)
            if epochs[partition] == epoch:
                stood[partition] = position
            else:
                lost.append(partition)
        if len(stood) < len(ends):
            raise FencedError(f"claimed by another consumer: {lost or 'offset rows are gone'}")
        return stood

    async def advance(self, connection: AsyncConnection, positions: Mapping[Partition, int]) -> None:
        """Set the positions of partitions claimed in this transaction: these are the offsets to handle next."""
        topics, numbers = self._columns(positions)
        await connection.execute(
            self._advance,
            {"topics": topics, "partitions": numbers, "positions": list(positions.values())},
        )

    async def positions(self, connection: AsyncConnection, topic: str) -> dict[Partition, int]:
        """Where each partition of a topic stands that was ever claimed, whoever reads it now."""
        rows = await connection.execute(self._positions, {"topic": self._prefix + topic})
        return {self._partition(*place): position for *place, position in rows}

    async def unread(self, connection: AsyncConnection, topic: str) -> dict[Partition, Stand]:
        """What was noted of the partitions of a topic by `note_unread`, by whichever process."""
        rows = await connection.execute(self._unread, {"topic": self._prefix + topic})
        return {self._partition(*place): (position, since) for *place, position, since in rows}

    async def note_unread(self, connection: AsyncConnection, stands: Mapping[Partition, Stand]) -> None:
        """Note since when partitions have stood where they do; of one position the first note stays. For services with
        an `unread_table`."""
        topics, numbers = self._columns(stands)
        positions, since = zip(*stands.values(), strict=True)
        bound = {"topics": topics, "partitions": numbers, "positions": positions, "since": since}
        await connection.execute(self._note_unread, bound)

    def _columns(self, partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
        """Topics, as they stand in the table, and numbers as two columns."""
        topics, numbers = columns(partitions)
        return [self._prefix + topic for topic in topics], numbers

    def _partition(self, topic: str, number: int) -> Partition:
        return topic.removeprefix(self._prefix), number
