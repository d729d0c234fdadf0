"""The bus as services see it: one interface, implemented on Kafka and on PostgreSQL.

`tests/integration/bus/` holds the behaviour that both must show.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.records import Incoming, Outgoing, Partition


class BusUnavailableError(Exception):
    """The bus did not take or give records in time. What was sent may or may not have arrived; identities downstream
    make a repeat harmless."""


class LostRecordsError(BusUnavailableError):
    """A partition ends before the position that was reached in it: the bus lost records, or is another one."""


class WrongPartitionsError(Exception):
    """A topic has another number of partitions than the settings say: some would not be read, or keys would move."""


class FencedError(Exception):
    """This consumer may not write for a partition as it did: another one owns it, or its position was put back."""


class Producer(Protocol):
    """Publishes records."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is durable. Raises `BusUnavailableError` within `timeout` (set at construction)."""

    async def ready(self) -> bool:
        """Whether a publish would probably succeed now."""


class Consumer(Protocol):
    """Reads the partitions of one topic that are assigned to this member of a group."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def origin(self) -> str:
        """What the offsets count in at the moment: they say nothing about records of another origin.

        Raises `BusUnavailableError`.
        """

    def assigned(self) -> frozenset[Partition]:
        """What this member owns at the moment, as far as it knows."""

    def waiting(self) -> frozenset[Partition]:
        """Those of them that give nothing yet, because `seek` has not named their position since they were assigned."""

    async def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets. Partitions that are no longer assigned are passed over."""

    async def fetch(self, limit: int, timeout_s: float) -> list[Incoming]:
        """Up to `limit` records of the partitions that have been sought, in offset order within each.

        Empty after `timeout_s` without any, or earlier when partitions were assigned or taken away. A newly assigned
        partition gives nothing until `seek` has named its position. Raises `BusUnavailableError`.
        """

    async def heads(self) -> dict[Partition, int]:
        """For each assigned partition the offset that the next record written will get.

        Raises `BusUnavailableError`.
        """

    async def beginnings(self) -> dict[Partition, int]:
        """For each assigned partition the offset of the oldest record that it still has; its head, where it has none.

        Raises `BusUnavailableError`.
        """

    async def ends(self) -> dict[Partition, int]:
        """The same for every partition of the topic, whichever member reads it; those never written to may be left
        out. Raises `BusUnavailableError`.
        """

    async def report(self, positions: Mapping[Partition, int]) -> None:
        """Say how far the group has come, for retention and for tools that show lag. Best effort, never raises."""


class Outbox(Protocol):
    """Takes outgoing records into the transaction that caused them."""

    async def append(self, connection: AsyncConnection, records: Sequence[Outgoing]) -> None:
        """Write the records as rows of the caller's transaction; they are published after it commits, in order per key.

        Call it last: it takes locks that order writers.
        """
