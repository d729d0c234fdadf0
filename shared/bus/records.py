"""What travels on the bus, and where it goes."""

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to publish. Records with the same key keep their order."""

    topic: str
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as it was read: `offset` counts up by one within (`topic`, `partition`) on the PostgreSQL log and
    grows, perhaps with gaps, on Kafka."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes


Partition = tuple[str, int]
"""A topic and one of its partitions."""


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, the same in every process and on either bus."""
    return crc32(key.encode()) % partitions
