"""How much is read from the bus at once."""

from collections.abc import Sequence

from shared.bus.records import Incoming, Outgoing

READ_BYTES_MAX = 8 * 1024 * 1024
"""Of one partition in one read, give or take a record: a thousand large records would not fit in memory."""

FRAME_BYTES = 8
"""What the frames around a key and a value come to at most in a pack of the log, where both fit into a page."""


def space(record: Outgoing | Incoming) -> int:
    """The bytes that a record takes in a pack at most: a character of its key is four at most."""
    return len(record.value) + 4 * len(record.key) + FRAME_BYTES


def is_full(records: Sequence[Incoming], limit: int) -> bool:
    """Whether a read ended at one of its bounds, so that more records may wait. What lies around records in a pack
    counts towards the bound; here it is rather counted where there is none."""
    return len(records) >= limit or sum(map(space, records)) >= READ_BYTES_MAX
