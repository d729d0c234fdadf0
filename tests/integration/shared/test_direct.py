"""Textual statements that go straight to the driver answer as SQLAlchemy's own way does."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import JSON, bindparam, event, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.faults import is_transient
from shared.postgres.direct import CUT_OFF_S, autocommit, copy_into
from tests.conftest import EngineFor

ROWS = text(
    "SELECT n, n * 2 AS twice FROM unnest(CAST(:numbers AS int[])) AS u(n) WHERE n <> :less ORDER BY n"
)


@pytest.fixture
def engine(engine_for: EngineFor) -> AsyncEngine:
    """As a service has it."""
    return engine_for("regulars_scoring")


@pytest.fixture
def through_sqlalchemy(engine: AsyncEngine) -> list[str]:
    """The statements that went SQLAlchemy's way."""
    seen: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    return seen


async def test_within_a_transaction_rows_are_the_same_either_way(
    engine: AsyncEngine, through_sqlalchemy: list[str]
) -> None:
    """Given one statement run in a transaction that SQLAlchemy begins by itself, and in one that was asked for; then it
    goes directly but for the first time, and answers alike."""
    bound = {"numbers": [3, 1, 2], "less": 2}
    async with engine.connect() as connection:
        first = (await connection.execute(ROWS, bound)).all()
    async with engine.begin() as connection:
        second = (await connection.execute(ROWS, bound)).all()
        by_name = [(row.n, row.twice) for row in await connection.execute(ROWS, bound)]
        none = (await connection.execute(ROWS, {"numbers": [], "less": 0})).first()
        one = await connection.scalar(ROWS, {"numbers": [7], "less": 0})
        other = text("SELECT n FROM unnest(CAST(:numbers AS int[])) AS u(n)")
        nothing = (await connection.scalars(other, {"numbers": []})).all()

    assert first == second == by_name == [(1, 2), (3, 6)]
    assert none is None
    assert nothing == []
    assert one == 7
    assert len(through_sqlalchemy) == 1


async def test_a_transaction_undoes_what_was_done_directly(engine_for: EngineFor) -> None:
    """Given a direct write; when the transaction fails; then nothing is left."""
    engine = engine_for(None)

    async def write_and_fail() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE left_over (n int)"))
            raise LookupError

    with pytest.raises(LookupError):
        await write_and_fail()

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT to_regclass('left_over')")) is None


async def test_a_savepoint_holds_for_direct_statements(engine_for: EngineFor) -> None:
    """Given a savepoint; when what is inside fails; then what was before it stays."""
    async with engine_for(None).begin() as connection:
        await connection.execute(text("CREATE TEMP TABLE kept (n int)"))
        await connection.execute(text("INSERT INTO kept VALUES (:n)"), {"n": 1})
        with suppress(asyncpg.DivisionByZeroError):
            async with connection.begin_nested():
                await connection.execute(text("INSERT INTO kept VALUES (:n)"), {"n": 2})
                await connection.execute(text("SELECT 1 / 0"))
        rows = (await connection.execute(text("SELECT n FROM kept"))).scalars().all()

    assert rows == [1]


async def test_savepoints_lie_within_each_other(engine: AsyncEngine, through_sqlalchemy: list[str]) -> None:
    """Given a savepoint within another; when the inner is undone, and something is written after it; then the outer
    keeps all but that. Undone by hand, a savepoint leaves the transaction going."""
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TEMP TABLE kept (n int)"))
        async with connection.begin_nested():
            await connection.execute(text("INSERT INTO kept VALUES (1)"))
            with suppress(LookupError):
                async with connection.begin_nested():
                    await connection.execute(text("INSERT INTO kept VALUES (2)"))
                    raise LookupError
            await connection.execute(text("INSERT INTO kept VALUES (3)"))
        savepoint = await connection.begin_nested()
        await connection.execute(text("DELETE FROM kept"))
        await savepoint.rollback()
        rows = (await connection.execute(text("SELECT n FROM kept ORDER BY n"))).scalars().all()

    assert rows == [1, 3]
    assert through_sqlalchemy == []


async def test_single_statements_need_no_transaction(
    engine: AsyncEngine, through_sqlalchemy: list[str]
) -> None:
    """Given an engine for single statements; when one is run; then no transaction is open after it."""
    async with autocommit(engine).connect() as connection:
        rows = (await connection.execute(ROWS, {"numbers": [1], "less": 0})).all()
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        assert not raw.is_in_transaction()

    assert rows == [(1, 2)]
    assert through_sqlalchemy == []


