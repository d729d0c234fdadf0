"""A log in PostgreSQL: the bus where there is no Kafka, and the outbox and spool where there is.

Within a topic and partition the offsets are dense and are handed out under the lock of the partition's head row,
which is held until the writer commits. So offsets become visible in order, and no reader can pass a record that
commits late. What is written together lies together, in few rows (see `packs`), each under its last record's offset.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.batches import READ_BYTES_MAX
from shared.bus.log.packs import Row, packed, unpacked
from shared.bus.log.statements import statements
from shared.bus.records import Incoming, Outgoing, Partition, check, columns, partition_of


class PostgresLog:
    """The tables `<schema>.<prefix>_records` and `<schema>.<prefix>_heads`, with `partitions` to every topic.

    Writers notify `channel` with the topic when they commit. With `on_request`, they do so only where a reader has
    asked for it since (`ask_to_be_told`): transactions that notify commit one after the other throughout the server,
    each with its own wait for the disk, and wake every listener; under load readers come by themselves.
    """

    def __init__(self, schema: str, prefix: str, partitions: int, *, on_request: bool = False) -> None:
        self.partitions = partitions
        self.channel = f"{schema}.{prefix}"
        self._sql = statements(schema, prefix, on_request=on_request, bytes_max=READ_BYTES_MAX)

    def partition(self, record: Outgoing) -> Partition:
        """Where a record goes."""
        return record.topic, partition_of(record.key, self.partitions)

    async def append(self, connection: AsyncConnection, records: Sequence[Outgoing]) -> None:
        """Write records at the ends of their partitions, in the caller's transaction, in the order given.

        Locks the partitions' heads until the transaction ends: call it as late as possible. Raises `ValueError` for
        a record that no bus takes.
        """
        check(records)
        slots: dict[Partition, list[Outgoing]] = {}
        for record in records:
            slots.setdefault(self.partition(record), []).append(record)
        written = await self._write(connection, slots)
        if len(written) < len(slots):
            missing = {partition: rows for partition, rows in slots.items() if partition not in written}
            topics, numbers = columns(missing)
            await connection.execute(self._sql.begin_heads, {"topics": topics, "partitions": numbers})
            written = await self._write(connection, missing)
            assert len(written) == len(missing)

    async def _write(
        self, connection: AsyncConnection, slots: Mapping[Partition, Sequence[Outgoing]]
    ) -> set[Partition]:
        """Write to the partitions that have a head, and say which those were."""
        if not slots:
            return set()
        topics, numbers = columns(slots)
        slot_of_row: list[int] = []
        rows: list[Row] = []
        for slot, together in enumerate(slots.values(), start=1):
            rows += packed(together)
            slot_of_row += [slot] * (len(rows) - len(slot_of_row))
        result = await connection.execute(
            self._sql.append,
            {
                "topics": topics,
                "partitions": numbers,
                "counts": [len(together) for together in slots.values()],
                "slots": slot_of_row,
                "lasts": [row.last for row in rows],
                "records": [row.records for row in rows],
                "keys": [row.key for row in rows],
                "values": [row.value for row in rows],
                "channel": self.channel,
            },
        )
        return {(topic, partition) for topic, partition, _ in result}

    async def ask_to_be_told(self, connection: AsyncConnection, partitions: Collection[Partition]) -> bool:
        """Have the next writer to any of these partitions notify `channel`; only of a log `on_request`.

        False: somebody is writing to one of them at this moment. True: whoever reads once more and finds nothing will
        be told of what comes, since a writer either committed before that read, or finds the mark.
        """
        topics, numbers = columns(partitions)
        result = await connection.execute(self._sql.ask_to_be_told, {"topics": topics, "partitions": numbers})
        return bool(result.scalar_one())

    async def read(
        self, connection: AsyncConnection, positions: Mapping[Partition, int], limit: int
    ) -> list[Incoming]:
        """At most `limit` committed records from these positions on, partition after partition in the order given."""
        topics, numbers = columns(positions)
        result = await connection.execute(
            self._sql.read,
            {
                "topics": topics,
                "partitions": numbers,
                "positions": list(positions.values()),
                "limit": limit,
            },
        )
        records: list[Incoming] = []
        for topic, partition, position, *row in result:
            records += unpacked(topic, partition, Row(*row), position)
        return records[:limit]

    async def take(
        self, connection: AsyncConnection, positions: Mapping[Partition, int], limit: int
    ) -> tuple[dict[Partition, int], list[Incoming]]:
        """Lock partitions with records from these positions on (0 where none is named), until the transaction ends.

        Answers the heads of those that were free, and their records in order: about `limit`, for what was written
        together is not taken apart. A partition that another transaction let go at this very moment may be answered as
        it was before that.
        """
        topics, numbers = columns(positions)
        rows = await connection.execute(
            self._sql.take,
            {
                "topics": topics,
                "partitions": numbers,
                "positions": list(positions.values()),
                "channel": self.channel,
                "limit": limit,
            },
        )
        heads: dict[Partition, int] = {}
        records: list[Incoming] = []
        for topic, partition, head, position, *row in rows:
            heads[topic, partition] = head
            if row[0] is not None:
                records += unpacked(topic, partition, Row(*row), position)
        return heads, records

    async def heads(self, connection: AsyncConnection) -> dict[Partition, int]:
        """For every partition that was ever written to, the offset that its next record will get."""
        return {
            (topic, partition): offset
            for topic, partition, offset in await connection.execute(self._sql.heads)
        }

    async def beginnings(self, connection: AsyncConnection, topic: str) -> dict[Partition, int]:
        """For every partition of the topic that was ever written to, the offset of its oldest record; its head where
        all have been deleted."""
        rows = await connection.execute(self._sql.beginnings, {"topic": topic})
        return {(name, partition): offset for name, partition, offset in rows}

    async def delete_below(self, connection: AsyncConnection, positions: Mapping[Partition, int]) -> None:
        """Delete what lies before these positions, but for records beside one that does not."""
        topics, numbers = columns(positions)
        await connection.execute(
            self._sql.delete,
            {"topics": topics, "partitions": numbers, "positions": list(positions.values())},
        )

    async def is_empty(self, connection: AsyncConnection) -> bool:
        """Whether the log holds no record: of an outbox or a spool, whether all of it has been published."""
        return not await connection.scalar(self._sql.waiting)
