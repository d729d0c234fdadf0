"""Occasions beside who is who, in passes over all customers, and with transactions that fail."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.due import introduce_occasions
from services.scoring.domain.due.occasions import Watch
from shared.program.versions.store import put_program
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.scoring.api import Api
from tests.integration.scoring.due.test_occasions import LOGIN, Play
from tests.integration.scoring.identity.test_merges import merge, post
from tests.integration.scoring.world import World
from tests.support.clock import ManualClock
from tests.support.life import SETTINGS, moment, record

ORDER = {"order_id": "1", "currency": "USD", "total": "10.00"}
PROGRAM = "name: Test\ncurrency: USD\ntime_zone: America/New_York\n"


@pytest.fixture
def play(world: World, settings: Settings) -> Play:
    return Play(world, PersonalData(world.engine, settings.secret))


async def test_a_silence_keeps_its_identity_through_a_merge_and_its_undoing(
    api: Api, play: Play, clock: ManualClock
) -> None:
    """Given a silence told of one customer; when somebody merges them into another, who never logged in, and undoes
    that; then whatever is told of the silence is the one record, and the one who never logged in is not missed."""
    await play.ask_for(LOGIN, at=moment(0))
    play.world.now = moment(30)
    await api.world.feed(await api.sealed("login.recorded", 30, {"id": "ana"}, {}))
    await api.order(30, "1", id="ben")
    await play.until(moment(44))
    (first,) = await play.told()

    clock.set(moment(45))
    merged = (await merge(api, "ana", "ben")).json()
    await play.until(moment(46))
    clock.set(moment(47))
    answer = await post(api, f"/v1/merges/{merged['id']}/undo", {"reason": "two"}, key="u-1")
    assert answer.status_code == 200, answer.text
    for day in range(48, 70):
        await play.until(moment(day))

    assert {(one.id, one.time) for one in await play.told()} == {(first.id, moment(44))}


async def test_a_silence_under_way_goes_with_its_part_and_comes_back(
    api: Api, play: Play, clock: ManualClock
) -> None:
    """Given a customer who logged in and was merged into another; when that is undone before the silence is due; then
    it is told of the one who logged in."""
    await play.ask_for(LOGIN, at=moment(0))
    play.world.now = moment(35)
    await api.world.feed(await api.sealed("login.recorded", 35, {"id": "ana"}, {}))
    await api.order(35, "1", id="ben")
    ana = (await api.get("/v1/customers/ana")).json()["id"]
    clock.set(moment(40))
    await play.until(moment(40))
    merged = (await merge(api, "ana", "ben")).json()
    await play.until(moment(41))
    clock.set(moment(42))
    await post(api, f"/v1/merges/{merged['id']}/undo", {"reason": "two"}, key="u-1")
    for day in range(43, 60):
        await play.until(moment(day))

    assert [(one.customer_id, one.time) for one in await play.told()] == [(ana, moment(49))]


async def test_everybody_is_looked_at_when_a_campaign_is_new_in_small_steps_by_many(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given seven customers who only logged in, and a pass of two at a time; when three workers take a new campaign up,
    one of which is killed in between; then all seven silences are told, each once."""
    monkeypatch.setattr(introduce_occasions, "INTRODUCED_MAX", 2)
    for number in range(7):
        await play.happen("login.recorded", 1, who=f"p-{number}")
    play.rules.settings = replace(SETTINGS, watch=Watch((LOGIN,), SETTINGS.zone))
    play.world.now = moment(2)
    async with play.world.engine.begin() as connection:
        assert await play.introduce(connection, moment(2))
    play.restart()
    await play.until(moment(2), workers=3)
    await play.until(moment(15), workers=3)

    told = await play.told()
    assert [one.time for one in told] == [moment(15)] * 7
    assert len({one.customer_id for one in told}) == 7


