"""A rebuild reads texts again that another engine, or an earlier edition of our rules, has read: the result is what a
live run of today would have made, but for subjects who were erased."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.language.engines import EngineError
from services.scoring.adapters.language.reader import TextReader
from services.scoring.adapters.language.vader import Vader
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.application.rebuilding import rebuild as rebuilding
from services.scoring.application.rebuilding.rebuild import Rebuilding
from services.scoring.domain.language.read import SentimentEngine
from services.scoring.domain.language.reading import decode_reading
from services.scoring.wiring.rebuild import run_rebuild
from services.scoring.wiring.worker import create_worker
from shared.contracts.events import EventRecord
from shared.settings import Settings
from shared.vault.subject_keys import SubjectKeys
from tests.conftest import SECRET, EngineFor
from tests.integration.scoring.api import Api
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import SETTINGS, moment
from tests.support.rules import FixedRules

WORDS = (
    "I love this brand!",
    "My parcel is late.",
    "Übermorgen.",
    "Way too expensive, and it broke.",
    "It is blue.",
)
OF_CUSTOMERS = ("inbox", "customers", "facts", "identities", "timeline", "orders", "merges")


class Grim:
    """Another engine: everything sounds bad, and German it cannot read."""

    name = "grim/1"

    def sentiment(self, text: str) -> int | None:
        """As bad as the text is long."""
        return None if "Ü" in text else -min(100, len(text))


def reader(world: World, engine: SentimentEngine) -> TextReader:
    """What reads texts by that engine."""
    return TextReader(PersonalData(world.engine, SECRET), engine)


async def letters(api: Api) -> list[EventRecord]:
    """Two customers who write, and buy in between."""
    records = []
    for number, words in enumerate(WORDS * 2):
        who = {"id": f"c-{number % 2}", "email": f"c-{number % 2}@example.com"}
        records += [
            await api.sealed("review.posted", number, who, {"rating": 3}, text=words),
            await api.sealed("login.recorded", number + 0.5, who, {}),
        ]
    return records


async def stored(world: World) -> dict[str, Any]:
    """All of the customers, by subject: the ids are drawn anew in each world."""
    return {
        "states": sorted(await world.rows("SELECT state FROM scoring.customers")),
        "readings": await world.rows("SELECT subject, at, reading FROM scoring.timeline ORDER BY 1, 2"),
    }


async def run(world: World, engine: SentimentEngine, steps: int | None = None) -> Rebuilding:
    """Rebuild by that engine: so many steps, or all."""
    use_case = world.rebuild(FixedRules(SETTINGS), reader(world, engine))
    async with world.engine.begin() as connection:
        now = await PostgresRebuilds().begin(connection, "again", world.now)
    while now.finished_at is None and steps != 0:
        async with world.engine.begin() as connection:
            now = await use_case(connection, now.id, world.now)
        steps = None if steps is None else steps - 1
    return now


async def live(api: Api, engine_for: EngineFor, records: list[EventRecord], engine: SentimentEngine) -> World:
    """An empty world, in which these events came while that engine read."""
    tables = ", ".join(f"scoring.{table}" for table in OF_CUSTOMERS)
    async with engine_for(None).begin() as connection:
        await connection.execute(text(f"TRUNCATE {tables}"))
    world = World(api.world.engine, api.world.now, reader=reader(api.world, engine))
    await world.feed(*records)
    return world


async def test_a_rebuild_by_another_engine_is_what_that_engine_would_have_made_live(
    api: Api, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
):
    """Given texts read by one engine; when all is folded anew by another, a few texts a step, killed in between; then
    states and readings are those of a world in which that one had read them, to the byte; and a second rebuild changes
    nothing."""
    monkeypatch.setattr(rebuilding, "TEXTS_MAX", 3)
    records = await letters(api)
    expected = await stored(await live(api, engine_for, records, Grim()))
    world = await live(api, engine_for, records, Vader())
    before = await stored(world)

    assert (await run(world, Grim(), steps=1)).customers == 1
    done = await run(world, Grim())

    assert expected != before
    assert await stored(world) == expected
    assert (done.customers, done.changed) == (2, 2)
    told = [one for one in await world.activity() if one.data.get("reason") == "rebuild"]
    assert len(told) == 2
    assert all(one.historical for one in told)
    assert (await run(world, Grim())).changed == 0


async def test_an_earlier_edition_of_our_rules_is_read_again(
    api: Api, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
):
    """Given texts read by an earlier edition, by the same engine; then a rebuild reads them, and notes the edition."""
    world = await live(api, engine_for, await letters(api), Vader())
    before = await stored(world)
    for module in ("language.read", "texts"):
        monkeypatch.setattr(f"services.scoring.domain.{module}.EDITION", 2)

    done = await run(world, Vader())

    readings = [decode_reading(one) for _, _, one in (await stored(world))["readings"] if one is not None]
    assert done.changed == 0
    assert (await stored(world))["states"] == before["states"]
    assert {one.edition for one in readings} == {2}


async def test_of_the_erased_the_reading_stays_that_there_is(
    api: Api, engine_for: EngineFor, settings: Settings
):
    """Given a customer whose key was destroyed since; when all is folded anew by another engine; then what the words
    sounded like stays, the customer is the same to the byte, and the other one is read again."""
    records = await letters(api)
    world = await live(api, engine_for, records, Vader())
    before = await stored(world)
    erased = records[0].subject
    async with engine_for(None).begin() as connection:
        await SubjectKeys(settings.secret).destroy(connection, [erased])

    done = await run(world, Grim())

    after = await stored(world)
    assert done.changed == 1
    kept = [row for row in before["readings"] if row[0] == erased]
    assert [row for row in after["readings"] if row[0] == erased] == kept
    assert [row for row in after["readings"] if row[0] != erased] != [
        row for row in before["readings"] if row[0] != erased
    ]


async def test_events_that_come_meanwhile_are_read_and_counted_once(api: Api, engine_for: EngineFor):
    """Given a rebuild half done; when a text comes, late, for a customer who is done and for one who is not; then all
    is as if the new engine had read everything."""
    records = await letters(api)
    extra = [
        await api.sealed("review.posted", 0.2, {"id": f"c-{number}"}, {"rating": 1}, text="Never again.")
        for number in range(2)
    ]
    expected = await stored(await live(api, engine_for, [*records, *extra], Grim()))
    world = await live(api, engine_for, records, Vader())
    await run(world, Grim(), steps=0)
    newer = World(world.engine, world.now + timedelta(seconds=1), reader=reader(world, Grim()))
    await newer.feed(*extra)

    await run(world, Grim())

    assert await stored(world) == expected


async def test_the_command_reads_by_the_engine_that_is_set(
    api: Api, settings: Settings, clock: ManualClock, engine_for: EngineFor
):
    """Given texts read by the engine that ships; when `regulars rebuild` runs with another; then it is that one's."""
    world = await live(api, engine_for, await letters(api), Vader())
    chosen = settings.model_copy(
        update={"sentiment": "tests.integration.scoring.rebuilding.test_read_again:Grim"}
    )
    clock.set(moment(40))

    async with world.engine.begin() as connection:
        await PostgresRebuilds().begin(connection, "before", clock())
    done = await run_rebuild(chosen, clock, asyncio.Event(), lambda rebuilding, customers: None)

    assert done.finished_at is not None
    readings = [decode_reading(one) for _, _, one in (await stored(world))["readings"] if one is not None]
    assert {one.engine for one in readings} == {"grim/1"}


