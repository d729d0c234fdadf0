"""Texts from the sealed event to facts, tags and evidence: read once, the same in any order, gone with the subject."""

import asyncio
from itertools import permutations

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.scoring.domain.language.reading import DELIVERY, decode_reading
from services.scoring.wiring.worker import create_worker
from shared.bus.records import Outgoing
from shared.bus.wiring import make_producer
from shared.contracts.codec import encode
from shared.contracts.events import EVENTS_TOPIC, EventRecord
from shared.settings import Settings
from shared.vault.secret import SecretError, check_secret
from shared.vault.subject_keys import SubjectKeys
from tests.conftest import EngineFor
from tests.integration.scoring.api import Api
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import moment

OF_CUSTOMERS = ("inbox", "customers", "facts", "identities", "timeline", "orders")
PATIENCE_S = 20
ANA = {"id": "c-42", "email": "ana@example.com"}


async def review(api: Api, days: float, words: str, rating: int = 5) -> EventRecord:
    return await api.sealed("review.posted", days, ANA, {"rating": rating}, text=words)


async def tags(api: Api, **query: str) -> httpx.Response:
    return await api.get("/v1/customers/c-42/tags", **query)


async def test_a_review_gives_sentiment_and_tags_with_the_words_that_caused_them(api: Api):
    """Given a sealed review; when the customer is shown; then with sentiment, tags, and the words for who may see."""
    await api.world.feed(await review(api, 1, "I love this brand! Wish delivery was quicker."))

    profile = (await api.get("/v1/customers/c-42")).json()
    assert profile["tags"] == ["friction", "friction-delivery", "loyalty-indicator"]
    assert profile["facts"]["texts"] == 1
    assert profile["facts"]["sentiment"] > 0
    body = (await tags(api)).json()
    assert {tag["name"]: tag["evidence"][0]["words"] for tag in body["tags"]} == {
        "friction-delivery": ["Wish delivery was quicker"],
        "loyalty-indicator": ["I love this brand"],
    }
    (first, _) = body["tags"]
    assert (first["count"], first["evidence"][0]["field"], first["evidence"][0]["type"]) == (
        1,
        "text",
        "review.posted",
    )


async def test_without_personal_read_the_words_are_hidden_and_nothing_else(api: Api):
    await api.world.feed(await review(api, 1, "I love this brand!"))

    answer = await tags(api, key="impersonal")

    assert answer.status_code == 200
    assert "love" not in answer.text
    body = answer.json()
    assert [tag["name"] for tag in body["tags"]] == ["loyalty-indicator"]
    assert body["tags"][0]["evidence"][0]["words"] is None
    assert "personal:read" in body["note"]
    assert (await tags(api, key="other")).status_code == 403


async def test_nobody_unknown_has_tags(api: Api):
    assert (await tags(api)).json()["code"] == "unknown_customer"
    await api.world.feed(await review(api, 1, "I love this brand!"))
    assert (await tags(api, at=moment(0).isoformat())).status_code == 404


async def test_an_agents_words_say_nothing_of_the_customer(api: Api):
    data = {"ticket_id": "7", "by": "agent"}
    await api.world.feed(await api.sealed("ticket.replied", 1, ANA, data, text="I am so frustrated"))

    assert (await api.get("/v1/customers/c-42")).json()["tags"] == []


async def test_the_past_is_shown_with_the_tags_of_then(api: Api):
    """Given two texts; when asked for a moment between them; then only the first counts."""
    await api.world.feed(
        await review(api, 1, "I love this brand!"), await review(api, 9, "Way too expensive.", 2)
    )

    then = (await tags(api, at=moment(5).isoformat())).json()
    now = (await tags(api)).json()

    assert [tag["name"] for tag in then["tags"]] == ["loyalty-indicator"]
    assert [tag["name"] for tag in now["tags"]] == ["friction-price", "loyalty-indicator"]
    assert then["sentiment"] > now["sentiment"]


