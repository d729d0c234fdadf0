"""The sweep: what time alone does is told once, by whichever sweep comes by, also after a downtime."""

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from services.scoring.application.due.sweep import SWEEP_CUSTOMERS_MAX, Sweep
from tests.integration.scoring.world import World
from tests.support.life import event, moment, order


@pytest.fixture
def sweep(world: World) -> Sweep:
    """A sweep over the same database."""
    return world.sweep()


LAPSED = moment(80) - timedelta(hours=1)
"""60 days after day 20 on New York's clock, which was put forward in between."""

PASSED = [
    ("active", "at_risk", moment(35)),
    ("at_risk", "lapsed", LAPSED),
    ("lapsed", "churned", moment(200) - timedelta(hours=1)),
]


async def run(world: World, sweep: Sweep, now: datetime) -> None:
    """Sweep at a moment until there is nothing more."""
    more = True
    while more:
        async with world.engine.begin() as connection:
            more = await sweep(connection, now)


async def changes(world: World) -> list[tuple[str, str, datetime]]:
    """The changes told: from, to, when."""
    return [
        (one.data["from"], one.data["to"], one.time)
        for one in await world.activity()
        if one.type == "stage.changed"
    ]


async def regular(world: World) -> None:
    """A customer with orders on days 0, 10 and 20, taken in then."""
    world.now = moment(20)
    await world.feed(*(order(moment(day), str(day)).record for day in (0, 10, 20)))


async def test_silence_is_told_at_its_threshold_and_once(world: World, sweep: Sweep):
    """Given an active customer; when sweeps come again and again; then each change is told once, at its moment."""
    await regular(world)

    for day in (21, 34.9):
        await run(world, sweep, moment(day))
    assert await changes(world) == []
    for day in (35, 35, 36, 79.9, 80, 81, 500, 501):
        await run(world, sweep, moment(day))

    assert await changes(world) == PASSED
    assert await world.rows("SELECT stage, check_at FROM scoring.customers") == [("churned", None)]


async def test_after_a_downtime_every_stage_passed_is_told_in_order_with_its_moment(
    world: World, sweep: Sweep
):
    """Given an active customer; when the first sweep comes after 230 days; then each change is told as it was then."""
    await regular(world)

    await run(world, sweep, moment(230))
    await run(world, sweep, moment(231))

    assert await changes(world) == PASSED
    told = [one for one in await world.activity() if one.type == "stage.changed"]
    assert [one.facts.stage for one in told] == ["at_risk", "lapsed", "churned"]
    assert [str(one.facts.spend_30d) for one in told] == ["98.40", "0.00", "0.00"]
    assert [(one.received, one.historical) for one in told] == [(moment(230), False)] * 3
    assert len({one.id for one in told}) == 3


async def test_an_order_before_the_sweep_leaves_nothing_to_tell(world: World, sweep: Sweep):
    """Given a customer who came back at risk before any sweep; then the order tells the change, the sweep nothing."""
    await regular(world)
    world.now = moment(50)
    await world.feed(order(moment(50), "50").record)

    await run(world, sweep, moment(51))

    assert await changes(world) == []
    last = (await world.activity())[-1]
    assert [(one.old, one.new, one.at) for one in last.changes if one.what == "stage"] == [
        ("active", "at_risk", moment(35)),
        ("at_risk", "active", None),
    ]


async def test_a_customer_who_was_just_changed_is_left_for_the_next_sweep(world: World, sweep: Sweep):
    """Given history that streams in now; when a sweep comes in between; then nobody is called lapsed yet."""
    world.now = moment(300)
    await world.feed(order(moment(0), "0").record)

    await run(world, sweep, moment(300) + timedelta(seconds=1))
    assert await changes(world) == []
    await run(world, sweep, moment(300) + timedelta(seconds=10))

    assert [(old, new) for old, new, _ in await changes(world)] == [
        ("value_realisation", "lapsed"),
        ("lapsed", "churned"),
    ]


async def test_two_sweeps_at_once_tell_each_change_once(world: World, sweep: Sweep):
    """Given more customers than one batch; when two sweeps run at the same time; then each is told once."""
    count = 2 * SWEEP_CUSTOMERS_MAX
    world.now = moment(0)
    await world.feed(
        *(
            event("login.recorded", moment(0), id=f"e{n}", identifiers={"id": f"i{n}"}).record
            for n in range(count)
        )
    )

    await asyncio.gather(run(world, sweep, moment(61)), run(world, sweep, moment(61)))
    await run(world, sweep, moment(61))

    told = [one.customer_id for one in await world.activity() if one.type == "stage.changed"]
    assert len(told) == len(set(told)) == count


async def test_customers_who_are_not_due_are_not_read(world: World, sweep: Sweep):
    """Given a customer who orders again and again; then the stored check stays where it was, and the sweep sets it."""
    await regular(world)
    ((first,),) = await world.rows("SELECT check_at FROM scoring.customers")
    world.now = moment(25)
    await world.feed(order(moment(25), "25").record)
    assert await world.rows("SELECT check_at FROM scoring.customers") == [(first,)]

    await run(world, sweep, first + timedelta(minutes=1))

    ((later,),) = await world.rows("SELECT check_at FROM scoring.customers")
    assert later > first
    assert await changes(world) == []


async def test_what_time_did_before_the_history_came_is_history(world: World, sweep: Sweep):
    """Given orders of long ago, imported on day 200, and one that leads up to that day; when sweeps come; then
    lapse and churn before the import are marked as history (nobody is written to), and those after it are not."""
    received = {"historical": True, "received": moment(200)}
    early = replace(order(moment(0), "1", identifiers={"id": "p-old"}).record, **received)
    recent = replace(order(moment(199), "2", identifiers={"id": "p-new"}).record, **received)
    world.now = moment(200)
    await world.feed(early, recent)

    await run(world, sweep, moment(201))
    await run(world, sweep, moment(400))

    told = [one for one in await world.activity() if one.type == "stage.changed"]
    assert [(one.time < moment(200), one.historical) for one in sorted(told, key=lambda one: one.time)] == [
        (True, True),
        (True, True),
        (False, False),
        (False, False),
    ]