async def test_a_rebuild_reads_by_the_engine_of_the_workers_or_not_at_all(
    api: Api, settings: Settings, clock: ManualClock, engine_for: EngineFor
):
    """Given workers that read by the engine that ships; when `regulars rebuild` runs with another; then it is refused,
    names both, and nothing has changed; once the workers read by that one too, it is done."""
    world = await live(api, engine_for, await letters(api), Vader())
    chosen = settings.model_copy(
        update={"sentiment": "tests.integration.scoring.rebuilding.test_read_again:Grim"}
    )
    await started_and_stopped(world, settings, clock)
    before = await stored(world), await world.rows("SELECT * FROM scoring.rebuilds")

    with pytest.raises(EngineError, match=f"by the engine '{re.escape(Vader().name)}', this .* by 'grim/1'"):
        await run_rebuild(chosen, clock, asyncio.Event(), lambda rebuilding, customers: None)

    assert (await stored(world), await world.rows("SELECT * FROM scoring.rebuilds")) == before

    await started_and_stopped(world, chosen, clock)
    async with world.engine.begin() as connection:
        await PostgresRebuilds().begin(connection, "before", clock())
    done = await run_rebuild(chosen, clock, asyncio.Event(), lambda rebuilding, customers: None)
    assert done.finished_at is not None


async def started_and_stopped(world: World, settings: Settings, clock: ManualClock) -> None:
    """A worker that runs until it has said by which engine it reads."""
    stop = asyncio.Event()
    worker = create_worker(settings, clock)
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(20):
        while await world.rows("SELECT engine FROM scoring.text_engine") != [(worker.reader.engine,)]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    stop.set()
    await running
