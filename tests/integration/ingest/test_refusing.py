"""What is refused leaves no trace, and the sender learns why."""

import gzip
import json
from typing import Any

import pytest

from shared.auth.scopes import Scope
from shared.settings import Settings
from shared.vault.pseudonyms import Pseudonyms
from tests.integration.ingest.conftest import Ingest
from tests.support.events import event, order


def is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document, which must have this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["title"]
    assert document["type"]
    return document


async def test_one_bad_event_refuses_the_batch(ingest: Ingest) -> None:
    """Given a batch with two bad events; then both are named by index and place, and nothing of it is taken."""
    bad_line = {"sku": "A-1", "quantity": 0, "unit_price": "1"}
    batch = [order(0), order(1, total="-1"), order(2), order(3, lines=[bad_line]), order(4)]

    document = is_problem(await ingest.post(batch), 422, "invalid_events")

    places = {error["pointer"]: error["code"] for error in document["errors"]}
    assert places == {"/1/data/total": "wrong_format", "/3/data/lines/0/quantity": "out_of_range"}
    assert await ingest.log() == []


async def test_partial_takes_the_valid_ones(ingest: Ingest) -> None:
    """Given a batch with bad events and partial=true; then the others are taken and the bad ones listed."""
    batch = [
        order(0),
        order(1, total="-1"),
        17,
        order(3),
        order(4, note="a\0b"),
        {"type": "order.complete", "id": 5},
    ]

    answer = await ingest.post(batch, query="?partial=true")

    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body["accepted"] == 2
    assert [(each["index"], each["id"]) for each in body["rejected"]] == [
        (1, "order-1"),
        (2, None),
        (4, "order-4"),
        (5, None),
    ]
    assert body["rejected"][0]["errors"][0]["pointer"] == "/data/total"
    assert body["rejected"][2]["errors"][0]["code"] == "nul_character"
    assert "order.completed" in body["rejected"][3]["errors"][0]["detail"]
    assert sorted(record.id for record in await ingest.records()) == ["order-0", "order-3"]


async def test_partial_without_any_valid_event(ingest: Ingest) -> None:
    """Given only bad events and partial=true; then none is taken, and the answer says so."""
    answer = await ingest.post([order(total="x")], query="?partial=1")

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 0
    assert await ingest.log() == []


async def test_single_event_has_pointers_without_index(ingest: Ingest) -> None:
    """Given one bad event that is no array; then the pointers lead into it."""
    document = is_problem(await ingest.post(order(total=1)), 422, "invalid_events")

    assert [error["pointer"] for error in document["errors"]] == ["/data/total"]


async def test_erased_customer_is_refused(ingest: Ingest, settings: Settings) -> None:
    """Given a customer who was erased; then an event about them is refused, and others are taken with partial."""
    subject = Pseudonyms(settings.secret).of("id", "gone")
    await ingest.sql(
        "INSERT INTO platform.subject_keys (subject, key, created_at, destroyed_at) VALUES (:s, NULL, now(), now())",
        s=subject,
    )
    about_them = order(1, customer={"id": "gone", "email": "gone@example.com"})

    document = is_problem(await ingest.post([order(0), about_them]), 422, "customer_erased")
    assert document["errors"][0]["pointer"] == "/1/data/customer"
    assert await ingest.log() == []

    answer = await ingest.post([order(0), about_them], query="?partial=true")
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["errors"][0]["code"] == "customer_erased"


