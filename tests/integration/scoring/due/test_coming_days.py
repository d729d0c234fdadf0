"""Birthdays and anniversaries: told once, when the day begins, also after a standstill and by two workers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.scoring.adapters.due.coming_days import PostgresComingDays
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.application.due.tell_due import TellDue
from shared.settings import Settings
from tests.integration.scoring.api import Api
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, moment, order
from tests.support.rules import FixedRules

TYPES = {"customer.birthday", "customer.anniversary", "membership.anniversary"}


@pytest.fixture
def tell_due(world: World, settings: Settings) -> TellDue:
    """The job over the same database, of which the world takes note."""
    days = PostgresComingDays(PersonalData(world.engine, settings.secret))
    world.take_in._coming = days
    return TellDue(days=days, outbox=world.outbox, rules=FixedRules(SETTINGS))


async def run(world: World, job: TellDue, now: datetime) -> None:
    """Do what is due at a moment."""
    async with world.engine.begin() as connection:
        while await job(connection, now):
            pass


async def told(world: World) -> list[tuple[str, datetime, dict[str, Any]]]:
    """(type, time, data) of each day told, in order."""
    found = [one for one in await world.activity() if one.type in TYPES]
    assert len({one.id for one in found}) == len(found)
    return sorted(((one.type, one.time, one.data) for one in found), key=lambda one: one[1])


def year(number: int, month: int, day: int, hour: int = 5) -> datetime:
    """The beginning of a day in New York, in winter."""
    return datetime(number, month, day, hour, tzinfo=UTC)


async def born(api: Api, on: str, customer: str = "c-1", **more: Any) -> None:
    """A registration that tells the birthday."""
    await api.world.feed(
        await api.sealed("customer.registered", 0, {"id": customer, "birthday": on}, {"customer": more})
    )


async def test_a_birthday_on_29_february_comes_each_year(api: Api, tell_due: TellDue) -> None:
    """Given somebody born on 29 February 2000; when the days pass from 2026 to 2028; then it is told on 28 February
    twice, and on 29 February in the leap year, each when the day begins in New York, and once."""
    await born(api, "2000-02-29")
    for day in (year(2026, 2, 28), year(2027, 2, 28), year(2028, 2, 28), year(2028, 2, 29)):
        await run(api.world, tell_due, day - timedelta(seconds=1))
        await run(api.world, tell_due, day)
        await run(api.world, tell_due, day + timedelta(hours=3))

    assert [each for each in await told(api.world) if each[0] == "customer.birthday"] == [
        ("customer.birthday", year(2026, 2, 28), {"on": "2026-02-28"}),
        ("customer.birthday", year(2027, 2, 28), {"on": "2027-02-28"}),
        ("customer.birthday", year(2028, 2, 29), {"on": "2028-02-29"}),
    ]


async def test_a_birthday_begins_in_the_customers_own_zone(api: Api, tell_due: TellDue) -> None:
    """Given somebody in Tokyo born on 1 January; when the year turns there; then the birthday is told."""
    await born(api, "1990-01-01", time_zone="Asia/Tokyo")
    turn = datetime(2026, 12, 31, 15, tzinfo=UTC)
    await run(api.world, tell_due, turn - timedelta(seconds=1))
    assert await told(api.world) == []

    await run(api.world, tell_due, turn)

    assert await told(api.world) == [("customer.birthday", turn, {"on": "2027-01-01"})]


async def test_anniversaries_are_told_late_after_a_standstill_each_once(
    world: World, tell_due: TellDue
) -> None:
    """Given a first order; when nothing looks for two years and two workers then do at once; then both anniversaries
    are told, once, with their moments, and how many years have passed."""
    await world.feed(order(moment(0), "1").record, order(moment(30), "2").record)
    first = moment(0).astimezone(SETTINGS.zone).replace(hour=0, minute=0, second=0, microsecond=0)

    now = moment(0) + timedelta(days=740)
    await asyncio.gather(run(world, tell_due, now), run(world, tell_due, now))
    await run(world, tell_due, now + timedelta(days=1))

    assert await told(world) == [
        ("customer.anniversary", first.replace(year=first.year + years).astimezone(UTC), {"years": years})
        for years in (1, 2)
    ]


async def test_a_worker_that_is_behind_in_time_tells_nothing_twice(world: World, tell_due: TellDue) -> None:
    """Given an anniversary that was told; when the customer is to be looked at again, by a worker that has not read as
    far and works at an earlier moment, and by one later; then it is told once."""
    await world.feed(order(moment(0), "1").record)
    ((customer,),) = await world.rows("SELECT id FROM scoring.customers")
    now = moment(0) + timedelta(days=366)
    await run(world, tell_due, now)
    async with world.engine.begin() as connection:
        await PostgresComingDays().note(connection, [customer], moment(1), moment(1))

    await run(world, tell_due, now - timedelta(days=3))
    await run(world, tell_due, now + timedelta(days=3))

    assert [type_ for type_, _, _ in await told(world)] == ["customer.anniversary"]


async def test_what_is_learnt_late_tells_nothing_of_days_before(api: Api, tell_due: TellDue) -> None:
    """Given a customer of long ago; when their birthday is learnt a month after the day; then the next one is told, and
    not the one before; a correction within the year tells no second one."""
    await api.order(0, "1", id="c-1")
    await run(api.world, tell_due, moment(1))
    api.world.now = moment(100)
    birthday = (moment(70)).date().replace(year=1990)
    update = await api.sealed("customer.updated", 100, {"id": "c-1", "birthday": birthday.isoformat()}, {})
    await api.world.feed(update)
    await run(api.world, tell_due, moment(101))
    assert await told(api.world) == []

    await run(api.world, tell_due, moment(75 + 365))

    assert [each[0] for each in await told(api.world)] == ["customer.anniversary", "customer.birthday"]
