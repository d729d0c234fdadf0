"""Several records of a partition in one row of the log, as Kafka keeps them in batches: rows are what a log costs.

A record that goes alone, or is large, has a row of its own and lies in it as it is. In a pack the key is empty, and the
value holds keys and values in turn, as MessagePack.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from shared.bus.batches import space
from shared.bus.records import Incoming, Outgoing

PACK_BYTES_MAX = 7_900
"""Of the value of a pack: a row that fits into a page of 8 kB is neither compressed nor kept outside of the table."""

PACK_RECORDS_MAX = 200
"""Of one pack, so that a read that begins or ends within one reads little in vain."""


class Row(Struct, frozen=True):
    """One row of the log: so many `records`, of which the last is number `last`, or has that offset."""

    last: int
    records: int
    key: str
    value: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode


def packed(records: Sequence[Outgoing]) -> Iterator[Row]:
    """The rows for records of one partition, in order."""
    pack: list[tuple[str, bytes]] = []
    size = 0
    for number, record in enumerate(records):
        key, value = record.key, record.value
        more = space(record)
        if pack and (size + more > PACK_BYTES_MAX or len(pack) == PACK_RECORDS_MAX):
            yield _row(number - 1, pack)
            pack, size = [], 0
        pack.append((key, value))
        size += more
    if pack:
        yield _row(len(records) - 1, pack)


def _row(last: int, pack: list[tuple[str, bytes]]) -> Row:
    if len(pack) == 1:
        return Row(last, 1, *pack[0])
    return Row(last, len(pack), "", _encode(pack))


def unpacked(topic: str, partition: int, row: Row, position: int) -> list[Incoming]:
    """The records of a row of a partition from the offset `position` on; `row.last` is the offset of its last one."""
    first = row.last - row.records + 1
    pairs = [(row.key, row.value)] if row.records == 1 else _decode(row.value)
    assert len(pairs) == row.records
    return [
        Incoming(topic, partition, offset, key, value)
        for offset, (key, value) in enumerate(pairs, first)
        if offset >= position
    ]
