"""A connection that its user holds on to."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.postgres.direct import autocommit
from shared.postgres.engine import create_engine
from shared.postgres.held import HeldConnection
from tests.conftest import EngineFor

BACKEND = text("SELECT pg_backend_pid()")


@pytest.fixture
def engine(engine_for: EngineFor) -> AsyncEngine:
    """As a service has it, but for the role."""
    return engine_for(None)


async def backend(held: HeldConnection) -> int:
    """The server's process that serves the next transaction."""
    async with held.begin() as connection:
        return int(await connection.scalar(BACKEND))


async def test_the_same_connection_is_lent_again_and_given_back_at_the_end(engine: AsyncEngine) -> None:
    """Given a held connection; then each transaction has the same one, the pool lends it to nobody else, and gets it
    back."""
    held = HeldConnection(engine)
    first = await backend(held)
    async with engine.connect() as other:
        assert await other.scalar(BACKEND) != first
    assert await backend(held) == first
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    await held.close()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert await backend(held)
    await held.close()


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(engine: AsyncEngine) -> None:
    """Given transactions that fail, in the code and in the database; then nothing is kept of them, nor a connection."""
    held = HeldConnection(engine)

    async def fail(statement: str) -> None:
        async with held.begin() as connection:
            await connection.execute(text("CREATE TABLE left_over (n int)"))
            await connection.execute(text(statement))
            raise LookupError

    for statement in ("SELECT 1", "SELECT 1 / 0"):
        with pytest.raises(Exception, match=r"^$|division"):
            await fail(statement)
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    async with held.begin() as connection:
        assert await connection.scalar(text("SELECT to_regclass('left_over')")) is None
    await held.close()


async def test_who_asks_while_it_is_lent_gets_another(engine: AsyncEngine) -> None:
    """Given ten who ask at once, of a pool of eight, for single statements; then all are served, and one is held."""
    held = HeldConnection(autocommit(engine))

    async def ask() -> None:
        async with held.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(0.02)"))

    await asyncio.gather(*(ask() for _ in range(10)))
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    await held.close()


async def test_one_that_the_server_has_closed_is_replaced_unnoticed(engine: AsyncEngine) -> None:
    """Given a held connection at rest that the server ends; then the next transaction has another."""
    held = HeldConnection(engine)
    first = await backend(held)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})
    await asyncio.sleep(0.05)  # what the server said has to arrive
    assert await backend(held) != first
    await held.close()


async def test_a_statement_that_is_cut_off_harms_nobody(engine: AsyncEngine) -> None:
    """Given a transaction that takes longer than its caller waits; then the next one works, and nothing is left."""
    held = HeldConnection(engine)

    async def hang() -> None:
        async with asyncio.timeout(0.1), held.begin() as connection:
            await connection.execute(text("CREATE TABLE left_over (n int)"))
            await connection.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(TimeoutError):
        await hang()
    async with held.begin() as connection:
        assert await connection.scalar(text("SELECT to_regclass('left_over')")) is None
    await held.close()


@pytest.mark.parametrize("size", [1, 2])
async def test_the_last_connection_of_a_small_pool_is_left_to_others(database_url: str, size: int) -> None:
    """Given a small pool and two who hold on to theirs; when both are at rest; then who else asks is served."""
    engine = create_engine(database_url, role=None, pool_size=size)
    reading, working = HeldConnection(engine), HeldConnection(engine)
    for held in (reading, working, reading, working):
        assert await backend(held)
    async with engine.connect() as other:
        assert await other.scalar(BACKEND)
    await reading.close()
    await working.close()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await engine.dispose()
