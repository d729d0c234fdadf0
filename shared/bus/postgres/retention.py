"""What the log of the bus on PostgreSQL forgets, and when."""

import time
from typing import Any

RETENTION_DAYS = 7
LOOK_S = 60.0
RECORDS_MAX = 1000
"""Deleted of one partition at a time, so that no heartbeat waits for it."""


class Retention:
    """Deletes records that are older than `RETENTION_DAYS` and that every group which reads the topic has handled.

    Any member of any group may do it; two at once do not get into each other's way.
    """

    def __init__(self, schema: str) -> None:
        self._next_s = 0.0
        self._prune = f"""
            WITH consumed AS (
                SELECT h.topic, h.partition, (
                    SELECT min(coalesce(p.position, 0))
                    FROM (SELECT DISTINCT group_name FROM {schema}.log_positions WHERE topic = h.topic) g
                    LEFT JOIN {schema}.log_positions p
                        ON p.group_name = g.group_name AND p.topic = h.topic AND p.partition = h.partition
                ) AS position
                FROM {schema}.log_heads h
                WHERE pg_try_advisory_xact_lock(hashtextextended('{schema}.log retention', 0))
            ), oldest AS (
                SELECT r.topic, r.partition, r."offset"
                FROM consumed c CROSS JOIN LATERAL (
                    SELECT topic, partition, "offset", at FROM {schema}.log_records s
                    WHERE s.topic = c.topic AND s.partition = c.partition
                      AND (c.position IS NULL OR s."offset" < c.position)
                    ORDER BY s."offset" LIMIT {RECORDS_MAX}
                ) r
                WHERE r.at < clock_timestamp() - make_interval(days => {RETENTION_DAYS})
            ), deleted AS (
                DELETE FROM {schema}.log_records r USING oldest o
                WHERE r.topic = o.topic AND r.partition = o.partition AND r."offset" = o."offset"
                RETURNING 1
            )
            SELECT count(*) FROM deleted
            """  # noqa: S608  # the schema is the program's own

    async def prune(self, driver: Any) -> int:
        """Delete some of what may go, when it is time to look; answer how many. `driver` is the driver's connection."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return 0
        deleted = int(await driver.fetchval(self._prune))
        if not deleted:  # else there may be more: go on with the next heartbeat
            self._next_s = now_s + LOOK_S
        return deleted
