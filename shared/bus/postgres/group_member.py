"""A member of a consumer group on PostgreSQL: it sees who else reads the topic, and which partitions are its own."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.records import Partition

TTL_S = 5
"""A member not seen for that long is gone, even if its connection still looks alive (a frozen machine)."""


class GroupMember:
    """One member of a group.

    Every heartbeat writes that this member lives, under the server process that serves its connection, and reads
    who else does. A member counts as long as it was seen lately and its server process exists: that one ends with
    the member's connection, so a killed member is missed at the next heartbeat and not only after `TTL_S`.
    Partition p belongs to the member of rank p modulo their number.
    """

    def __init__(self, schema: str, group: str, topic: str, member: str, partitions: int) -> None:
        self.assigned: frozenset[Partition] = frozenset()
        """What this member owns, by the last heartbeat."""
        self.channel = f"{schema}.log_members"
        self._group = group
        self._topic = topic
        self._member = member
        self._partitions = partitions
        self._announced_to: object = None
        self._unreported: dict[Partition, int] = {}
        self._beat = f"""
            WITH seen AS (
                INSERT INTO {schema}.log_members AS m (group_name, topic, member, backend, seen_at)
                VALUES ($1, $2, $3, pg_backend_pid(), clock_timestamp())
                ON CONFLICT (group_name, topic, member)
                DO UPDATE SET backend = excluded.backend, seen_at = excluded.seen_at
            )
            SELECT member FROM {schema}.log_members m
            WHERE group_name = $1 AND topic = $2 AND member <> $3
              AND seen_at > clock_timestamp() - make_interval(secs => {TTL_S})
              AND EXISTS (SELECT FROM pg_stat_get_activity(m.backend))
            """  # noqa: S608  # the schema is the program's own
        self._report = f"""
            INSERT INTO {schema}.log_positions AS p (group_name, topic, partition, position, at)
            SELECT $1, $2, partition, position, clock_timestamp()
            FROM unnest($3::int[], $4::bigint[]) AS w(partition, position) ORDER BY partition
            ON CONFLICT (group_name, topic, partition)
            DO UPDATE SET position = excluded.position, at = excluded.at WHERE p.position < excluded.position
            """  # noqa: S608
        self._leave = text(f"""
            WITH gone AS (
                DELETE FROM {schema}.log_members WHERE group_name = :group AND topic = :topic AND member = :member
            )
            SELECT pg_notify(:channel, :payload)
            """)  # noqa: S608

    @property
    def _payload(self) -> str:
        return f"{self._group} {self._topic}"

    def concerns(self, payload: str) -> bool:
        """Whether a notification on `channel` is about this group and topic."""
        return payload == self._payload

    def report(self, positions: Mapping[Partition, int]) -> None:
        """Write these positions of the group with the next heartbeat."""
        self._unreported |= positions

    async def beat(self, driver: Any) -> bool:
        """Heartbeat on the driver's own connection; answer whether the assignment has changed."""
        others = await driver.fetch(self._beat, self._group, self._topic, self._member)
        if self._announced_to is not driver:
            # New here, or new on this connection: the others need not wait for their next heartbeat.
            await driver.execute("SELECT pg_notify($1, $2)", self.channel, self._payload)
            self._announced_to = driver
        if self._unreported:
            positions, self._unreported = self._unreported, {}
            numbers = [number for _, number in positions]
            await driver.execute(self._report, self._group, self._topic, numbers, list(positions.values()))
        members = sorted([self._member, *(row["member"] for row in others)])
        rank = members.index(self._member)
        mine = frozenset(
            (self._topic, number) for number in range(self._partitions) if number % len(members) == rank
        )
        changed = mine != self.assigned
        self.assigned = mine
        return changed

    async def leave(self, connection: AsyncConnection) -> None:
        """Be a member no more, and tell the others."""
        self.assigned = frozenset()
        await connection.execute(
            self._leave,
            {
                "group": self._group,
                "topic": self._topic,
                "member": self._member,
                "channel": self.channel,
                "payload": self._payload,
            },
        )
