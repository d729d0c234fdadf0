"""The replay: everything once, in order for each household, patient while ingest is away."""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deploy import posting
from deploy.demo.replay import BATCH_EVENTS, LANES, replay
from deploy.errors import LocalError

EVENTS = 3000
HOUSEHOLDS = 37


def history() -> list[tuple[int, dict[str, Any]]]:
    return [(number % HOUSEHOLDS, {"id": f"e{number}", "number": number}) for number in range(EVENTS)]


class Ingest:
    """Stands where ingest's API stands; answers `codes` first, then 202."""

    def __init__(self, *codes: int) -> None:
        self.codes = [*codes]
        self.headers: dict[str, str] = {}
        self.taken: list[dict[str, Any]] = []
        self.sizes: list[int] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.codes:
            code = self.codes.pop()
            if code == 0:
                raise httpx.ConnectError("nobody listens", request=request)
            return httpx.Response(code, text="why", headers=self.headers)
        assert request.headers["Authorization"] == "Bearer token"
        batch = json.loads(request.content)
        self.taken += batch
        self.sizes.append(len(batch))
        return httpx.Response(202, json={"accepted": len(batch)})

    async def play(self) -> int:
        posted = 0

        def count(events: int) -> None:
            nonlocal posted
            posted += events

        transport = httpx.MockTransport(self.handle)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
            await replay(iter(history()), client, "token", count)
        return posted


async def test_every_event_is_posted_once_and_in_order_for_each_household() -> None:
    ingest = Ingest()

    assert await ingest.play() == EVENTS

    by_household: dict[int, list[int]] = defaultdict(list)
    for event in ingest.taken:
        by_household[event["number"] % HOUSEHOLDS].append(event["number"])
    assert sum(map(len, by_household.values())) == EVENTS
    assert all(numbers == sorted(set(numbers)) for numbers in by_household.values())
    assert max(ingest.sizes) <= BATCH_EVENTS
    assert len(ingest.sizes) <= EVENTS / BATCH_EVENTS + LANES


async def test_batch_that_is_too_large_in_bytes_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "BATCH_BYTES", 200)
    ingest = Ingest()

    assert await ingest.play() == EVENTS

    assert max(ingest.sizes) < 10


async def test_replay_goes_on_after_ingest_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "BACK_OFF_S", (0.0,))
    ingest = Ingest(503, 0, 429, 0)

    assert await ingest.play() == EVENTS

    assert len({event["id"] for event in ingest.taken}) == EVENTS


async def test_replay_waits_as_long_as_ingest_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(delay_s: float) -> None:
        waits.append(delay_s)
        await sleep(0)

    monkeypatch.setattr(posting.asyncio, "sleep", note)
    ingest = Ingest(503, 503)
    ingest.headers["Retry-After"] = "7"

    assert await ingest.play() == EVENTS

    assert [wait for wait in waits if wait] == [7.0, 7.0]


def test_retry_after_may_be_seconds_or_a_date_and_nonsense_asks_for_nothing() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)

    assert posting._asked_to_wait_s("3", now) == 3
    assert posting._asked_to_wait_s("Sat, 21 Nov 2026 10:00:05 GMT", now) == 5
    assert posting._asked_to_wait_s("86400", now) == posting.RETRY_AFTER_S_MAX
    assert [posting._asked_to_wait_s(each, now) for each in (None, "", "soon", "-4")] == [0, 0, 0, 0]


async def test_refusal_ends_the_replay_with_its_reason() -> None:
    with pytest.raises(LocalError, match="answered 422: why"):
        await Ingest(422).play()


async def test_ingest_that_stays_away_ends_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "BACK_OFF_S", (0.0,))
    monkeypatch.setattr(posting, "RETRY_S_MAX", 0.0)

    with pytest.raises(LocalError, match="has been away"):
        await Ingest(*[503] * 50).play()
