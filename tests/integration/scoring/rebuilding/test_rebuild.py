"""A rebuild: the same events folded anew, beside the stream, once, whoever ends it whenever."""

import asyncio
import os
import random
import signal
import sys
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal

import pytest

from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.application.rebuilding import rebuild as rebuilding
from services.scoring.application.rebuilding.rebuild import Rebuild, Rebuilding
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.score.plan import Plan
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import encode_state
from services.scoring.wiring.rebuild import run_rebuild
from shared.contracts.activity import Activity
from shared.contracts.events import EventRecord
from shared.program.model.program import Stages
from shared.program.model.score import DEFAULT_WEIGHTS, Score
from shared.program.values.period import Period
from shared.settings import Settings
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import NEW_YORK, SETTINGS, cancellation, event, moment, order, refund
from tests.support.rules import FixedRules
from tests.support.stack import ROOT

EUROS = changed(SETTINGS, currency="EUR", at_risk=(3, 1))
"""Other settings: everything counted in another currency, and thresholds in another place."""

PATIENT = ScoreSettings.by_stages(
    Stages(Period.parse("P300D"), Period.parse("P600D"), Decimal(90)), "USD", NEW_YORK
)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few customers make many steps."""
    monkeypatch.setattr(rebuilding, "REBUILD_CUSTOMERS_MAX", 3)


def rebuild_of(world: World, settings: ScoreSettings) -> Rebuild:
    """The use case, wired as the process does it."""
    return world.rebuild(FixedRules(settings))


async def begin(world: World, program: str = "new") -> Rebuilding:
    """Begin one, or find the one under way."""
    async with world.engine.begin() as connection:
        return await PostgresRebuilds().begin(connection, program, world.now)


async def run(world: World, settings: ScoreSettings, steps: int | None = None) -> Rebuilding:
    """Take so many steps, or all."""
    rebuild = rebuild_of(world, settings)
    now = await begin(world)
    while now.finished_at is None and steps != 0:
        async with world.engine.begin() as connection:
            now = await rebuild(connection, now.id, world.now)
        steps = None if steps is None else steps - 1
    return now


def lives(seed: int, customers: int = 11, events: int = 90) -> list[EventRecord]:
    """Events of some customers in no order: orders in two currencies, refunds, cancellations, others."""
    chance = random.Random(seed)
    records = []
    for number in range(events):
        who = {"identifiers": {"id": f"p-{chance.randrange(customers)}"}, "id": f"e{number}"}
        at = moment(chance.randrange(700), minutes=chance.randrange(1440))
        name, amount = f"o{chance.randrange(customers * 4)}", f"{chance.randrange(1, 99)}.50"
        records.append(
            chance.choice(
                (
                    order(at, name, amount, chance.choice(("USD", "USD", "EUR")), **who),
                    order(at, f"own-{number}", amount, **who),
                    refund(at, name, f"r{number}", "5.00", **who),
                    cancellation(at, name, **who),
                    event("login.recorded", at, **who),
                )
            ).record
        )
    return records


async def corrections(world: World) -> list[Activity]:
    """What was told of rebuilds."""
    return [one for one in await world.activity() if one.data.get("reason") == "rebuild"]


async def check(world: World, settings: ScoreSettings) -> None:
    """What is stored of every customer is what their events amount to, to the byte."""
    for customer_id, state in await world.rows("SELECT id, state FROM scoring.customers"):
        async with world.engine.connect() as connection:
            history = (await world.take_in._timeline.of(connection, [customer_id]))[customer_id]
            books = await world.take_in._orders.of(connection, [customer_id])
        folded = fold(history, settings)
        assert state == encode_state(folded.state)
        assert books.get(customer_id, {}) == rebuilding._as_stored(folded.book)


@pytest.mark.parametrize("seed", range(4))
async def test_a_rebuild_with_the_same_settings_changes_not_a_byte(world: World, seed: int):
    """Given a live state; when it is rebuilt; then no row is even written, and nothing is told."""
    for record in (records := lives(seed))[:30]:
        await world.feed(record)
    await world.feed(*records[30:])
    rows = "SELECT *, xmin::text FROM scoring.customers ORDER BY id"
    orders = "SELECT customer_id, order_id, refunds::text, xmin::text FROM scoring.orders ORDER BY 1, 2"
    before = await world.rows(rows), await world.rows(orders)
    told = await world.activity()

    done = await run(world, SETTINGS)

    assert (done.customers, done.changed) == (len(before[0]), 0)
    assert (await world.rows(rows), await world.rows(orders)) == before
    assert await world.activity() == told


@pytest.mark.parametrize("seed", range(3))
async def test_a_rebuild_with_new_settings_equals_a_life_with_them(world: World, seed: int):
    """Given states of the old settings; when they are rebuilt; then they are as if the new ones had always held, each
    change is told once, marked for nobody to be written to, and a second rebuild finds nothing more."""
    await world.feed(*lives(seed))
    old = dict(await world.rows("SELECT id, state FROM scoring.customers"))

    done = await run(world, EUROS)

    await check(world, EUROS)
    new = dict(await world.rows("SELECT id, state FROM scoring.customers"))
    others = {customer_id for customer_id in old if old[customer_id] != new[customer_id]}
    told = await corrections(world)
    assert done.changed == len(others) > 0
    assert sorted(one.customer_id for one in told) == sorted(others)
    assert {(one.type, one.historical, one.facts.currency) for one in told} == {
        ("facts.corrected", True, "EUR")
    }

    again = await run(world, EUROS)

    assert (again.id != done.id, again.changed) == (True, 0)
    assert len(await corrections(world)) == len(told)


@pytest.mark.parametrize("seed", range(4))
async def test_two_rebuilds_beside_a_stream_of_events_end_where_one_alone_does(world: World, seed: int):
    """Given states of the old settings; when two rebuilds run at once while events of the same customers, late ones
    too, and merges come in with the new settings; then all states are right to the byte, and each customer was done
    and told once."""
    records = lives(seed, events=160)
    await world.feed(*records[:80])
    customers = len(await world.rows("SELECT id FROM scoring.customers"))
    old = dict(await world.rows("SELECT id, state FROM scoring.customers"))
    live = World(world.engine, world.now, EUROS)
    mail = {"identifiers": {"email": "m-1"}, "id": "by-mail"}
    link = {"identifiers": {"id": "p-1", "email": "m-1"}, "id": "links"}

    async def stream() -> None:
        await live.feed(order(moment(3), "by-mail", **mail).record)
        for at in range(80, 160, 8):
            await live.feed(*records[at : at + 8])
        await live.feed(event("customer.identified", moment(800), **link).record)

    first, second, _ = await asyncio.gather(run(world, EUROS), run(world, EUROS), stream())

    await check(world, EUROS)
    assert first.id == second.id
    assert max(first.customers, second.customers) >= customers
    told = [one.customer_id for one in await corrections(world)]
    assert len(told) == len(set(told)) <= len(old) + 1


async def test_a_rebuild_that_is_killed_goes_on_where_it_was(world: World):
    """Given a rebuild that ended after two steps, the third undone; when it is begun again; then it goes on after
    these, and nobody is told twice."""
    await world.feed(*lives(1))
    customers = len(await world.rows("SELECT id FROM scoring.customers"))
    half = await run(world, EUROS, steps=2)
    connection = await world.engine.connect()
    await connection.begin()
    await rebuild_of(world, EUROS)(connection, half.id, world.now)
    await connection.rollback()
    await connection.close()

    assert (await begin(world)) == half
    done = await run(world, EUROS)

    assert (half.customers, done.id, done.customers) == (6, half.id, customers)
    told = [one.customer_id for one in await corrections(world)]
    assert len(told) == len(set(told)) == done.changed
    await check(world, EUROS)


async def test_a_rebuild_with_another_program_begins_from_the_first_customer(world: World):
    """Given a rebuild that was interrupted; when one with another program begins; then the first is given up."""
    await world.feed(*lives(1))
    half = await run(world, EUROS, steps=1)

    other = await begin(world, "yet another program")

    assert (other.id != half.id, other.cursor, other.customers) == (True, "", 0)
    assert len(await world.rows("SELECT id FROM scoring.rebuilds WHERE finished_at IS NULL")) == 1


async def test_other_weights_alone_are_told_as_a_change_of_the_score(world: World):
    """Given customers; when the parts of the score weigh differently; then a rebuild tells each new score, once."""
    ben = order(moment(41), "3", identifiers={"id": "p-ben"})
    await world.feed(*(one.record for one in (order(moment(1), "1"), order(moment(40), "2"), ben)))
    recency_alone = changed(
        SETTINGS, plan=Plan.of(Score(weights=dict.fromkeys(DEFAULT_WEIGHTS, 0) | {"recency": 1}))
    )

    done = await run(world, recency_alone)
    again = await run(world, recency_alone)

    assert (done.changed, again.changed) == (2, 0)
    for one in await corrections(world):
        change = next(change for change in one.changes if change.what == "score")
        assert change.new == str(one.facts.score) == "100"
        assert change.old != change.new


async def test_each_score_told_goes_on_from_the_one_before(world: World):
    """Given orders one by one and at once, with long silences; then each change begins where the last ended."""
    days = [1, 5, 90, 91, 300, 301, 302, 700]
    orders = [order(moment(day), str(day), total=f"{day}.00").record for day in days]
    for record in orders[:4]:
        await world.feed(record)
    await world.feed(*orders[4:])

    scores = [each for one in await world.activity() for each in one.changes if each.what == "score"]

    assert len(scores) > 3
    assert [each.old for each in scores[1:]] == [each.new for each in scores[:-1]]


async def test_new_thresholds_take_back_a_stage_that_was_told(world: World):
    """Given a customer told to be lost; when more patience is asked for; then the rebuild tells that they are not,
    once, and the sweep, which looks at them next, has nothing to add."""
    await world.feed(*(order(moment(day), str(day)).record for day in (0, 10, 20)))
    late = moment(200)
    sweep = world.sweep()
    async with world.engine.begin() as connection:
        await sweep(connection, late)
    world.now = late
    ((lapsed,),) = await world.rows("SELECT stage FROM scoring.customers")
    told = len(await world.activity())

    await run(world, PATIENT)
    patient = world.sweep(PATIENT)
    for seconds in (10, 20):
        async with world.engine.begin() as connection:
            await patient(connection, late + timedelta(seconds=seconds))

    ((stage, check_at),) = await world.rows("SELECT stage, check_at FROM scoring.customers")
    (one,) = (await world.activity())[told:]
    (change,) = [each for each in one.changes if each.what == "stage"]
    assert (change.old, change.new) == (lapsed, stage)
    assert (lapsed, stage) == ("churned", one.facts.stage)
    assert check_at > late


async def test_the_process_can_be_killed_and_started_again(
    world: World, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    """Given many customers and a program that counts otherwise; when the process of a rebuild is killed in the middle
    and another one is started; then that one does the rest, and everybody is told once."""
    monkeypatch.setattr(rebuilding, "REBUILD_CUSTOMERS_MAX", 100)
    count = 2500
    for begin_at in range(0, count, 500):
        await world.feed(
            *(
                order(moment(day), f"{number}-{day}", identifiers={"id": f"p-{number}"}).record
                for number in range(begin_at, begin_at + 500)
                for day in (0, 9)
            )
        )
    program = settings.home / "program.yaml"
    settings.home.mkdir(exist_ok=True)
    program.write_text("name: Euros\ncurrency: EUR\ntime_zone: Europe/Berlin\n")
    settings = settings.model_copy(update={"program": program})
    assert settings.database_url is not None
    assert settings.secret is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REGULARS_SECRET": settings.secret.get_secret_value(),
        "REGULARS_PARTITIONS": str(settings.partitions),
        "REGULARS_PROGRAM": str(program),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.scoring.main", "rebuild", cwd=ROOT, env=environment
    )
    async with asyncio.timeout(60):
        while not await world.rows("SELECT 1 FROM scoring.rebuilds WHERE customers > 0"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    ((begun, customers),) = await world.rows("SELECT id, customers FROM scoring.rebuilds")
    assert 0 < customers < count

    heard: list[int] = []
    done = await run_rebuild(settings, clock, asyncio.Event(), lambda one, _: heard.append(one.customers))

    assert (done.id, done.customers, done.changed) == (begun, count, count)
    assert heard[0] >= customers
    told = [one.customer_id for one in await corrections(world)]
    assert len(told) == len(set(told)) == count
