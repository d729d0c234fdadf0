"""The lifecycle on a real database: sweeps beside each other and killed ones, late events, lists, looking back."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.application.customers.portray import Portray
from services.scoring.application.due.sweep import Sweep
from services.scoring.domain.assess import assess
from shared.contracts.lifecycle import STAGES
from shared.vault.pseudonyms import Pseudonyms
from tests.conftest import EngineFor
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, event, moment, order
from tests.support.rules import FixedRules

AT_RISK = ("active", "at_risk", moment(35))
LAPSED = ("at_risk", "lapsed", moment(80) - timedelta(hours=1))  # the clocks were put forward in between
CHURNED = ("lapsed", "churned", moment(200) - timedelta(hours=1))
Changes = list[tuple[str | None, str | None, datetime]]


@pytest.fixture
def sweep(world: World) -> Sweep:
    """A sweep over the same database."""
    return world.sweep()


async def run(world: World, sweep: Sweep, now: datetime) -> None:
    """One sweep, committed."""
    async with world.engine.begin() as connection:
        await sweep(connection, now)


async def regular(world: World, *days: float) -> None:
    """A customer with orders on these days (0, 10 and 20), taken in then."""
    days = days or (0, 10, 20)
    world.now = moment(days[-1])
    await world.feed(*(order(moment(day), str(day)).record for day in days))


async def told(world: World) -> Changes:
    """All changes of stage that any record tells, in order."""
    return [
        (change.old, change.new, change.at or one.time)
        for one in await world.activity()
        for change in one.changes
        if change.what == "stage"
    ]


async def swept(world: World) -> Changes:
    """Those that the sweep told."""
    return [
        (one.data["from"], one.data["to"], one.time)
        for one in await world.activity()
        if one.type == "stage.changed"
    ]


async def test_a_second_sweep_passes_over_whom_the_first_has_not_committed_yet(world: World, sweep: Sweep):
    """Given a sweep that has told a change and not committed; when a second one comes on another connection; then it
    finds nobody, waits for nobody, and the change is told once."""
    await regular(world)

    async with world.engine.begin() as first:
        await sweep(first, moment(90))
        async with world.engine.begin() as second:
            pids = [
                (await one.execute(text("SELECT pg_backend_pid()"))).scalar_one() for one in (first, second)
            ]
            more = await asyncio.wait_for(sweep(second, moment(90)), timeout=5)
    await run(world, sweep, moment(90))

    assert (pids[0] != pids[1], more) == (True, False)
    assert await swept(world) == [AT_RISK, LAPSED]


async def test_a_sweep_that_is_killed_before_it_commits_is_done_again_by_the_next(
    world: World, sweep: Sweep, engine_for: EngineFor
):
    """Given a sweep whose connection the server ends after everything is written; when the next one comes; then every
    stage is told once, as if the first had never been."""
    await regular(world)

    async def killed() -> None:
        async with world.engine.begin() as doomed:
            await sweep(doomed, moment(230))
            pid = (await doomed.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with engine_for(None).begin() as administrator:
                await administrator.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await doomed.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError, match="connection"):
        await killed()
    assert await swept(world) == []
    await run(world, sweep, moment(231))
    await run(world, sweep, moment(232))

    assert await swept(world) == [AT_RISK, LAPSED, CHURNED]


async def test_a_sweep_killed_between_two_stages_goes_on_with_the_next(world: World, sweep: Sweep):
    """Given a risk told and a sweep away since then; when one comes after days; then only the rest is told."""
    await regular(world)
    await run(world, sweep, moment(36))

    await run(world, sweep, moment(230))

    assert await swept(world) == [AT_RISK, LAPSED, CHURNED]


async def test_an_order_that_wins_back_tells_what_time_had_done_before(world: World, sweep: Sweep):
    """Given a customer whom no sweep saw for 300 days; when they order; then that record tells each stage passed, with
    its moment, and the return."""
    await regular(world)
    back = order(moment(300), "300")
    world.now = moment(300)
    await world.feed(back.record)

    await run(world, sweep, moment(301))

    assert (await told(world))[-4:] == [AT_RISK, LAPSED, CHURNED, ("churned", "won_back", moment(300))]
    assert await swept(world) == []


async def test_an_event_that_comes_late_and_changes_nothing_leaves_what_the_sweep_told(
    world: World, sweep: Sweep
):
    """Given a risk told as of day 35; when a login of day 30 comes; then no change is told, and not the risk again."""
    await regular(world)
    await run(world, sweep, moment(36))
    before = await told(world)

    world.now = moment(37)
    await world.feed(event("login.recorded", moment(30)).record)
    await run(world, sweep, moment(38))

    assert await told(world) == before
    assert (await world.activity())[-1].facts.stage == "at_risk"
    await run(world, sweep, moment(81))
    assert await swept(world) == [AT_RISK, LAPSED]


async def test_an_order_that_comes_late_takes_back_what_the_sweep_told(world: World, sweep: Sweep):
    """Given a lapse told as of day 80; when an order of day 60 comes; then it takes the lapse back, and the sweep tells
    the risk that there is now, and the lapse when it comes."""
    await regular(world)
    await run(world, sweep, moment(81))

    world.now = moment(82)
    await world.feed(order(moment(60), "60").record)
    await run(world, sweep, moment(83))
    await run(world, sweep, moment(130))

    assert (await told(world))[-3:] == [
        ("lapsed", "active", moment(60)),
        ("active", "at_risk", moment(90)),
        ("at_risk", "lapsed", moment(120, hours=-1)),
    ]


async def test_a_late_order_within_the_history_that_does_not_change_the_present_tells_no_stage(
    world: World, sweep: Sweep
):
    """Given a lapse told; when an order from between the others comes; then the lapse still is one: nothing is told."""
    await regular(world)
    await run(world, sweep, moment(81))
    before = await told(world)

    world.now = moment(82)
    await world.feed(order(moment(15), "15").record)
    await run(world, sweep, moment(86))

    assert await told(world) == before
    assert (await world.activity())[-1].late
    ((stage,),) = await world.rows("SELECT stage FROM scoring.customers")
    assert stage == "lapsed"


async def test_lists_and_counts_by_stage_are_those_of_the_domain_at_every_turn(world: World, sweep: Sweep):
    """Given customers of all kinds; when they are listed by stage at any moment, swept or not; then SQL and the domain
    agree about each of them."""
    lives = {
        "new": [event("login.recorded", moment(149), identifiers={"id": "new"})],
        "once": [order(moment(149), "1", identifiers={"id": "once"})],
        "gone": [order(moment(0), "1", identifiers={"id": "gone"})],
        "twice": [order(moment(day), str(day), identifiers={"id": "twice"}) for day in (140, 149)],
        "often": [
            order(moment(day), str(day), identifiers={"id": "often"}) for day in (0, 1, 2, 3, 50, 100, 150)
        ],
        "back": [order(moment(day), str(day), identifiers={"id": "back"}) for day in (0, 10, 150)],
    }
    world.now = moment(150)
    await world.feed(*(one.record for life in lives.values() for one in life))
    profiles = Profiles(world.engine, Pseudonyms("x" * 32))
    seen = set()

    for day in (150, 151, 160, 180, 209, 225, 300, 340, 366, 400, 600):
        if day == 300:
            await run(world, sweep, moment(299))
        async with world.engine.connect() as connection:
            for stage in STAGES:
                found = await profiles.listed(
                    connection, now=moment(day), stage=stage, sort="id", after=None, limit=100
                )
                for known in found:
                    assert assess(known.state, moment(day), SETTINGS).facts.stage == stage
                    seen.add(stage)
            summary = await profiles.summary(connection, moment(day))
        assert sum(row[1] for row in summary) == len(lives)

    assert seen == set(STAGES)


async def test_the_stages_of_a_life_are_the_same_after_late_events_and_sweeps(world: World, sweep: Sweep):
    """Given events in whatever order with sweeps between them; then looking back shows the life as it was."""
    profiles = Profiles(world.engine, Pseudonyms("x" * 32))
    portray = Portray(profiles, FixedRules(SETTINGS))
    days = (20, 0, 300, 10)
    for number, day in enumerate(days):
        world.now = moment(300 + number)
        await world.feed(order(moment(day), str(day)).record)
        await run(world, sweep, world.now + timedelta(seconds=10))

    ((customer_id,),) = await world.rows("SELECT id FROM scoring.customers")
    async with world.engine.connect() as connection:
        known = await profiles.find(connection, customer_id)
        assert known is not None
        course = await portray.stages(connection, known, moment(310))

    assert [(one.old, one.new, one.at, bool(one.cause)) for one in reversed(course)] == [
        (None, "value_realisation", moment(0), True),
        ("value_realisation", "active", moment(10), True),
        (*AT_RISK, False),
        (*LAPSED, False),
        (*CHURNED, False),
        ("churned", "won_back", moment(300), True),
    ]
