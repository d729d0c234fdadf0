"""Who decides about versions by a clock that is wrong: the database's clock is the witness."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.wiring.start import store_program
from shared.clock import system_clock
from shared.program.versions.deciding import CLOCKS_DIFFER, DecisionClock, Witness, server_time
from shared.program.versions.reading import read_timeline, read_version_at
from shared.program.versions.store import CLOCK_PUT_RIGHT, NOTICE
from shared.settings import Settings
from tests.integration.rewards.conftest import PROGRAM, Rewards, client_of
from tests.integration.rewards.programs.test_program_life import DAY, DOUBLE, TRIPLE, activate, put
from tests.support.clock import ManualClock

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
FOURFOLD = TRIPLE.replace("points_per_unit: 3", "points_per_unit: 4")


@pytest.fixture
def witness(clock: ManualClock) -> Witness:
    """The database's clock in the world of the test, where `clock` is right."""

    async def tell(_: AsyncConnection) -> datetime:
        return clock()

    return tell


@pytest.fixture
async def begun(api: httpx.AsyncClient, clock: ManualClock) -> None:
    """Version 2 was scheduled and has begun a minute ago; version 3 was put at once just now."""
    await put(api, DOUBLE, at=(clock() + MINUTE).isoformat())
    clock.advance(2 * MINUTE)
    await put(api, TRIPLE)


async def in_force(rewards: Rewards, moment: datetime) -> int:
    """The version that counts then."""
    async with rewards.engine.connect() as connection:
        return await read_version_at(connection, moment)


async def activations(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All of them, in the order in which they were decided."""
    versions = (await api.get("/v1/program/versions")).json()["items"]
    return sorted((each for one in versions for each in one["activations"]), key=lambda each: each["id"])


async def test_the_start_of_a_worker_whose_clock_is_behind_moves_nothing(
    rewards: Rewards, begun: None, settings: Settings, clock: ManualClock, witness: Witness
) -> None:
    """Given a version that was scheduled and has begun, and another put at once since; when a worker starts whose clock
    is five minutes behind, and so before both; then the one that was put counts still."""
    await store_program(settings, ManualClock(clock() - 5 * MINUTE), witness)
    clock.advance(MINUTE)
    assert await in_force(rewards, clock()) == 3


@pytest.mark.parametrize("off", [-5 * MINUTE, 2 * DAY], ids=["behind", "ahead"])
async def test_what_such_a_clock_decides_counts_from_the_moment_that_it_is(  # noqa: PLR0917
    rewards: Rewards,
    api: httpx.AsyncClient,
    begun: None,
    settings: Settings,
    clock: ManualClock,
    witness: Witness,
    off: timedelta,
) -> None:
    """Given the same, and a process whose clock is wrong; when a text is put there, and a version activated; then each
    counts from that moment on, nothing was moved; and what has begun cannot be cancelled, nor the past be scheduled,
    by the time that it is."""
    async with client_of(settings, ManualClock(clock() + off), witness) as wrong:
        assert (await put(wrong, FOURFOLD)).json()["starts_at"] == clock().isoformat().replace("+00:00", "Z")
        assert (await in_force(rewards, clock()), await in_force(rewards, clock() - SECOND)) == (4, 2)
        clock.advance(SECOND)
        assert (await activate(wrong, "back", version=2)).status_code == 201
        assert await in_force(rewards, clock()) == 2
        assert (await wrong.delete("/v1/program/activations/2")).json()["code"] == "activation_has_begun"
        at = (clock() + NOTICE / 2).isoformat()
        assert (await activate(wrong, "soon", version=1, at=at)).json()["code"] == "activation_too_soon"
    assert [each["cancelled_at"] for each in await activations(api)] == [None] * 5


async def test_of_clocks_that_are_right_none_moves_what_another_decided(
    rewards: Rewards,
    api: httpx.AsyncClient,
    settings: Settings,
    clock: ManualClock,
    witness: Witness,
) -> None:
    """Given a clock that is ahead of the database's and one that is behind, both as much as clocks that are right may
    be; when the one puts a version, and then the other starts; then nothing is moved."""
    async with client_of(settings, ManualClock(clock() + CLOCKS_DIFFER), witness) as ahead:
        await put(ahead, DOUBLE)
    settings.program = settings.home / "program.yaml"
    settings.program.write_text(PROGRAM)
    await store_program(settings, ManualClock(clock() - CLOCKS_DIFFER), witness)
    assert [each["cancelled_at"] for each in await activations(api)] == [None] * 2
    assert await in_force(rewards, clock() + CLOCKS_DIFFER) == 2


async def test_history_says_what_was_moved_since_a_clock_was_ahead(
    api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given a version that was put by a clock two days ahead, where there is no witness; when that is put right; then
    its first activation names what cancelled it, and the second follows; a person who cancels is named too."""
    clock.advance(2 * DAY)
    await put(api, DOUBLE)
    clock.advance(-2 * DAY)
    await put(api, TRIPLE, at=(clock() + DAY).isoformat())
    (scheduled,) = (await api.get("/v1/program")).json()["scheduled"]
    await api.delete(f"/v1/program/activations/{scheduled['id']}")
    told = await activations(api)
    actor = told[1]["actor"]
    assert [(one["version"], one["cancelled_by"], one["actor"]) for one in told] == [
        (1, None, None),
        (2, CLOCK_PUT_RIGHT, actor),
        (2, None, actor),
        (3, actor, actor),
    ]


async def test_the_databases_clock_counts_where_this_machines_is_off(rewards: Rewards) -> None:
    """Given the clock of this machine, and clocks that are minutes away from it; when it is asked when it is; then a
    clock that is right is heeded, and of the others the database is."""
    for off, heeded in ((timedelta(0), True), (-5 * MINUTE, False), (DAY, False)):
        before = system_clock()
        async with rewards.engine.connect() as connection:
            now = await DecisionClock(lambda off=off: system_clock() + off, server_time).now(connection)  # type: ignore[misc]
        assert before - CLOCKS_DIFFER <= now <= system_clock() + CLOCKS_DIFFER
        assert (before + off <= now <= system_clock() + off) is heeded


async def test_of_activations_that_begin_together_the_same_one_counts_for_all_who_ask(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given activations of which several begin together, the first ones too, and some are cancelled; when it is asked
    for the version in force at any moment, by who decides and by who tells of the past; then both say the same."""
    for source in (DOUBLE, TRIPLE):
        await put(api, source)
    start = clock()
    for number, (minute, cancelled) in enumerate([(0, False), (2, False), (2, True), (1, False), (2, False)]):
        starts, gone = start + minute * MINUTE, f"'{start - DAY}'" if cancelled else "NULL"
        await rewards.plant(
            "INSERT INTO platform.program_activations (version, starts_at, decided_at, cancelled_at)"
            f" VALUES ({(number + 1) % 3 + 1}, '{starts}', '{start - DAY}', {gone})"
        )
    async with rewards.engine.connect() as connection:
        timeline = await read_timeline(connection)
        for seconds in range(-60, 200, 20):
            moment = start + seconds * SECOND
            decides = timeline.in_force(moment)
            assert decides is not None
            assert await read_version_at(connection, moment) == decides.version, seconds