async def test_a_look_that_fails_tells_nothing_and_the_next_one_all(play: Play) -> None:
    """Given a silence that is due; when the transaction that tells it is rolled back at its end; then nothing was told,
    and the next look tells it once."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 1)
    async with play.world.engine.connect() as connection:
        await play.tell_due(connection, moment(15))
        await connection.rollback()
    assert await play.told() == []

    await play.until(moment(15))
    await play.until(moment(16))

    assert await play.named() == [("login.missing", "P14D", moment(15))]


async def test_what_falls_due_while_nothing_works_counts_from_when_the_program_came_into_force(
    play: Play, engine_for: EngineFor
) -> None:
    """Given a program without campaigns, and one that was to come into force at day 10; when workers are back only at
    day 20; then silences that fell due from day 10 on are told, and none from before."""
    await play.ask_for(at=moment(0))
    async with engine_for(None).begin() as connection:
        await put_program(connection, PROGRAM, origin="api", actor=None, now=moment(0))
        await put_program(connection, f"{PROGRAM}# later\n", origin="api", actor=None, now=moment(10))
    for who, day in (("p-before", -5), ("p-after", -3.5), ("p-now", 7)):
        await play.happen("login.recorded", day, who=who)

    await play.ask_for(LOGIN, at=moment(20))
    await play.until(moment(21, minutes=1))

    assert [one.time for one in await play.told()] == [moment(10.5), moment(21)]


async def test_a_clock_that_jumps_ahead_and_back_tells_nothing_twice(play: Play) -> None:
    """Given a silence that a clock an hour ahead tells an hour early; when the clock is right again; then it is not
    told again; and a login within that hour begins the next one."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 1)
    await play.until(moment(15))  # it is only an hour before
    play.world.now = moment(15, minutes=-30)
    await play.world.feed(record("login.recorded", moment(15, minutes=-31), {}))
    now = moment(15, minutes=-20)
    while now < moment(31):
        await play.until(now)
        now += timedelta(hours=6)

    told: list[Any] = await play.named()
    assert told == [
        ("login.missing", "P14D", moment(15)),
        ("login.missing", "P14D", moment(29, minutes=-31)),
    ]


async def test_a_clock_that_was_days_ahead_leaves_no_silence_untold(play: Play) -> None:
    """Given somebody who was called silent by a clock that was three weeks ahead, and the day of whose first order it
    told too early as well; when the clock is put back, by a new process or in the midst of one, and they log in, then
    fall silent; then that silence is told at its moment, and nothing a second time."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 2)
    await play.happen("login.recorded", 2, who="p-ben")
    await play.until(moment(25))
    early = await play.told()
    assert [one.time for one in early] == [moment(16), moment(16)]

    play.world.now = moment(4)
    play.restart()
    await play.until(moment(4))
    for day in (5, 6):
        await play.happen("login.recorded", day)
    for day in (16, 16.1, 20, 20.1, 26, 40):
        await play.until(moment(day))

    told = await play.told()
    assert len(told) == len({one.id for one in told}) == 3
    assert [one.time for one in told if one not in early] == [moment(20)]


async def test_the_same_process_notices_that_its_clock_was_put_back(play: Play) -> None:
    """Given a process whose clock was ahead; when it is put back; then it looks again at those it looked at, though
    they were changed by that clock too, and knows the next silence."""
    await play.ask_for(LOGIN, at=moment(0))
    await play.happen("login.recorded", 2)
    await play.until(moment(25))
    await play.world.feed(record("page.viewed", moment(3), identifiers={"id": "p-ana"}))

    play.world.now = moment(4)
    await play.until(moment(4))
    rows = await play.world.rows("SELECT next_at FROM scoring.coming_days")
    assert rows == [(moment(16),)]


async def test_a_day_that_a_clock_ahead_has_told_is_not_told_again(play: Play) -> None:
    """Given an anniversary told by a clock that was a year ahead; when the clock is put back and the day comes; then
    it is not told again, and the next year's is."""
    await play.world.feed(record("order.completed", moment(1), ORDER, identifiers={"id": "p-ana"}))
    await play.until(moment(370))
    play.world.now = moment(4)
    for day in (4, 360, 366, 368, 735):
        await play.until(moment(day))

    days = [one for one in await play.world.activity() if one.type == "customer.anniversary"]
    assert [one.data["years"] for one in days] == [1, 2]
    assert len({one.id for one in days}) == 2
