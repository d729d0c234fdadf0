"""Posts batches of events to the ingest API, patiently: what comes between is waited out, within a limit."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from deploy.errors import LocalError
from deploy.problems import in_words
from shared.clock import system_clock

BATCH_BYTES = 1_500_000
"""Of one request: below what ingest takes, so that a batch never has to be cut once more."""

ANSWER_S_MAX = 30.0
RETRY_S_MAX = 120.0
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
RETRY_AFTER_S_MAX = 60.0
"""The longest that one answer may ask us to wait; beyond it we ask again sooner."""

_AGAIN = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)


async def post(
    client: httpx.AsyncClient, token: str, events: Sequence[bytes], parameters: dict[str, str] | None = None
) -> dict[str, Any]:
    """Post encoded events to `client`'s address as one batch, and answer what ingest says once it has taken them.

    While ingest is away or busy it waits (as long as `Retry-After` asks, where it does) and sends the same again: an
    event that comes twice counts once.

    Raises:
        LocalError: Ingest refused the batch, or was away for `RETRY_S_MAX`.
    """
    body = b"[" + b",".join(events) + b"]"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    deadline = time.monotonic() + RETRY_S_MAX
    attempt = 0
    while True:
        wait_s = BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)]
        try:
            answer = await client.post(
                "/v1/events", content=body, headers=headers, params=parameters, timeout=ANSWER_S_MAX
            )
        except httpx.TransportError as error:
            reason = f"does not answer ({type(error).__name__})"
        else:
            if answer.status_code == httpx.codes.ACCEPTED:
                taken: dict[str, Any] = answer.json()
                return taken
            reason = f"answered {answer.status_code}: {in_words(answer)}"
            if answer.status_code not in _AGAIN:
                raise LocalError(f"Ingest {reason}")
            wait_s = max(wait_s, _asked_to_wait_s(answer.headers.get("Retry-After"), system_clock()))
        if time.monotonic() + wait_s > deadline:
            raise LocalError(f"Ingest has been away for {RETRY_S_MAX:.0f} s; it {reason}")
        attempt += 1
        await asyncio.sleep(wait_s)


def _asked_to_wait_s(retry_after: str | None, now: datetime) -> float:
    """The seconds that a `Retry-After` asks for: it holds a number of them, or a date."""
    if not retry_after:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), RETRY_AFTER_S_MAX)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        return 0.0
    return min(max((until - now).total_seconds(), 0.0), RETRY_AFTER_S_MAX)
