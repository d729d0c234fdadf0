"""What nobody searches by leaves no traces in the statistics of the database."""

from collections.abc import Callable

from alembic import command
from sqlalchemy import text

from shared.postgres.engine import create_engine
from shared.postgres.migrating import HISTORIES, run_step
from tests.support.database import TestDatabases

MAKE_KEYS = text("""
    INSERT INTO platform.subject_keys (subject, key, created_at)
    SELECT 's' || n, decode(md5(n::text), 'hex'), now() FROM generate_series(1, 300) AS n
    """)
ANALYZE = text("ANALYZE platform.subject_keys")
EXAMPLES = text("SELECT attname FROM pg_stats WHERE (schemaname, tablename) = ('platform', 'subject_keys')")
STATISTICS = text("""
    SELECT nspname || '.' || relname || '.' || attname FROM pg_attribute
    JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attnum > 0 AND NOT attisdropped AND relkind = 'r' AND attstattarget IS NOT NULL
    """)


async def test_keys_are_no_examples_in_statistics(databases: TestDatabases) -> None:
    """Given keys of which statistics were kept; when the database is migrated; then none are, nor made again, but of
    what is searched by."""
    (history,) = (each for each in HISTORIES if each.schema == "platform")
    async with databases.fresh() as url:
        engine = create_engine(url, role=None, pool_size=1)

        async def migrate(step: Callable[..., None], revision: str) -> None:
            async with engine.begin() as connection:
                await connection.run_sync(run_step, history, step, revision)

        async def examples() -> set[str]:
            async with engine.begin() as connection:
                return set(await connection.scalars(EXAMPLES))

        async def analyze() -> None:
            async with engine.begin() as connection:
                await connection.execute(ANALYZE)

        await migrate(command.downgrade, "0007")
        async with engine.begin() as connection:
            await connection.execute(MAKE_KEYS)
        await analyze()
        before = await examples()
        await migrate(command.upgrade, "head")
        after = await examples()
        await analyze()
        again = await examples()
        await engine.dispose()

    assert "key" in before
    assert after == before - {"key"}
    assert again == after


async def test_going_back_keeps_statistics_as_ever(databases: TestDatabases) -> None:
    """Given a migrated database; when its histories go back to before there were exceptions; then there are none."""
    async with databases.fresh() as url:
        engine = create_engine(url, role=None, pool_size=1)
        async with engine.begin() as connection:
            now = set(await connection.scalars(STATISTICS))
            for history in HISTORIES:
                before = {"platform": "0007", "scoring": "0017", "rewards": "0024"}.get(history.schema)
                if before is not None:
                    await connection.run_sync(run_step, history, command.downgrade, before)
            then = set(await connection.scalars(STATISTICS))
        await engine.dispose()

    assert {"scoring.facts.facts", "rewards.entries.cause", "platform.log_records.body"} <= now
    assert then == set()
