"""What the server has planned for a connection is not kept for long."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres import engine as engine_module
from shared.postgres import held as held_module
from shared.postgres.direct import autocommit
from shared.postgres.engine import BY_INDEX, NO_SCANS, create_engine
from shared.postgres.held import HeldConnection

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
Way = Callable[[AsyncEngine], AbstractAsyncContextManager[Begin]]


@asynccontextmanager
async def _of_pool(engine: AsyncEngine) -> AsyncIterator[Begin]:
    yield engine.begin


@asynccontextmanager
async def _for_single_statements(engine: AsyncEngine) -> AsyncIterator[Begin]:
    yield autocommit(engine).connect


@asynccontextmanager
async def _held(engine: AsyncEngine) -> AsyncIterator[Begin]:
    held = HeldConnection(engine)
    yield held.begin
    await held.close()


@pytest.mark.parametrize("way", [_of_pool, _for_single_statements, _held])
async def test_what_was_planned_for_an_empty_table_is_planned_anew(
    database_url: str, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    """Given a statement planned while its table was empty; when 20,000 rows have come, and nothing was analysed; then
    it still reads all of them, until plans are as old as they may get: from then on it looks for each by its key. The
    connection stays the same one."""
    engine = create_engine(database_url, role=None, pool_size=2, further=BY_INDEX)
    ask = text("SELECT 1 AS asked FROM unnest(CAST(:ids AS int[])) AS w(id) JOIN grown USING (id)")

    async def plan(begin: Begin) -> tuple[int, str]:
        async with begin() as connection:
            await connection.execute(ask, {"ids": [1, 2]})
            name = await connection.scalar(
                text("SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 AS asked%'")
            )
            told = await connection.scalars(text(f"EXPLAIN EXECUTE \"{name}\" ('{{1,2}}')"))
            return await connection.scalar(text("SELECT pg_backend_pid()")), "\n".join(told)

    other = create_engine(database_url, role=None, pool_size=1)
    async with autocommit(other).connect() as connection, way(engine) as begin:
        await connection.execute(
            text("CREATE TABLE grown (id int PRIMARY KEY) WITH (autovacuum_enabled = false)")
        )
        await connection.execute(text("INSERT INTO grown VALUES (1)"))
        await connection.execute(text("VACUUM (ANALYZE) grown"))
        await plan(begin)
        await connection.execute(text("INSERT INTO grown SELECT * FROM generate_series(2, 20000)"))
        same, before = await plan(begin)
        for module in (engine_module, held_module):
            monkeypatch.setattr(module, "PLANS_S", 0.0)
        now, after = await plan(begin)
    await other.dispose()
    await engine.dispose()

    assert "Index Cond" not in before
    assert "Index Cond" in after
    assert now == same


async def test_a_worker_looks_rows_up_though_their_table_was_empty_when_it_planned(database_url: str) -> None:
    """Given a connection of a worker that has planned how to find rows by their keys while there were none; when 20,000
    have come, and nothing was analysed; then it looks for each by its key, though the plan is the same one."""
    engine = create_engine(
        database_url, role=None, pool_size=1, further=NO_SCANS | {"plan_cache_mode": "force_generic_plan"}
    )
    async with autocommit(engine).connect() as connection:
        await connection.execute(
            text("CREATE TABLE found (id int PRIMARY KEY) WITH (autovacuum_enabled = false)")
        )
        await connection.execute(text("VACUUM (ANALYZE) found"))
        await connection.execute(text("PREPARE finding AS SELECT * FROM found WHERE id = ANY($1)"))
        plans = []
        for first in (1, 10_001):
            plans.append("\n".join(await connection.scalars(text("EXPLAIN EXECUTE finding('{1,2}')"))))
            await connection.execute(
                text(f"INSERT INTO found SELECT * FROM generate_series({first}, {first + 9999})")
            )
    await engine.dispose()

    assert "Index Cond" in plans[0]
    assert plans[0] == plans[1]
