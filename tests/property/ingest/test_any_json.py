"""Whatever is sent: an answer of 2xx or 4xx, and what is accepted can be put together again to the last key."""

import asyncio
import copy
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.application.accepting import AcceptEvents
from services.ingest.domain.checking import Checked, check
from services.ingest.domain.faults import Fault
from services.ingest.entrypoints.events import events_routes
from shared.auth.guard import Principal
from shared.auth.scopes import Scope
from shared.bus.records import Outgoing
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.codec import decode
from shared.contracts.events import EventRecord, event_key, whole
from shared.http.app import create_app
from shared.http.health import Health
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.seal import Sealer
from tests.support.catalogue_examples import CUSTOMER, DATA

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEALER = Sealer(b"k" * 32)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any JSON."""


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, Any]:
    """An event that is right, in which a few values were replaced, removed or added somewhere."""
    type_ = draw(st.sampled_from([*CATALOGUE, "x.own"]))
    event: dict[str, Any] = {
        "id": "1",
        "source": "shop",
        "type": type_,
        "time": "2026-06-01T10:00:00Z",
        "data": copy.deepcopy({"customer": CUSTOMER, **DATA.get(type_, {"level": {"a": [1]}})}),
    }
    for _ in range(draw(st.integers(0, 3))):
        place: Any = event
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            match draw(st.sampled_from(["replace", "remove", "add"])):
                case "replace":
                    place[key] = draw(values)
                case "remove":
                    del place[key]
                case "add" if isinstance(place, dict):
                    place[draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))] = draw(values)
            break
    return event


@given(event=mangled())
@settings(max_examples=400)
def test_what_is_accepted_can_be_put_together_again(event: dict[str, Any]) -> None:
    """Given an event with anything in it; then it is refused with reasons, or plain and hidden make the whole."""
    before = copy.deepcopy(event)

    result = check(event, NOW)

    assert event == before
    if isinstance(result, Checked):
        assert whole(result.plain, result.hidden) == event["data"]
        assert result.identifiers
    else:
        assert result
        assert all(fault.code and fault.detail for fault in result)
        assert all(_exists_or_is_missing(event, fault) for fault in result)


def _exists_or_is_missing(event: Any, fault: Fault) -> bool:
    """Whether the pointer leads to a place in the event, or for `required` to one that should be there."""
    value: Any = event
    steps = [step.replace("~1", "/").replace("~0", "~") for step in fault.pointer.split("/")[1:]]
    for number, step in enumerate(steps):
        if isinstance(value, list):
            value = value[int(step)]
        elif step in value:
            value = value[step]
        else:
            return fault.code == "required" and number == len(steps) - 1
    return True


@given(value=values)
@settings(max_examples=200)
def test_any_json_is_no_reason_to_fail(value: Any) -> None:
    """Given any JSON at all as an event; then it is checked without an exception."""
    result = check(value, NOW)

    assert isinstance(result, Checked) or result


class Keyring:
    """Gives everybody the same key."""

    async def sealers(self, subjects: Any) -> dict[str, Sealer]:
        """The key."""
        return dict.fromkeys(subjects, SEALER)


class Open:
    """Lets everybody in."""

    async def check(self, authorization: str | None, scope: Scope) -> Principal:
        """Yes."""
        return Principal("key", frozenset({scope}))


def application(published: list[Outgoing]) -> FastAPI:
    """Ingest's HTTP side as it is, without a database behind it."""

    async def submit(records: Sequence[Outgoing]) -> None:
        published.extend(records)

    app = create_app(
        service="ingest", title="t", description="d", health=Health("ingest", "0", {}), checks_json=False
    )
    accept = AcceptEvents(Pseudonyms("s" * 40), Keyring(), submit)
    app.include_router(events_routes(accept, Open(), lambda: NOW))  # type: ignore[arg-type]
    return app


async def _post(body: bytes, query: str, headers: dict[str, str]) -> tuple[httpx.Response, list[Outgoing]]:
    published: list[Outgoing] = []
    transport = httpx.ASGITransport(app=application(published), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        answer = await client.post(f"/v1/events{query}", content=body, headers=headers)
    return answer, published


headers_of_any_kind = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json", "application/cloudevents+json", "text/plain", ";", "json"]
        ),
        "Content-Encoding": st.sampled_from(["gzip", "identity", "br", ""]),
    },
)


@given(
    body=st.one_of(
        values.map(msgspec.json.encode),
        st.lists(mangled() | values, max_size=5).map(msgspec.json.encode),
        st.binary(max_size=200),
    ),
    query=st.sampled_from(
        ["", "?partial=true", "?partial=", "?partial=%ff", "?historical=1&partial=0", "?&&="]
    ),
    headers=headers_of_any_kind,
)
@settings(max_examples=200)
def test_no_body_makes_the_service_fail(body: bytes, query: str, headers: dict[str, str]) -> None:
    """Given any bytes, any query, any headers; then the answer is 2xx or 4xx, and says as many as were published."""
    answer, published = asyncio.run(_post(body, query, headers))

    assert answer.status_code == 202 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code == 202:
        assert answer.json()["accepted"] == len(published)
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]
        assert published == []


@given(events=st.lists(mangled(), min_size=1, max_size=6))
@settings(max_examples=150)
def test_published_records_hold_what_was_sent(events: list[dict[str, Any]]) -> None:
    """Given a batch of which the valid events are taken; then unsealing each record gives back what was sent."""
    answer, published = asyncio.run(
        _post(msgspec.json.encode(events), "?partial=true", {"Content-Type": "application/json"})
    )

    assert answer.status_code == 202, answer.text
    rejected = {each["index"] for each in answer.json()["rejected"]}
    taken = [event for index, event in enumerate(events) if index not in rejected]
    assert len(published) == len(taken)
    for event, sent in zip(taken, published, strict=True):
        record = decode(sent.value, EventRecord)
        assert record.sealed is not None
        opened = SEALER.unseal(b64decode(record.sealed), event_key(record.source, record.id))
        assert whole(record.data, msgspec.json.decode(opened)) == event["data"]
