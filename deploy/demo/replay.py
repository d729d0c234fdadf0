"""Posts a history to the ingest API: several requests at a time, in order for each customer."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from deploy import posting
from deploy.errors import LocalError
from deploy.posting import post

LANES = 4
"""Requests in flight. A household stays in its lane, so its events arrive in order."""

BATCH_EVENTS = 250
WAITING_BATCHES_MAX = 2

Posted = Callable[[int], None]


@dataclass(slots=True)
class _Lane:
    queue: asyncio.Queue[list[bytes] | None]
    batch: list[bytes]
    size: int = 0


async def replay(
    events: Iterator[tuple[int, dict[str, Any]]], client: httpx.AsyncClient, token: str, posted: Posted
) -> None:
    """Post `events`, pairs of (household, event), to `client`'s address; `posted` hears how many were taken.

    Waits and tries again while ingest is away (the same event twice counts once).

    Raises:
        LocalError: Ingest refused a batch, or was away for `posting.RETRY_S_MAX`.
    """
    lanes = [_Lane(asyncio.Queue(WAITING_BATCHES_MAX), []) for _ in range(LANES)]
    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(_post_all(lane.queue, client, token, posted))
            for household, event in events:
                lane = lanes[household % LANES]
                encoded = msgspec.json.encode(event)
                if len(lane.batch) == BATCH_EVENTS or lane.size + len(encoded) > posting.BATCH_BYTES:
                    await _hand_over(lane)
                lane.batch.append(encoded)
                lane.size += len(encoded)
            for lane in lanes:
                await _hand_over(lane)
                await lane.queue.put(None)
    except* LocalError as errors:
        raise errors.exceptions[0] from None


async def _hand_over(lane: _Lane) -> None:
    if lane.batch:
        await lane.queue.put(lane.batch)
        lane.batch, lane.size = [], 0


async def _post_all(
    queue: asyncio.Queue[list[bytes] | None], client: httpx.AsyncClient, token: str, posted: Posted
) -> None:
    while (batch := await queue.get()) is not None:
        await post(client, token, batch)
        posted(len(batch))