async def test_an_erased_subject_loses_the_words_and_the_state_folds_to_the_same_bytes(
    api: Api, settings: Settings, engine_for: EngineFor
):
    """Given a reading; when the subject's key is destroyed and a late event folds all anew; then no words are left
    anywhere, the tag stands with its event, and no text that comes then is read."""
    first, second = await review(api, 5, "I love this brand!"), await review(api, 6, "I love this brand!")
    late = await api.sealed("login.recorded", 1, ANA, {})
    await api.world.feed(first)
    before = (await api.get("/v1/customers/c-42")).json()
    async with engine_for(None).begin() as connection:
        await SubjectKeys(settings.secret).destroy(connection, [first.subject])
    api.world.take_in._reader._personal._keyring.forget([first.subject])  # else a minute later

    await api.world.feed(late)
    await api.world.feed(second)

    after = (await api.get("/v1/customers/c-42")).json()
    assert after["facts"]["events"] == 3
    assert (after["tags"], after["facts"]["sentiment"]) == (before["tags"], before["facts"]["sentiment"])
    (tag,) = (await tags(api)).json()["tags"]
    assert tag["count"] == 1
    for table in ("customers", "timeline", "outbox_records"):
        rows = await api.world.rows(f"SELECT t::text FROM scoring.{table} t")
        assert not any("love" in row[0] or "brand" in row[0] for row in rows)


async def test_any_order_of_arrival_ends_in_the_same_bytes(api: Api, engine_for: EngineFor):
    """Given texts of one customer; when they arrive in every order; then state and readings are the same."""
    records = [
        await review(api, 1, "I love this brand!"),
        await review(api, 2, "Way too expensive.", 2),
        await api.sealed("feedback.given", 3, ANA, {}, text="still waiting for my parcel \U0001f621"),
    ]
    ends = set()
    for order in permutations(records):
        async with engine_for(None).begin() as connection:
            await connection.execute(
                text(f"TRUNCATE {', '.join(f'scoring.{table}' for table in OF_CUSTOMERS)}")
            )
        for record in order:
            await api.world.feed(record)
        states = await api.world.rows("SELECT state FROM scoring.customers")
        readings = await api.world.rows("SELECT reading FROM scoring.timeline ORDER BY at")
        ends.add((tuple(states), tuple(readings)))

    assert len(ends) == 1
    assert '"voice"' in ends.pop()[0][0][0]


async def test_a_worker_with_another_secret_does_not_start(
    world: World, settings: Settings, clock: ManualClock
):
    """Given texts sealed under one secret; when a worker starts with another; then it ends, rather than not to read."""
    async with world.engine.begin() as connection:
        await check_secret(connection, settings.secret)
    other = settings.model_copy(update={"secret": SecretStr("y" * 40)})
    with pytest.raises(SecretError, match="not the secret"):
        await create_worker(other, clock).run(asyncio.Event())


async def test_the_worker_reads_by_the_engine_that_is_set(api: Api, settings: Settings, clock: ManualClock):
    """Given another engine by the setting; when the worker takes a sealed review in; then it is that engine's."""
    chosen = settings.model_copy(update={"sentiment": "tests.unit.scoring.language.test_language:Cheerful"})
    told = Outgoing(EVENTS_TOPIC, "p-ana", encode(await review(api, 1, "My parcel is late.")))
    producer = make_producer(settings, api.world.engine)
    await producer.start()
    await producer.publish([told])
    await producer.stop()
    stop = asyncio.Event()
    working = asyncio.create_task(create_worker(chosen, clock).run(stop))
    async with asyncio.timeout(PATIENCE_S):
        while not (rows := await api.world.rows("SELECT reading FROM scoring.timeline")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        stop.set()
        await working

    reading = decode_reading(rows[0][0])
    assert (reading.engine, reading.sentiment) == ("cheerful/1", 70)
    assert {mention.tag for mention in reading.mentions} == {DELIVERY}
