"""What is accepted stands on the stream, in order, sealed, for good."""

import asyncio
import gzip
import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from shared.bus.records import partition_of
from shared.contracts.events import event_key, whole
from shared.settings import Settings
from shared.vault.seal import Sealer
from shared.vault.subject_keys import SubjectKeys
from tests.conftest import EngineFor
from tests.integration.ingest.conftest import Ingest
from tests.support.catalogue_examples import CUSTOMER, DATA
from tests.support.clock import ManualClock
from tests.support.events import event, order


async def test_accepted_event_is_on_the_log(ingest: Ingest, clock: ManualClock) -> None:
    """Given a valid order; when it is posted; then it is accepted and durable."""
    answer = await ingest.post(order())

    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": 1}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    (record,) = await ingest.records()
    assert (record.source, record.id, record.type) == ("shop", "order-1", "order.completed")
    assert record.data["total"] == "49.20"
    assert record.received == clock()


async def test_all_types_are_accepted_in_one_batch(ingest: Ingest) -> None:
    """Given one event of each type; when they are posted as an array; then all are on the log."""
    batch = [event(type_, id=type_, customer=CUSTOMER, **data) for type_, data in DATA.items()]

    answer = await ingest.post([*batch, event("x.own", id="x.own")])

    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": len(DATA) + 1}
    assert {record.type for record in await ingest.records()} == {*DATA, "x.own"}


async def test_sealed_data_opens_with_the_subjects_key(
    ingest: Ingest, settings: Settings, engine_for: EngineFor
) -> None:
    """Given an accepted event; when the subject's key is taken from the vault; then the whole data is there again."""
    given = event("customer.registered", customer=CUSTOMER, shoe_size=42)
    await ingest.post(given)

    (record,) = await ingest.records()
    async with engine_for("regulars_scoring").begin() as connection:
        keys = await SubjectKeys(settings.secret).get(connection, [record.subject])
    assert record.sealed is not None
    opened = Sealer(keys[record.subject]).unseal(
        b64decode(record.sealed), event_key(record.source, record.id)
    )
    assert whole(record.data, msgspec.json.decode(opened)) == given["data"]


async def test_events_of_one_customer_keep_their_order(ingest: Ingest) -> None:
    """Given a batch, and others right after; then each customer's events lie in one partition in the order sent."""
    customers = [{"id": f"c-{n}"} for n in range(7)]
    numbers = iter(range(10_000))
    for _ in range(3):
        batch = [order(next(numbers), customer=customer) for _ in range(5) for customer in customers]
        assert (await ingest.post(batch)).status_code == 202

    seen: dict[str, list[int]] = {}
    for incoming in await ingest.log():
        assert incoming.partition == partition_of(incoming.key, 4)
        number = int(json.loads(incoming.value)["id"].removeprefix("order-"))
        seen.setdefault(incoming.key, []).append(number)
    assert len(seen) == 7
    for sent in seen.values():
        assert sent == sorted(sent)
        assert len(sent) == 15


async def test_requests_at_once_are_all_kept(ingest: Ingest) -> None:
    """Given a hundred senders at the same time; then every event is on the log once, in few publishes."""
    before = REGISTRY.get_sample_value("regulars_ingest_publish_seconds_count") or 0

    answers = await asyncio.gather(*(ingest.post(order(n)) for n in range(100)))

    assert {answer.status_code for answer in answers} == {202}
    assert sorted(record.id for record in await ingest.records()) == sorted(f"order-{n}" for n in range(100))
    after = REGISTRY.get_sample_value("regulars_ingest_publish_seconds_count") or 0
    assert after - before < 50


async def test_the_same_event_twice_is_fine(ingest: Ingest) -> None:
    """Given the same event twice in a batch and again later; then it is accepted: it counts once downstream."""
    assert (await ingest.post([order(), order()])).json() == {"accepted": 2}
    assert (await ingest.post(order())).json() == {"accepted": 1}


