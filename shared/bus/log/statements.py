"""The SQL of a log: what `PostgresLog` asks of its two tables."""

# ruff: noqa: S608  # the names in it are the program's own

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from shared.bus.log.packs import PACK_RECORDS_MAX


@dataclass(frozen=True, slots=True)
class Statements:
    """All statements of one log."""

    append: TextClause
    begin_heads: TextClause
    ask_to_be_told: TextClause
    read: TextClause
    take: TextClause
    heads: TextClause
    beginnings: TextClause
    delete: TextClause
    waiting: TextClause


def statements(schema: str, prefix: str, *, on_request: bool, bytes_max: int) -> Statements:
    """Those of the tables `<schema>.<prefix>_records` and `<schema>.<prefix>_heads`.

    `on_request`: writers notify only where a reader has asked for it. `bytes_max` bounds what is read of one
    partition at once, give or take a record.
    """
    records, heads = f"{schema}.{prefix}_records", f"{schema}.{prefix}_heads"
    return Statements(
        append=text(_append(records, heads, on_request)),
        begin_heads=text(_begin_heads(heads)),
        ask_to_be_told=text(_ask_to_be_told(heads)),
        read=text(_read(records, heads, bytes_max)),
        take=text(_take(records, heads, bytes_max)),
        heads=text(_heads(heads)),
        beginnings=text(_beginnings(records, heads)),
        delete=text(_delete_below(records)),
        waiting=text(_waiting(records)),
    )


def _append(records: str, heads: str, on_request: bool) -> str:
    # One round trip for all partitions. The heads are locked in key order, so that writers cannot deadlock,
    # and updated only after that; a row is never seen before its predecessors, for they hold the head's lock.
    return f"""
        WITH wanted AS (
            SELECT * FROM unnest(
                CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:counts AS int[])
            ) WITH ORDINALITY AS w(topic, partition, count, slot)
        ), locked AS (
            SELECT h.topic, h.partition, w.count, w.slot, {"h.awaited" if on_request else "true"} AS awaited
            FROM {heads} h JOIN wanted w USING (topic, partition)
            ORDER BY h.topic, h.partition FOR UPDATE OF h
        ), moved AS (
            UPDATE {heads} h SET next_offset = h.next_offset + l.count {", awaited = false" if on_request else ""}
            FROM locked l WHERE h.topic = l.topic AND h.partition = l.partition
            RETURNING h.topic, h.partition, l.slot, h.next_offset - l.count AS base, l.awaited
        ), written AS (
            INSERT INTO {records} (topic, partition, "offset", records, key, body)
            SELECT m.topic, m.partition, m.base + r.last, r.records, r.key, r.value
            FROM unnest(
                CAST(:slots AS int[]), CAST(:lasts AS int[]), CAST(:records AS int[]), CAST(:keys AS text[]),
                CAST(:values AS bytea[])
            ) AS r(slot, last, records, key, value)
            JOIN moved m USING (slot)
        )
        SELECT topic, partition, CASE WHEN awaited THEN pg_notify(:channel, topic) END FROM moved
        """


def _begin_heads(heads: str) -> str:
    return f"""
        INSERT INTO {heads} (topic, partition, next_offset)
        SELECT topic, partition, 0 FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]))
            AS w(topic, partition)
        ORDER BY topic, partition
        ON CONFLICT DO NOTHING
        """


def _ask_to_be_told(heads: str) -> str:
    # A head that a writer holds is passed over, since something is coming there. Nothing is lost with this mark
    # that a reader would not look for when it connects again, so its commit does not wait for the disk.
    return f"""
        WITH unmarked AS (
            SELECT topic, partition FROM {heads}
            JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS w(topic, partition)
                USING (topic, partition)
            WHERE NOT awaited
        ), free AS (
            SELECT h.topic, h.partition FROM {heads} h JOIN unmarked USING (topic, partition)
            FOR UPDATE OF h SKIP LOCKED
        ), marked AS (
            UPDATE {heads} h SET awaited = true
            FROM free f WHERE h.topic = f.topic AND h.partition = f.partition RETURNING 1
        )
        SELECT (SELECT count(*) FROM unmarked) = (SELECT count(*) FROM marked),
            set_config('synchronous_commit', 'off', true)
        """


