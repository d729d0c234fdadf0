"""Posts a history to the ingest API: several requests at a time, in order for each customer."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from deploy.local.errors import LocalError

LANES = 4
"""Requests in flight. A household stays in its lane, so its events arrive in order."""

BATCH_EVENTS = 250
BATCH_BYTES = 1_500_000
WAITING_BATCHES_MAX = 2
ANSWER_S_MAX = 30.0
RETRY_S_MAX = 120.0
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

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
        LocalError: Ingest refused a batch, or was away for `RETRY_S_MAX`.
    """
    lanes = [_Lane(asyncio.Queue(WAITING_BATCHES_MAX), []) for _ in range(LANES)]
    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(_post_all(lane.queue, client, token, posted))
            for household, event in events:
                lane = lanes[household % LANES]
                encoded = msgspec.json.encode(event)
                if len(lane.batch) == BATCH_EVENTS or lane.size + len(encoded) > BATCH_BYTES:
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
        await _post(b"[" + b",".join(batch) + b"]", client, token)
        posted(len(batch))


async def _post(body: bytes, client: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    deadline = time.monotonic() + RETRY_S_MAX
    attempt = 0
    while True:
        wait_s = BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)]
        try:
            answer = await client.post("/v1/events", content=body, headers=headers, timeout=ANSWER_S_MAX)
        except httpx.TransportError as error:
            reason = f"does not answer ({type(error).__name__})"
        else:
            if answer.status_code == httpx.codes.ACCEPTED:
                return
            reason = f"answered {answer.status_code}: {answer.text[:1000]}"
            if answer.status_code not in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
                raise LocalError(f"Ingest {reason}")
        if time.monotonic() > deadline:
            raise LocalError(f"Ingest has been away for {RETRY_S_MAX:.0f} s; it {reason}")
        attempt += 1
        await asyncio.sleep(wait_s)
