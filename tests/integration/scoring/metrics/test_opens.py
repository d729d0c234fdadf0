"""The share of opened e-mails is watched on a real timeline."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.scoring.adapters.metrics.opens import PostgresOpens
from services.scoring.adapters.programs import PostgresPrograms
from services.scoring.application.metrics.watch_opens import WatchOpens
from shared.program.parse import load_program
from tests.integration.scoring.world import World
from tests.support.life import moment, record

PROGRAM = "name: Shop\ncurrency: USD\ntime_zone: America/New_York\n"


class Mailing:
    """A shop that sends 40 e-mails a day."""

    def __init__(self, world: World, program: str = PROGRAM) -> None:
        self.world = world
        self.job = WatchOpens(PostgresOpens(), PostgresPrograms(load_program(program)))

    async def sends(self, days: range, opened: int, sent: int = 40) -> None:
        """So many a day, of which so many are opened, twice each, soon after; some by a click alone."""
        for day in days:
            events = []
            for number in range(sent):
                name = {"id": f"p-{number}"}
                data: dict[str, Any] = {"message_id": f"m-{day}-{number}"}
                events.append(record("email.sent", moment(day), data, identifiers=name))
                if number < opened:
                    how = "email.clicked" if number % 5 == 0 else "email.opened"
                    events.append(record(how, moment(day, minutes=5), data, identifiers=name))
                    events.append(record("email.opened", moment(day, minutes=9), data, identifiers=name))
            await self.world.feed(*events)

    async def watch(self, days: float) -> None:
        """Do what is due on a day."""
        while True:
            async with self.world.engine.begin() as connection:
                if not await self.job(connection, moment(days)):
                    return

    async def alerts(self) -> list[tuple[Any, ...]]:
        """Cause, times and details of the alerts."""
        return await self.world.rows("SELECT cause, times, details FROM platform.alerts ORDER BY raised_at")


@pytest.fixture
def mailing(world: World) -> Mailing:
    return Mailing(world)


async def test_a_fall_is_told_of_once_by_whichever_worker(mailing: Mailing) -> None:
    """Given four weeks in which a fifth was opened, and one with a tenth; when two workers look, again and again; then
    one alert is raised, with the figures."""
    await mailing.sends(range(28), 8)
    await mailing.watch(28.5)
    assert await mailing.alerts() == []

    await mailing.sends(range(28, 37), 4)
    await asyncio.gather(mailing.watch(36.5), mailing.watch(36.5))
    await mailing.watch(36.52)

    ((cause, times, details),) = await mailing.alerts()
    assert (cause, times) == ("opens/2026-02-06", 1)
    assert (details["sent"], details["opened"]) == (280, 28)
    assert (details["share"], details["usual"]) == (0.1, 0.2)
    assert (details["from"], details["until"]) == ("2026-01-30", "2026-02-05")
    await mailing.watch(37.5)
    ((_, times, _),) = await mailing.alerts()
    assert times == 2


async def test_what_came_late_is_counted_and_days_are_the_programs(mailing: Mailing) -> None:
    """Given openings of the last week that came days late, and some at the very edge of a day; when the day is looked
    at; then they count, on the day that it was in New York."""
    await mailing.sends(range(28), 8)
    await mailing.sends(range(28, 37), 0)
    await mailing.watch(35.5)
    await mailing.sends(range(28, 37), 8)
    edge = record("email.sent", moment(30, hours=13, minutes=59), {"message_id": "edge"})  # 23:59 in New York
    await mailing.world.feed(edge)
    before = len(await mailing.alerts())
    await mailing.watch(36.5)

    days = dict(await mailing.world.rows("SELECT day::text, sent * 1000 + opened FROM scoring.email_days"))
    assert days["2026-01-31"] == 41_008
    assert days["2026-02-01"] == 40_008
    assert before == 1, "the week looked bad before they came"
    assert [times for _, times, _ in await mailing.alerts()] == [1], "and does no more"


async def test_after_somebody_looked_the_same_week_is_not_told_of_again(mailing: Mailing) -> None:
    """Given a closed alert; when the next days look as bad; then it is raised again only when a week has passed."""
    await mailing.sends(range(28), 8)
    await mailing.sends(range(28, 46), 3)
    await mailing.watch(36.5)
    async with mailing.world.engine.begin() as connection:
        await connection.execute(
            text("UPDATE platform.alerts SET closed_at = :now, closed_by = 'key'"), {"now": moment(36.6)}
        )
    await mailing.watch(37.5)
    await mailing.watch(43.5)
    assert len(await mailing.alerts()) == 1
    await mailing.watch(44.5)
    assert len(await mailing.alerts()) == 2


async def test_a_program_can_turn_it_off_and_a_standstill_is_no_fall(world: World) -> None:
    """Given a program that says off; when fewer are opened; then nobody is told. Given one that does not, and a month
    without e-mails; then neither."""
    off = Mailing(world, PROGRAM + "alerts: {falling_opens: off}\n")
    await off.sends(range(28), 8)
    await off.sends(range(28, 37), 2)
    await off.watch(36.5)
    on = Mailing(world)
    await on.watch(36 + timedelta(days=30) / timedelta(days=1))
    assert await off.alerts() == []
