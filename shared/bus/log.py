"""A log in PostgreSQL: the bus where there is no Kafka, and the outbox and spool where there is.

Within a topic and partition the offsets are dense and are handed out under the lock of the partition's head row,
which is held until the writer commits. So offsets become visible in order, and no reader can pass a record that
commits late. What is written together lies together, in few rows (see `packs`), each under its last record's offset.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.packs import PACK_RECORDS_MAX, Row, packed, space, unpacked
from shared.bus.records import Incoming, Outgoing, Partition, check, columns, partition_of
from shared.bus.tables import log_tables

__all__ = ["PostgresLog", "log_tables"]

READ_BYTES_MAX = 8 * 1024 * 1024
"""Of one partition in one read, give or take a record: a thousand large records would not fit in memory."""


class PostgresLog:
    """The tables `<schema>.<prefix>_records` and `<schema>.<prefix>_heads`, with `partitions` to every topic."""

    def __init__(self, schema: str, prefix: str, partitions: int) -> None:
        self.partitions = partitions
        self.channel = f"{schema}.{prefix}"
        """Writers notify it when they commit; the payload is the topic."""
        records, heads = f"{schema}.{prefix}_records", f"{schema}.{prefix}_heads"
        # One round trip for all partitions. The heads are locked in key order, so that writers cannot deadlock,
        # and updated only after that; a row is never seen before its predecessors, for they hold the head's lock.
        self._append = text(f"""
            WITH wanted AS (
                SELECT * FROM unnest(
                    CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:counts AS int[])
                ) WITH ORDINALITY AS w(topic, partition, count, slot)
            ), locked AS (
                SELECT h.topic, h.partition, w.count, w.slot
                FROM {heads} h JOIN wanted w USING (topic, partition)
                ORDER BY h.topic, h.partition FOR UPDATE OF h
            ), moved AS (
                UPDATE {heads} h SET next_offset = h.next_offset + l.count
                FROM locked l WHERE h.topic = l.topic AND h.partition = l.partition
                RETURNING h.topic, h.partition, l.slot, h.next_offset - l.count AS base
            ), written AS (
                INSERT INTO {records} (topic, partition, "offset", records, key, value)
                SELECT m.topic, m.partition, m.base + r.last, r.records, r.key, r.value
                FROM unnest(
                    CAST(:slots AS int[]), CAST(:lasts AS int[]), CAST(:records AS int[]), CAST(:keys AS text[]),
                    CAST(:values AS bytea[])
                ) AS r(slot, last, records, key, value)
                JOIN moved m USING (slot)
            )
            SELECT topic, partition, pg_notify(:channel, topic) FROM moved
            """)  # noqa: S608  # the names are the program's own
        self._begin_heads = text(f"""
            INSERT INTO {heads} (topic, partition, next_offset)
            SELECT topic, partition, 0 FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]))
                AS w(topic, partition)
            ORDER BY topic, partition
            ON CONFLICT DO NOTHING
            """)  # noqa: S608
        # Of each partition from where on it has rows, and how many records those before it leave of the limit: so no
        # more rows are touched than the records asked for lie in. Offsets are dense, which makes them count. (A sum is
        # numeric: as such it would bound no search in the index.)
        roomy = f"""
            SELECT *, CAST(:limit AS bigint) - CAST(sum(waiting) OVER w - waiting AS bigint) AS room
            FROM (
                SELECT p.*, s.first, greatest(0, p.next_offset - s.first) AS waiting
                FROM places p LEFT JOIN LATERAL (
                    SELECT greatest(p.position, s."offset" - s.records + 1) AS first FROM {records} s
                    WHERE s.topic = p.topic AND s.partition = p.partition AND s."offset" >= p.position
                    ORDER BY s."offset" LIMIT 1
                ) s ON true
            ) p
            WINDOW w AS (ORDER BY turn ROWS UNBOUNDED PRECEDING)
            """  # noqa: S608
        # `octet_length` does not load a value that rests outside the row, so the running sum is cheap.
        rows_of_p = f"""
            SELECT "offset", records, key, value FROM (
                SELECT *, sum(octet_length(value)) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING)
                    - octet_length(value) AS bytes_before
                FROM {records} s
                WHERE s.topic = p.topic AND s.partition = p.partition AND s."offset" >= p.first
                    AND s."offset" < p.first + p.room + {PACK_RECORDS_MAX}
                    AND s."offset" - s.records + 1 < p.first + p.room
                ORDER BY s."offset"
            ) s
            WHERE bytes_before < {READ_BYTES_MAX}
            """  # noqa: S608
        self._read = text(f"""
            WITH places AS (
                SELECT w.*, h.next_offset
                FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                    WITH ORDINALITY AS w(topic, partition, position, turn)
                JOIN {heads} h USING (topic, partition)
                WHERE h.next_offset > w.position
            ), p AS ({roomy})
            SELECT p.topic, p.partition, p.position, r."offset", r.records, r.key, r.value
            FROM p CROSS JOIN LATERAL ({rows_of_p}) r
            WHERE p.room > 0
            ORDER BY p.turn, r."offset"
            """)  # noqa: S608
        # Partitions with something new that no other transaction has taken, in no particular order, so that none
        # starves behind a busy one. An advisory lock goes with its connection: nobody dead can keep a partition.
        # A partition that found no room is not answered: whether it holds anything is not known.
        self._take = text(f"""
            WITH free AS MATERIALIZED (
                SELECT h.topic, h.partition, h.next_offset, coalesce(p.position, 0) AS position
                FROM {heads} h LEFT JOIN
                    unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                        AS p(topic, partition, position) USING (topic, partition)
                WHERE CASE WHEN h.next_offset > coalesce(p.position, 0) THEN pg_try_advisory_xact_lock(
                    hashtextextended(:channel || ' ' || h.topic || ' ' || h.partition, 0)) END
            ), places AS (
                SELECT *, row_number() OVER (ORDER BY random()) AS turn FROM free
            ), p AS ({roomy})
            SELECT p.topic, p.partition, p.next_offset, p.position, r."offset", r.records, r.key, r.value
            FROM p LEFT JOIN LATERAL ({rows_of_p}) r ON true
            WHERE p.room > 0
            ORDER BY p.turn, r."offset"
            """)  # noqa: S608
        self._heads = text(f"""
            SELECT topic, partition, next_offset FROM {heads}
            """)  # noqa: S608
        self._beginnings = text(f"""
            SELECT h.topic, h.partition, coalesce(
                (SELECT r."offset" - r.records + 1 FROM {records} r
                WHERE r.topic = h.topic AND r.partition = h.partition ORDER BY r."offset" LIMIT 1),
                h.next_offset)
            FROM {heads} h WHERE h.topic = :topic
            """)  # noqa: S608
        self._delete = text(f"""
            DELETE FROM {records} r
            USING unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                AS p(topic, partition, position)
            WHERE r.topic = p.topic AND r.partition = p.partition AND r."offset" < p.position
            """)  # noqa: S608
        self._waiting = text(f"SELECT EXISTS (SELECT FROM {records})")  # noqa: S608

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
            await connection.execute(self._begin_heads, {"topics": topics, "partitions": numbers})
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
            self._append,
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

    async def read(
        self, connection: AsyncConnection, positions: Mapping[Partition, int], limit: int
    ) -> list[Incoming]:
        """At most `limit` committed records from these positions on, partition after partition in the order given."""
        topics, numbers = columns(positions)
        result = await connection.execute(
            self._read,
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
            self._take,
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

    def is_full(self, records: Sequence[Incoming], limit: int) -> bool:
        """Whether a read ended at one of its bounds, so that more records may wait. What lies around records in a pack
        counts towards the bound; here it is rather counted where there is none."""
        return len(records) >= limit or sum(map(space, records)) >= READ_BYTES_MAX

    async def heads(self, connection: AsyncConnection) -> dict[Partition, int]:
        """For every partition that was ever written to, the offset that its next record will get."""
        return {
            (topic, partition): offset for topic, partition, offset in await connection.execute(self._heads)
        }

    async def beginnings(self, connection: AsyncConnection, topic: str) -> dict[Partition, int]:
        """For every partition of the topic that was ever written to, the offset of its oldest record; its head where
        all have been deleted."""
        rows = await connection.execute(self._beginnings, {"topic": topic})
        return {(name, partition): offset for name, partition, offset in rows}

    async def delete_below(self, connection: AsyncConnection, positions: Mapping[Partition, int]) -> None:
        """Delete what lies before these positions, but for records beside one that does not."""
        topics, numbers = columns(positions)
        await connection.execute(
            self._delete,
            {"topics": topics, "partitions": numbers, "positions": list(positions.values())},
        )

    async def is_empty(self, connection: AsyncConnection) -> bool:
        """Whether the log holds no record: of an outbox or a spool, whether all of it has been published."""
        return not await connection.scalar(self._waiting)
