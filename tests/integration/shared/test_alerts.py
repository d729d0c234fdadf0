"""Alerts in the database: raised once while open, told of once, following who is who."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.alerts.alert import NewAlert
from shared.alerts.following import move_alerts
from shared.alerts.raising import raise_alerts
from shared.alerts.telling import take_untold
from tests.conftest import EngineFor

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANA, BEN = "cus_" + "a" * 24, "cus_" + "b" * 24


def at_risk(cause: str, customer: str = ANA, at: datetime = NOON) -> NewAlert:
    """A reason to look at a customer."""
    return NewAlert(
        kind="loyal-at-risk",
        cause=cause,
        at=at,
        customer_id=customer,
        rule="save-loyal",
        program_version=3,
        details={"orders": 9},
    )


@pytest.fixture
def engine(engine_for: EngineFor) -> AsyncEngine:
    """As rewards: who raises and tells."""
    return engine_for("regulars_rewards")


async def rows(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """Customer, last cause and times of each alert, oldest first."""
    found = await connection.execute(
        text("SELECT customer_id, last_cause, times FROM platform.alerts ORDER BY raised_at, cause")
    )
    return [tuple(row) for row in found]


async def close(connection: AsyncConnection) -> None:
    """Close all that are open."""
    await connection.execute(
        text("UPDATE platform.alerts SET closed_at = :at, closed_by = 'key' WHERE closed_at IS NULL"),
        {"at": NOON + timedelta(hours=1)},
    )


async def test_while_an_alert_is_open_further_reasons_count_on_it(engine: AsyncEngine) -> None:
    """Given an open alert; when there is reason again; then it counts two and no other is raised, until closed."""
    async with engine.begin() as connection:
        first = await raise_alerts(connection, [at_risk("one")])
        again = await raise_alerts(connection, [at_risk("two"), at_risk("three"), at_risk("other", BEN)])
        assert await rows(connection) == [(ANA, "two", 3), (BEN, "other", 1)]
        await close(connection)
        anew = await raise_alerts(connection, [at_risk("four")])
        assert len(await rows(connection)) == 3

    assert first == [at_risk("one").id]
    assert again == [at_risk("other", BEN).id]
    assert anew == [at_risk("four").id]


async def test_a_cause_that_comes_again_raises_and_counts_nothing(engine: AsyncEngine) -> None:
    """Given an alert, open or closed; when its cause comes again; then nothing changes."""
    async with engine.begin() as connection:
        await raise_alerts(connection, [at_risk("one"), at_risk("one")])
        assert await raise_alerts(connection, [at_risk("one")]) == []
        assert await rows(connection) == [(ANA, "one", 1)]
        await close(connection)
        assert await raise_alerts(connection, [at_risk("one")]) == []
        assert await rows(connection) == [(ANA, "one", 1)]


async def test_kinds_and_subjects_are_apart_and_the_shop_has_one_of_each(engine: AsyncEngine) -> None:
    """Given alerts about the shop; when two transactions raise the same; then there is one, of other subjects more."""
    summer = NewAlert(kind="unusual", cause="a", at=NOON, subject="offer:summer")
    async with engine.begin() as connection:
        await raise_alerts(connection, [summer])
        other = NewAlert(kind="unusual", cause="a", at=NOON, subject="offer:toys")
        assert await raise_alerts(connection, [other]) == [other.id]
    async with engine.begin() as connection:
        later = NewAlert(kind="unusual", cause="b", at=NOON, subject="offer:summer")
        assert await raise_alerts(connection, [later]) == []
        assert sorted(times for _, _, times in await rows(connection)) == [1, 2]


async def test_two_who_raise_the_same_about_the_shop_at_once_raise_one(engine: AsyncEngine) -> None:
    """Given two transactions that see no open alert; when both raise the same; then there is one, which counts both,
    and only one of them is told that it is new."""
    one = NewAlert(kind="unusual", cause="a", at=NOON, subject="offer:summer")
    other = NewAlert(kind="unusual", cause="b", at=NOON, subject="offer:summer")

    async def second() -> list[str]:
        async with engine.begin() as connection:
            return await raise_alerts(connection, [other])

    async with engine.begin() as connection:
        first = await raise_alerts(connection, [one])
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (first, await waiting) == ([one.id], [])
    async with engine.begin() as connection:
        assert await rows(connection) == [("", "b", 2)]


async def test_each_is_told_once_raised_and_once_closed(engine: AsyncEngine) -> None:
    """Given an alert; when it is told of again and again, and closed; then it was told twice in all, by one worker."""
    async with engine.begin() as connection:
        await raise_alerts(connection, [at_risk("one")])
    async with engine.begin() as connection, engine.begin() as other:
        assert [one.news for one in await take_untold(connection)] == [[("alert.raised", NOON)]]
        assert await take_untold(other) == []
    async with engine.begin() as connection:
        assert await take_untold(connection) == []
        await close(connection)
        await raise_alerts(connection, [at_risk("two")])
        await close(connection)
        (first, second) = await take_untold(connection)
        assert await take_untold(connection) == []

    closed = ("alert.closed", NOON + timedelta(hours=1))
    assert sorted([first.news, second.news]) == sorted([[closed], [("alert.raised", NOON), closed]])


async def test_alerts_follow_a_merge_and_come_back(engine: AsyncEngine) -> None:
    """Given alerts of two customers who prove to be one; when the merge is undone; then each has their own again, and
    what the one got meanwhile on behalf of a part goes with that part."""
    async with engine.begin() as connection:
        await raise_alerts(connection, [at_risk("ana"), at_risk("ben", BEN, NOON + timedelta(seconds=1))])
        await move_alerts(connection, BEN, ANA)
        assert [customer for customer, _, _ in await rows(connection)] == [ANA, ANA]
        meanwhile = NewAlert(kind="other", cause="x", at=NOON, customer_id=ANA, part=BEN)
        await raise_alerts(connection, [meanwhile, at_risk("once more")])
        assert await rows(connection) == [(ANA, "once more", 2), (ANA, "x", 1), (ANA, "ben", 1)]
        await move_alerts(connection, ANA, BEN, [BEN])
        assert await rows(connection) == [(ANA, "once more", 2), (BEN, "x", 1), (BEN, "ben", 1)]
        parts = await connection.execute(text("SELECT part FROM platform.alerts"))
        assert {part for (part,) in parts} == {None}
