"""What ingest says of the events that it takes."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.contracts.events import event_key
from shared.telemetry.logs import configure
from tests.integration.ingest.conftest import Ingest
from tests.support.events import event, order


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Puts back what `configure` changes for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def told(written: str) -> list[dict[str, Any]]:
    """The lines of accepted requests."""
    lines = [json.loads(line) for line in written.splitlines()]
    return [line for line in lines if line["event"] == "events accepted"]


async def test_a_request_is_logged_with_its_id_and_the_keys_of_its_events(
    ingest: Ingest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given level debug; when events come, one of them wrong; then the line has the request and those accepted."""
    configure("ingest", "debug")
    login = event("login.recorded", id="ana@example.com")
    events = [order(1), {**order(2), "time": "yesterday"}, login]

    answer = await ingest.post(events, query="?partial=true", headers={"X-Request-Id": "r-7"})

    written = capsys.readouterr().out
    [line] = told(written)
    assert answer.status_code == 202, answer.text
    assert (line["request_id"], line["level"], line["accepted"]) == ("r-7", "debug", 2)
    assert line["event_keys"] == [event_key(each["source"], each["id"]).hex() for each in (events[0], login)]
    assert "ana@example.com" not in written


async def test_the_keys_of_a_large_request_are_bounded(
    ingest: Ingest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given level debug; when 50 events come at once; then 20 keys are shown, and that there were 50."""
    configure("ingest", "debug")

    await ingest.post([order(number) for number in range(50)])

    [line] = told(capsys.readouterr().out)
    assert (line["accepted"], len(line["event_keys"])) == (50, 20)


async def test_nothing_is_said_of_accepted_events_unless_asked(
    ingest: Ingest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given level info; when events come; then no line with their keys is built."""
    configure("ingest", "info")

    await ingest.post([order(1)])

    assert told(capsys.readouterr().out) == []