async def test_unknown_keys_are_told_and_counted(ingest: Ingest) -> None:
    """Given keys that the catalogue does not know; then the event is taken, the keys named and counted."""
    given = order(gift_wrap="5.00")
    given["data"]["lines"][0]["colour"] = "red"

    def counted(field: str) -> float:
        labels = {"type": "order.completed", "field": field}
        return REGISTRY.get_sample_value("regulars_ingest_unknown_fields_total", labels) or 0

    before = counted("gift_wrap"), counted("lines[].colour")

    answer = await ingest.post([given, order(2)])

    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 2,
        "unknown_fields": {"order.completed": ["gift_wrap", "lines[].colour"]},
    }
    assert (counted("gift_wrap"), counted("lines[].colour")) == (before[0] + 1, before[1] + 1)


async def test_unknown_keys_cannot_flood_the_metrics(ingest: Ingest) -> None:
    """Given a thousand different unknown keys, and some that look personal; then few get a label of their own."""
    batch = [
        event("login.recorded", id=str(n), **{f"key_{n}": 1, f"ana{n}@example.com": 1}) for n in range(1000)
    ]

    assert (await ingest.post(batch)).status_code == 202

    metrics = (await ingest.client.get("/metrics")).text
    lines = [
        line
        for line in metrics.splitlines()
        if line.startswith("regulars_ingest_unknown_fields_total{") and "login" in line
    ]
    assert len(lines) < 50
    assert "@" not in "".join(lines)


async def test_accepted_events_are_counted_by_type(ingest: Ingest) -> None:
    """Given an order and two types of the shop's own; then these two share a label."""

    def counted(type_: str) -> float:
        return REGISTRY.get_sample_value("regulars_ingest_events_accepted_total", {"type": type_}) or 0

    before = counted("order.completed"), counted("x.*")

    await ingest.post([order(), event("x.a"), event("x.b")])

    assert (counted("order.completed"), counted("x.*")) == (before[0] + 1, before[1] + 2)


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/CloudEvents+JSON",
        "application/cloudevents-batch+json; charset=utf-8",
    ],
)
async def test_media_types_of_json_are_taken(ingest: Ingest, media_type: str) -> None:
    """Given the media types of JSON and of CloudEvents; then the event is taken."""
    answer = await ingest.post_raw(json.dumps([order()]).encode(), {"Content-Type": media_type})

    assert answer.status_code == 202, answer.text


async def test_gzip_is_understood(ingest: Ingest) -> None:
    """Given a compressed body; then its events are taken."""
    packed = gzip.compress(json.dumps([order(n) for n in range(50)]).encode())

    answer = await ingest.post_raw(packed, {"Content-Encoding": "gzip"})

    assert answer.json() == {"accepted": 50}


async def test_thousand_events_are_taken_and_text_of_all_scripts_survives(ingest: Ingest) -> None:
    """Given as many events as are allowed, with emoji as escapes; then all are taken as they are."""
    batch: list[dict[str, Any]] = [
        event("x.greet", id=str(n), text="grüß dich 😀 \u2028") for n in range(1000)
    ]

    answer = await ingest.post_raw(json.dumps(batch).encode())

    assert answer.json() == {"accepted": 1000}
    assert {record.data["text"] for record in await ingest.records()} == {"grüß dich 😀 \u2028"}


async def test_history_is_marked(ingest: Ingest) -> None:
    """Given events sent as history; then their records say so."""
    assert (await ingest.post([order()], query="?historical=true")).status_code == 202

    assert [record.historical for record in await ingest.records()] == [True]


async def test_what_earns_nothing_is_marked(ingest: Ingest) -> None:
    """Given events sent to earn nothing; then their records say so; and by default they do not."""
    await ingest.post([order(1)], query="?historical=true&rewards=false")
    await ingest.post([order(2)], query="?rewards=true")

    assert sorted((record.id, record.unrewarded) for record in await ingest.records()) == [
        ("order-1", True),
        ("order-2", False),
    ]


async def test_key_of_a_subject_is_made_once(ingest: Ingest, engine_for: EngineFor) -> None:
    """Given many events of one new customer at once; then one key is made."""
    await asyncio.gather(*(ingest.post(order(n, customer={"id": "new"})) for n in range(20)))

    async with engine_for(None).connect() as connection:
        keys = await connection.exec_driver_sql("SELECT count(*) FROM platform.subject_keys")
        assert keys.scalar() == 1
