"""The table at the end of the demo: counted when everything was, and what campaigns did in two lines."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from deploy.demo import summary
from deploy.demo.summary import Api, campaign_rows, counted_since
from deploy.errors import LocalError
from deploy.local.up import Running

CAUGHT_UP_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_count_from_before_everything_was_counted_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given a service that gives an older count again for a while; when the end of the demo asks for one; then it asks
    until there is one of after the last point."""
    monkeypatch.setattr(summary, "AGAIN_S", 0)
    ages = iter([timedelta(seconds=8), timedelta(seconds=8), -timedelta(seconds=1)])

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"as_of": (CAUGHT_UP_AT - next(ages)).isoformat()})

    running = cast("Running", SimpleNamespace(address=lambda _: "http://rewards"))
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        found = await counted_since(Api(running, client, "key"), CAUGHT_UP_AT)

    assert datetime.fromisoformat(found["as_of"]) == CAUGHT_UP_AT + timedelta(seconds=1)


async def test_a_count_that_never_comes_ends_the_demo_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a service whose clock was put back; when a newer count is waited for; then not for ever."""
    monkeypatch.setattr(summary, "AGAIN_S", 0.001)
    monkeypatch.setattr(summary, "COUNTED_S_MAX", 0.05)
    older = (CAUGHT_UP_AT - timedelta(hours=1)).isoformat()
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json={"as_of": older}))

    running = cast("Running", SimpleNamespace(address=lambda _: "http://rewards"))
    async with httpx.AsyncClient(transport=answering) as client:
        with pytest.raises(LocalError, match="12:00:00 UTC"):
            await counted_since(Api(running, client, "key"), CAUGHT_UP_AT)


def counted(runs: int, messages: int) -> dict[str, Any]:
    """As `GET /v1/summary` tells of a campaign."""
    return {"runs": runs, "messages": messages}


def test_what_began_and_that_nothing_is_sent_without_a_mail_server() -> None:
    found = {"thanks": counted(1_200, 1_000), "back": counted(30, 0)}
    assert campaign_rows(found, mail=False) == [
        ("Campaigns begun", "1,230 (thanks 1,200, back 30)"),
        ("Messages asked for", "1,000 (thanks 1,000)"),
        ("E-mails sent", "none: there is no REGULARS_SMTP_URL"),
    ]
    assert campaign_rows(found, mail=True)[2] == ("E-mails sent", "GET /v1/deliveries says which")


def test_many_campaigns_are_cut_short_and_none_is_said() -> None:
    many = {f"c{number}": counted(10 - number, 0) for number in range(7)}
    assert campaign_rows(many, mail=False) == [
        ("Campaigns begun", "49 (c0 10, c1 9, c2 8, c3 7, c4 6, …)"),
    ]
    assert campaign_rows({}, mail=False) == [("Campaigns begun", "0")]
