"""What travels on the bus, and where it goes."""

from collections.abc import Iterable
from zlib import crc32

from msgspec import Struct

VALUE_BYTES_MAX = 8 * 1024 * 1024


class Outgoing(Struct, frozen=True):
    """A record to publish. Records with the same key keep their order."""

    topic: str
    key: str
    value: bytes


class Incoming(Struct, frozen=True):
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


def columns(partitions: Iterable[Partition]) -> tuple[list[str], list[int]]:
    """Topics and numbers of partitions as two columns of a table."""
    pairs = list(partitions)
    return [topic for topic, _ in pairs], [number for _, number in pairs]


def check(records: Iterable[Outgoing]) -> None:
    """Raise `ValueError` for a record that no bus takes, before it can spoil those beside it."""
    for record in records:
        if len(record.value) > VALUE_BYTES_MAX:
            raise ValueError(f"a record of {len(record.value)} bytes is larger than {VALUE_BYTES_MAX}")
        if "\0" in record.key:
            raise ValueError("a key contains NUL")
