"""The run: everything is sent, in order for each customer, and an import that was killed goes on where it was."""

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy import posting
from deploy.errors import LocalError
from deploy.importing import run as running
from deploy.importing.checkpoint import Tally
from deploy.importing.open import opened
from deploy.importing.reading.choices import Choices

HEADER = "order_id,date,total,email,currency\n"
BAD = 7
"""Every so many-th order has an amount that is none, and its neighbour an address that ingest refuses."""


class Ingest:
    """Stands where ingest's API stands: refuses addresses without an @, and dies after `dies_after` requests."""

    def __init__(self) -> None:
        self.dies_after: int | None = None
        self.requests = 0
        self.arrived: list[dict[str, Any]] = []
        self.parameters: set[str] = set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.dies_after is not None and self.requests >= self.dies_after:
            return httpx.Response(500, text="killed")
        self.requests += 1
        self.parameters.add(request.url.query.decode())
        rejected = []
        for index, event in enumerate(json.loads(request.content)):
            if "@" in event["data"]["customer"]["email"]:
                self.arrived.append(event)
                continue
            error = {
                "pointer": "/data/customer/email",
                "code": "wrong_format",
                "detail": "expected an address",
            }
            rejected.append({"index": index, "id": event["id"], "errors": [error]})
        return httpx.Response(202, json={"accepted": 1, "rejected": rejected})


def orders(count: int) -> str:
    """A file of orders of some customers, with faults of both kinds."""
    rows = []
    for number in range(count):
        total = "x" if number % BAD == 1 else "5.00"
        email = "nobody" if number % BAD == 2 else f"c{number % 5}@example.com"
        rows.append(f"{number},2024-03-04T10:00:00Z,{total},{email},USD\n")
    return HEADER + "".join(rows)


async def take(path: Path, ingest: Ingest, **choices: Any) -> Tally:
    """One run, until the end of the file or of ingest."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(ingest), base_url="http://ingest") as client:
        with opened(path, Choices(**choices), None) as found:
            checkpoint = found.checkpoint()
            await found.work(client, "token", checkpoint, lambda tally: None).run()
            return checkpoint.tally


@given(count=st.integers(3, 120), kills=st.lists(st.integers(0, 12), max_size=4), size=st.integers(1, 9))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_import_killed_anywhere_goes_on_and_nothing_is_lost_or_told_twice(
    tmp_path_factory: pytest.TempPathFactory, count: int, kills: list[int], size: int
) -> None:
    """Given a file; when its import dies after so many requests, again and again; then in the end every good order has
    arrived (again at most, under the same id), and each bad one is in the rejects once."""
    path = tmp_path_factory.mktemp("import") / "orders.csv"
    path.write_text(orders(count))
    ingest = Ingest()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "BATCH_EVENTS", size)
        patch.setattr(running, "ROUND_PIECES", 4 * size)
        for requests in kills:
            ingest.dies_after = ingest.requests + requests
            try:
                await take(path, ingest)
            except LocalError as error:
                assert "killed" in str(error)  # noqa: PT017
        ingest.dies_after = None
        tally = await take(path, ingest)

    bad = {number for number in range(count) if number % BAD in (1, 2)}
    assert {event["id"] for event in ingest.arrived} == {
        f"order-{number}" for number in range(count) if number not in bad
    }
    assert (tally.pieces, tally.refused, tally.events) == (count, len(bad), count - len(bad))
    with path.with_name("orders.rejects.csv").open() as file:
        rejects = list(csv.DictReader(file))
    assert Counter(row["order_id"] for row in rejects) == Counter(map(str, bad))
    with path.with_name("orders.refused.csv").open() as file:
        assert [int(row["line"]) for row in csv.DictReader(file)] == sorted(number + 2 for number in bad)
    assert ingest.parameters == {"partial=true&historical=true"}


async def test_events_of_a_customer_arrive_in_the_order_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_EVENTS", 20)
    path = tmp_path / "orders.csv"
    path.write_text(orders(500))
    ingest = Ingest()

    await take(path, ingest)

    lives: dict[str, list[int]] = defaultdict(list)
    for event in ingest.arrived:
        lives[event["data"]["customer"]["email"]].append(int(event["data"]["order_id"]))
    assert len(lives) == 5
    assert all(numbers == sorted(set(numbers)) for numbers in lives.values())


async def test_rejects_that_are_mended_are_imported_like_any_file(tmp_path: Path) -> None:
    """Given rejects of both kinds; when a person mends them and imports their file; then the orders arrive under the
    ids that they would have had, and what is still wrong is refused again."""
    path = tmp_path / "orders.csv"
    path.write_text(orders(10))
    ingest = Ingest()
    await take(path, ingest)
    rejects = tmp_path / "orders.rejects.csv"
    assert "line 3, total: 'x' is no amount" in rejects.read_text()
    ingest.arrived.clear()

    rejects.write_text(rejects.read_text().replace(",x,", ",6.00,").replace("nobody", "ana@example.com", 1))
    tally = await take(rejects, ingest)

    assert {event["id"] for event in ingest.arrived} == {"order-1", "order-2", "order-8"}
    assert tally.refused == 1
    again = (tmp_path / "orders.rejects.rejects.csv").read_text().splitlines()
    assert again[0] == "order_id,date,total,email,currency,regulars_fault"
    assert again[1].startswith("9,") and again[1].count("line") == 1  # noqa: PT018


async def test_what_is_done_is_not_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(10))
    ingest = Ingest()
    await take(path, ingest)

    with opened(path, Choices(), None) as found:
        assert found.checkpoint().done_at is not None


async def test_a_file_that_changed_or_other_options_do_not_go_on_blindly(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(10))
    ingest = Ingest()
    await take(path, ingest)

    with (
        opened(path, Choices(currency="EUR"), None) as found,
        pytest.raises(LocalError, match="other options"),
    ):
        found.checkpoint()
    path.write_text(orders(11))
    with opened(path, Choices(), None) as found, pytest.raises(LocalError, match="has changed"):
        found.checkpoint()


async def test_two_imports_of_one_file_at_a_time_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(10))

    with (
        opened(path, Choices(), None),
        pytest.raises(LocalError, match="at this moment"),
        opened(path, Choices(), None),
    ):
        pass


async def test_a_file_of_which_nothing_can_be_taken_sends_and_notes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "1,04/03/2024,5.00,a@b.cd,USD\n" * 3)
    ingest = Ingest()

    with pytest.raises(LocalError, match="Nothing of the first 1"):
        await take(path, ingest)

    assert (ingest.requests, sorted(each.name for each in tmp_path.iterdir())) == (0, ["orders.csv"])


async def test_history_that_shall_earn_nothing_says_so(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(1))
    ingest = Ingest()

    await take(path, ingest, points=False)

    assert ingest.parameters == {"partial=true&historical=true&rewards=false"}


async def test_batches_stay_within_what_ingest_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "BATCH_BYTES", 600)
    path = tmp_path / "orders.csv"
    path.write_text(orders(60))
    ingest = Ingest()

    await take(path, ingest)

    assert ingest.requests > 10
    assert len(ingest.arrived) == 60 - sum(number % BAD in (1, 2) for number in range(60))