BODIES: list[tuple[str, bytes, int, str]] = [
    ("nothing", b"", 400, "malformed_json"),
    ("no JSON", b"hello", 400, "malformed_json"),
    ("half of JSON", b'[{"id":', 400, "malformed_json"),
    ("more than JSON", b"{} {}", 400, "malformed_json"),
    ("NaN", b'[{"total": NaN}]', 400, "malformed_json"),
    ("a number beyond floats", b"[1e400]", 400, "malformed_json"),
    ("half a surrogate pair", b'["\\ud800"]', 400, "malformed_json"),
    ("no UTF-8", b'["\xff"]', 400, "malformed_json"),
    ("UTF-16", '[{"id": "a"}]'.encode("utf-16"), 400, "malformed_json"),
    ("an empty array", b"[]", 422, "invalid_events"),
    ("a number", b"17", 422, "invalid_events"),
    ("null", b"null", 422, "invalid_events"),
    ("an array of nothing", b"[null]", 422, "invalid_events"),
    ("an array in an array", b"[[]]", 422, "invalid_events"),
    ("deep nesting", b"[" * 20_000 + b"]" * 20_000, 422, "invalid_events"),
    ("an integer of a thousand digits", b"[" + b"9" * 1000 + b"]", 422, "invalid_events"),
    ("1,001 events", json.dumps([{}] * 1001).encode(), 422, "invalid_events"),
    ("a NUL", json.dumps([order(note="\0")]).encode(), 422, "invalid_events"),
    ("more than 2 MiB", b'["' + b"a" * (2 * 1024 * 1024) + b'"]', 413, "body_too_large"),
]


@pytest.mark.parametrize(
    ("body", "status", "code"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
async def test_bad_body_gets_a_clear_answer(ingest: Ingest, body: bytes, status: int, code: str) -> None:
    """Given a body that is no batch of events; then a problem says what is wrong, and nothing is taken."""
    document = is_problem(await ingest.post_raw(body), status, code)

    assert document["detail"]
    assert await ingest.log() == []


async def test_other_media_types_are_refused(ingest: Ingest) -> None:
    """Given a body that is not declared as JSON in UTF-8; then the sender learns what is taken."""
    for media_type in (
        "text/plain",
        "application/xml",
        "application/jsonp",
        "application/json; charset=utf-16",
    ):
        answer = await ingest.post_raw(json.dumps(order()).encode(), {"Content-Type": media_type})
        document = is_problem(answer, 415, "unsupported_media_type")
        assert "application/json" in document["detail"]


async def test_bad_compression_is_refused(ingest: Ingest) -> None:
    """Given bodies whose compression is unknown, broken, or hides too much; then the answer says so."""
    body = json.dumps(order()).encode()
    packed = gzip.compress(body)
    bomb = gzip.compress(b" " * (3 * 1024 * 1024))

    is_problem(await ingest.post_raw(body, {"Content-Encoding": "br"}), 415, "unsupported_content_encoding")
    for broken in (body, packed[:-4], packed + packed, packed + b"x"):
        is_problem(await ingest.post_raw(broken, {"Content-Encoding": "gzip"}), 400, "malformed_body")
    is_problem(await ingest.post_raw(bomb, {"Content-Encoding": "gzip"}), 413, "body_too_large")


async def test_bad_option_is_refused(ingest: Ingest) -> None:
    """Given `partial` that is neither true nor false; then the parameter is named."""
    document = is_problem(await ingest.post(order(), query="?partial=perhaps"), 422, "invalid_request")

    assert document["errors"][0]["parameter"] == "partial"
    assert await ingest.log() == []


async def test_key_is_needed_and_needs_the_scope(ingest: Ingest) -> None:
    """Given no key, a wrong one, or one without the scope; then nothing is taken."""
    other = await ingest.key(Scope.PROFILES_READ)
    right = await ingest.key(Scope.EVENTS_WRITE)

    ingest.client.headers.pop("Authorization")
    answer = await ingest.post(order())
    is_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for token in ("reg_wrong", ""):
        is_problem(
            await ingest.post(order(), headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated"
        )
    is_problem(
        await ingest.post(order(), headers={"Authorization": f"Bearer {other}"}), 403, "insufficient_scope"
    )
    assert await ingest.log() == []
    assert (await ingest.post(order(), headers={"Authorization": f"Bearer {right}"})).status_code == 202


async def test_other_methods_and_paths(ingest: Ingest) -> None:
    """Given a path or method that does not exist; then the answer is a problem document as well."""
    is_problem(await ingest.client.get("/v1/events"), 405, "method_not_allowed")
    is_problem(await ingest.client.post("/v1/event"), 404, "not_found")


async def test_event_beyond_what_travels(ingest: Ingest) -> None:
    """Given one event that is larger than what travels; then it is refused by name and the others are taken."""
    answer = await ingest.post([order(0), event("x.large", text="a" * 700_000)], query="?partial=true")

    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["errors"][0]["code"] == "event_too_large"