def _read(records: str, heads: str, bytes_max: int) -> str:
    return f"""
        WITH places AS (
            SELECT w.*, h.next_offset
            FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                WITH ORDINALITY AS w(topic, partition, position, turn)
            JOIN {heads} h USING (topic, partition)
            WHERE h.next_offset > w.position
        ), p AS ({_roomy(records)})
        SELECT p.topic, p.partition, p.position, r."offset", r.records, r.key, r.body
        FROM p CROSS JOIN LATERAL ({_rows_of_p(records, bytes_max)}) r
        WHERE p.room > 0
        ORDER BY p.turn, r."offset"
        """


def _take(records: str, heads: str, bytes_max: int) -> str:
    # Partitions with something new that no other transaction has taken, in no particular order, so that none
    # starves behind a busy one. An advisory lock goes with its connection: nobody dead can keep a partition.
    # A partition that found no room is not answered: whether it holds anything is not known.
    return f"""
        WITH free AS MATERIALIZED (
            SELECT h.topic, h.partition, h.next_offset, coalesce(p.position, 0) AS position
            FROM {heads} h LEFT JOIN
                unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
                    AS p(topic, partition, position) USING (topic, partition)
            WHERE CASE WHEN h.next_offset > coalesce(p.position, 0) THEN pg_try_advisory_xact_lock(
                hashtextextended(:channel || ' ' || h.topic || ' ' || h.partition, 0)) END
        ), places AS (
            SELECT *, row_number() OVER (ORDER BY random()) AS turn FROM free
        ), p AS ({_roomy(records)})
        SELECT p.topic, p.partition, p.next_offset, p.position, r."offset", r.records, r.key, r.body
        FROM p LEFT JOIN LATERAL ({_rows_of_p(records, bytes_max)}) r ON true
        WHERE p.room > 0
        ORDER BY p.turn, r."offset"
        """


def _roomy(records: str) -> str:
    # Of each partition from where on it has rows, and how many records those before it leave of the limit: so no
    # more rows are touched than the records asked for lie in. Offsets are dense, which makes them count. (A sum is
    # numeric: as such it would bound no search in the index.)
    return f"""
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
        """


def _rows_of_p(records: str, bytes_max: int) -> str:
    # `octet_length` does not load a value that rests outside the row, so the running sum is cheap.
    return f"""
        SELECT "offset", records, key, body FROM (
            SELECT *, sum(octet_length(body)) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING)
                - octet_length(body) AS bytes_before
            FROM {records} s
            WHERE s.topic = p.topic AND s.partition = p.partition AND s."offset" >= p.first
                AND s."offset" < p.first + p.room + {PACK_RECORDS_MAX}
                AND s."offset" - s.records + 1 < p.first + p.room
            ORDER BY s."offset"
        ) s
        WHERE bytes_before < {bytes_max}
        """


def _heads(heads: str) -> str:
    return f"SELECT topic, partition, next_offset FROM {heads}"


def _beginnings(records: str, heads: str) -> str:
    return f"""
        SELECT h.topic, h.partition, coalesce(
            (SELECT r."offset" - r.records + 1 FROM {records} r
            WHERE r.topic = h.topic AND r.partition = h.partition ORDER BY r."offset" LIMIT 1),
            h.next_offset)
        FROM {heads} h WHERE h.topic = :topic
        """


def _delete_below(records: str) -> str:
    return f"""
        DELETE FROM {records} r
        USING unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:positions AS bigint[]))
            AS p(topic, partition, position)
        WHERE r.topic = p.topic AND r.partition = p.partition AND r."offset" < p.position
        """


def _waiting(records: str) -> str:
    return f"SELECT EXISTS (SELECT FROM {records})"
