"""The pool of connections: the warm one is used again."""

import asyncio

from sqlalchemy import text

from shared.postgres.engine import create_engine


async def test_the_connection_used_last_is_used_next(database_url: str) -> None:
    """Given a pool that has had to open three connections at once; when work comes one at a time; then one connection,
    which knows its statements by now, does all of it."""
    engine = create_engine(database_url, role=None, pool_size=3)
    backend = text("SELECT pg_backend_pid()")
    try:
        async with engine.connect() as first, engine.connect() as second, engine.connect() as third:
            opened = [await each.scalar(backend) for each in (first, second, third)]
        assert len(set(opened)) == 3

        used = set()
        for _ in range(6):
            async with engine.connect() as connection:
                used.add(await connection.scalar(backend))
    finally:
        await engine.dispose()

    assert len(used) == 1


async def test_connections_that_the_server_has_closed_are_replaced_unnoticed(database_url: str) -> None:
    """Given a pool of connections at rest; when the server closes them all; then whoever asks next gets an answer."""
    engine = create_engine(database_url, role=None, pool_size=3)
    watcher = create_engine(database_url, role=None, pool_size=1)
    backend = text("SELECT pg_backend_pid()")
    try:
        async with engine.connect() as first, engine.connect() as second, engine.connect() as third:
            closed = [await each.scalar(backend) for each in (first, second, third)]
        async with watcher.connect() as connection:
            await connection.execute(
                text("SELECT pg_terminate_backend(pid, 5000) FROM unnest(CAST(:closed AS int[])) AS pid"),
                {"closed": closed},
            )
        await asyncio.sleep(0.05)  # what the server said has to arrive

        async with engine.connect() as connection:
            found = await connection.scalar(backend)
    finally:
        await engine.dispose()
        await watcher.dispose()

    assert found not in closed
