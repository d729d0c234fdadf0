"""Who counts as a member of a group on PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.postgres.bus import PostgresConsumer
from shared.postgres.engine import create_engine
from tests.integration.bus.probe import PARTITIONS, eventually

ALL = frozenset(("t", number) for number in range(PARTITIONS))

_GHOST = text("""
    INSERT INTO platform.log_members (group_name, topic, member, backend, seen_at)
    VALUES ('probe', 't', 'ghost', :backend, clock_timestamp() + make_interval(secs => :age_s))
    """)


@pytest.mark.parametrize(
    ("alive", "age_s", "shares"),
    [
        pytest.param(True, 600, True, id="seen lately on a connection that lives"),
        pytest.param(False, 600, False, id="its process was killed"),
        pytest.param(True, -6, False, id="its machine is frozen"),
    ],
)
async def test_a_member_counts_as_long_as_it_lives(
    probe: AsyncEngine, alive: bool, age_s: float, shares: bool
) -> None:
    """Given another member's row; then it shares the partitions only if it was seen and its connection exists."""
    async with probe.connect() as theirs:
        backend = await theirs.scalar(text("SELECT pg_backend_pid()")) if alive else 2_000_000_000
        async with probe.begin() as connection:
            await connection.execute(_GHOST, {"backend": backend, "age_s": age_s})
        consumer = PostgresConsumer(probe, "probe", "t", "me", PARTITIONS)
        await consumer.start()
        try:
            await eventually(lambda: has_some(consumer))
            assert (consumer.assigned() == ALL) is not shares
        finally:
            await consumer.stop()


async def test_the_death_of_a_member_is_noticed_within_two_seconds(
    probe: AsyncEngine, database_url: str
) -> None:
    """Given two members; when the connection of one is cut and never comes back; then the other has everything."""
    theirs = create_engine(database_url, role=None, pool_size=3, application="doomed")
    doomed = PostgresConsumer(theirs, "probe", "t", "doomed", PARTITIONS)
    survivor = PostgresConsumer(probe, "probe", "t", "survivor", PARTITIONS)
    await doomed.start()
    await survivor.start()
    try:
        await eventually(lambda: shares_with(survivor, doomed))
        # What SIGKILL does to a process: its connections end, and it says no word.
        doomed._listener._task.cancel()  # type: ignore[union-attr]
        await asyncio.sleep(0)
        await eventually(lambda: has_all(survivor), 2.5)
    finally:
        await survivor.stop()
        await doomed.stop()
        await theirs.dispose()


async def has_some(consumer: PostgresConsumer) -> bool:
    return bool(consumer.assigned())


async def has_all(consumer: PostgresConsumer) -> bool:
    return consumer.assigned() == ALL


async def shares_with(one: PostgresConsumer, other: PostgresConsumer) -> bool:
    return bool(one.assigned()) and bool(other.assigned()) and not one.assigned() & other.assigned()
