"""Taking partitions over: at the positions that the group has reached, as far as the log still goes back."""

import logging
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.consuming.offsets import Claim, Offsets
from shared.bus.interface import Consumer, LostRecordsError
from shared.bus.records import Partition

log = logging.getLogger(__name__)


async def take_over(
    engine: AsyncEngine, consumer: Consumer, offsets: Offsets, wanted: Collection[Partition]
) -> dict[Partition, Claim]:
    """Claim partitions that were assigned. `offsets` are those within the consumer's origin.

    Where retention has deleted records that the group never handled, its position moves to the oldest that is left:
    it stands for records that nobody can read any more, and whoever waits until all has been read would wait for ever.
    Raises `BusUnavailableError`; `LostRecordsError` where a partition ends before the group's position.
    """
    beginnings = await consumer.beginnings()
    async with engine.begin() as connection:
        claims = await offsets.claim(connection, wanted)
        deleted = {
            each: beginnings[each]
            for each, claim in claims.items()
            if claim.position < beginnings.get(each, 0)
        }
        if deleted:
            await offsets.advance(connection, deleted)
    for (topic, number), beginning in deleted.items():
        position = claims[topic, number].position
        # A group that is new here, as with a new database, has missed nothing that was meant for it.
        level = logging.ERROR if position else logging.INFO
        log.log(level, "%s/%d: records %d to %d were deleted unread", topic, number, position, beginning - 1)
        claims[topic, number] = replace(claims[topic, number], position=beginning)
    heads = await consumer.heads()
    if lost := [each for each, claim in claims.items() if claim.position > heads.get(each, claim.position)]:
        # Reading on would pass over whatever is written there up to the position. It may be a replica that is a
        # moment behind; else somebody has to decide.
        raise LostRecordsError(f"the bus ends before what has been handled: {lost}; see the runbook")
    return claims