async def test_what_is_not_plain_text_goes_the_long_way(
    engine: AsyncEngine, through_sqlalchemy: list[str]
) -> None:
    """Given typed parameters, or an expression; when run; then SQLAlchemy converts them as ever."""
    typed = text("SELECT CAST(:n AS json) ->> 'a'").bindparams(bindparam("n", type_=JSON))
    async with engine.begin() as connection:
        assert await connection.scalar(typed, {"n": {"a": 4}}) == "4"
        assert await connection.scalar(select(5)) == 5

    assert len(through_sqlalchemy) == 2


async def test_a_table_altered_beneath_a_known_statement_is_no_records_fault(engine_for: EngineFor) -> None:
    """Given a statement that a connection knows; when a migration gives its table another column; then it fails once,
    for a reason that passes, so that no record is set aside for it, and works the next time."""
    engine = engine_for(None)
    every = text("SELECT * FROM shifting")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE shifting (one int)"))
        await connection.execute(text("INSERT INTO shifting VALUES (1)"))
        await connection.execute(every)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE shifting ADD two int"))

    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        with pytest.raises(asyncpg.PostgresError) as failed:
            await connection.execute(every)

    assert is_transient(failed.value)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        assert len((await connection.execute(every)).all()) == 1


@pytest.mark.parametrize("steps", [1, 2, 4])
async def test_a_transaction_cut_off_at_its_beginning_is_left_to_nobody(
    engine_for: EngineFor, steps: int
) -> None:
    """Given who is cancelled while the server begins their transaction; then who writes next commits."""
    engine = engine_for(None)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE written (n int)"))

    async def write(number: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO written VALUES (:n)"), {"n": number})

    cut_off = asyncio.create_task(write(1))
    for _ in range(steps):
        await asyncio.sleep(0)
    cut_off.cancel()
    with suppress(asyncio.CancelledError):
        await cut_off
    assert cut_off.cancelled()
    await write(2)
    await engine.dispose()
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT n FROM written"))).all() == [(2,)]


async def keeps_nobody_waiting(
    engine: AsyncEngine, frozen: list[int], cut_off: Callable[[], Awaitable[None]]
) -> None:
    """`cut_off` stops the server process whose id it notes in `frozen`, and is cut off; it is free soon, and the next
    one has another connection."""
    try:
        async with asyncio.timeout(CUT_OFF_S + 3):
            with pytest.raises(TimeoutError):
                await cut_off()
            async with engine.connect() as connection:
                assert await connection.scalar(text("SELECT pg_backend_pid()")) != frozen[0]
    finally:
        os.kill(frozen[0], signal.SIGCONT)


@pytest.mark.parametrize("single", [False, True])
async def test_a_connection_that_answers_nothing_keeps_nobody_waiting(
    engine_for: EngineFor, single: bool
) -> None:
    """Given a server process that stops in the middle of a statement; then who waits no longer is free soon, and the
    next one has another connection."""
    engine = engine_for(None)
    asked = autocommit(engine) if single else engine
    frozen: list[int] = []

    async def wait() -> None:
        async with asyncio.timeout(0.2), asked.connect() as connection:
            if not single:
                await connection.begin()
            frozen.append(int(await connection.scalar(text("SELECT pg_backend_pid()"))))
            os.kill(frozen[0], signal.SIGSTOP)
            await connection.execute(text("SELECT 1"))

    await keeps_nobody_waiting(asked, frozen, wait)


async def test_a_copy_that_is_cut_off_keeps_nobody_waiting(engine_for: EngineFor) -> None:
    """Given a server process that stops in the middle of a COPY; then who waits no longer is free soon, and the next
    one has another connection."""
    engine = engine_for(None)
    frozen: list[int] = []
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE public.copied (n int)"))

    async def copy() -> None:
        async with asyncio.timeout(0.2), engine.begin() as connection:
            frozen.append(int(await connection.scalar(text("SELECT pg_backend_pid()"))))
            os.kill(frozen[0], signal.SIGSTOP)
            await copy_into(connection, "public.copied", ["n"], [(1,)])

    await keeps_nobody_waiting(engine, frozen, copy)
