"""The replay: everything once, in order for each household, patient while ingest is away."""

import json
from collections import defaultdict
from typing import Any

import httpx
import pytest

from deploy.demo import replay as replay_module
from deploy.demo.replay import BATCH_EVENTS, LANES, replay
from deploy.local.errors import LocalError

EVENTS = 3000
HOUSEHOLDS = 37


def history() -> list[tuple[int, dict[str, Any]]]:
    return [(number % HOUSEHOLDS, {"id": f"e{number}", "number": number}) for number in range(EVENTS)]


class Ingest:
    """Stands where ingest's API stands; answers `codes` first, then 202."""

    def __init__(self, *codes: int) -> None:
        self.codes = [*codes]
        self.taken: list[dict[str, Any]] = []
        self.sizes: list[int] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if self.codes:
            code = self.codes.pop()
            if code == 0:
                raise httpx.ConnectError("nobody listens", request=request)
            return httpx.Response(code, text="why")
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
    monkeypatch.setattr(replay_module, "BATCH_BYTES", 200)
    ingest = Ingest()

    assert await ingest.play() == EVENTS

    assert max(ingest.sizes) < 10


async def test_replay_goes_on_after_ingest_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "BACK_OFF_S", (0.0,))
    ingest = Ingest(503, 0, 429, 0)

    assert await ingest.play() == EVENTS

    assert len({event["id"] for event in ingest.taken}) == EVENTS


async def test_refusal_ends_the_replay_with_its_reason() -> None:
    with pytest.raises(LocalError, match="answered 422: why"):
        await Ingest(422).play()


async def test_ingest_that_stays_away_ends_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "BACK_OFF_S", (0.0,))
    monkeypatch.setattr(replay_module, "RETRY_S_MAX", 0.0)

    with pytest.raises(LocalError, match="has been away"):
        await Ingest(*[503] * 50).play()
