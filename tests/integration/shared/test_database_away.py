"""The database away, in every way it can be: the answer is 503 with Retry-After, soon."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres.engine import create_engine
from tests.conftest import EngineFor
from tests.support.http import client_of, service, serving

Use = Callable[[AsyncConnection], Awaitable[Any]]


async def select_one(connection: AsyncConnection) -> None:
    """The least that one can ask."""
    await connection.execute(text("SELECT 1"))


def app_using(engine: AsyncEngine, use: Use) -> FastAPI:
    """A service whose route `/use` does something in a transaction."""
    app = service()

    @app.get("/use")
    async def route() -> str:
        async with engine.begin() as connection:
            await use(connection)
        return "done"

    return app


@asynccontextmanager
async def client_using(engine: AsyncEngine, use: Use) -> AsyncIterator[httpx.AsyncClient]:
    """A client of such a service."""
    async with client_of(app_using(engine, use)) as client:
        yield client


async def assert_unavailable(client: httpx.AsyncClient) -> None:
    """The route answers 503 within 5 s, as a problem that says when to come again."""
    started = time.monotonic()
    answer = await client.get("/use", timeout=20)

    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert time.monotonic() - started < 5


async def test_connection_refused() -> None:
    """Given nobody listening; when a route needs the database; then 503."""
    engine = create_engine("postgresql://127.0.0.1:1/none", role=None)
    async with client_using(engine, select_one) as client:
        await assert_unavailable(client)


async def test_a_unix_socket_that_is_gone() -> None:
    """Given an embedded server that is not there; when a route needs it; then 503."""
    engine = create_engine("postgresql:///none?host=/nowhere", role=None)
    async with client_using(engine, select_one) as client:
        await assert_unavailable(client)


async def test_a_name_that_does_not_resolve() -> None:
    """Given a host unknown to the network; when a route needs it; then 503."""
    engine = create_engine("postgresql://nowhere.invalid/none", role=None)
    async with client_using(engine, select_one) as client:
        await assert_unavailable(client)


async def test_a_server_that_never_answers() -> None:
    """Given a port that takes connections and stays silent; when a route needs it; then 503 in time."""
    held: list[asyncio.StreamWriter] = []

    def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        engine = create_engine(f"postgresql://127.0.0.1:{port}/none", role=None)
        async with client_using(engine, select_one) as client:
            await assert_unavailable(client)
        for writer in held:
            writer.close()
            await writer.wait_closed()


async def test_a_terminated_connection_and_the_recovery(engine_for: EngineFor) -> None:
    """Given a pooled connection that the server ended; when used; then 503 at most once, and then well again."""
    engine, killer = engine_for("regulars_rewards"), engine_for(None)
    async with client_using(engine, select_one) as client:
        assert (await client.get("/use")).status_code == 200
        async with killer.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        first = await client.get("/use")
        second = await client.get("/use")

    assert first.status_code in {200, 503}
    assert second.status_code == 200


async def test_a_connection_terminated_in_mid_transaction(engine_for: EngineFor) -> None:
    """Given a route in its transaction; when the server ends the connection; then 503."""
    killer = engine_for(None)

    async def be_killed(connection: AsyncConnection) -> None:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        async with killer.begin() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
        await connection.execute(text("SELECT 1"))

    async with client_using(engine_for("regulars_rewards"), be_killed) as client:
        await assert_unavailable(client)


async def test_an_exhausted_pool(database_url: str) -> None:
    """Given every connection of the pool in use; when a route wants one; then 503 in time."""
    engine = create_engine(database_url, role="regulars_rewards", pool_size=1)
    async with client_using(engine, select_one) as client, engine.connect() as held:
        await held.execute(text("SELECT 1"))
        await assert_unavailable(client)
    await engine.dispose()


async def test_too_many_connections(database_url: str, engine_for: EngineFor) -> None:
    """Given a server that takes no more connections of this user; when a route wants one; then 503."""
    async with engine_for(None).begin() as connection:
        await connection.execute(text("DROP ROLE IF EXISTS crowded"))
        await connection.execute(text("CREATE ROLE crowded LOGIN PASSWORD 'x' CONNECTION LIMIT 0"))
    url = make_url(database_url).set(username="crowded", password="x").render_as_string(hide_password=False)
    async with client_using(create_engine(url, role=None), select_one) as client:
        await assert_unavailable(client)


async def test_a_statement_timeout(engine_for: EngineFor) -> None:
    """Given a statement that takes longer than the server allows; when it is cut off; then 503."""

    async def sleep(connection: AsyncConnection) -> None:
        await connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        await connection.execute(text("SELECT pg_sleep(10)"))

    async with client_using(engine_for("regulars_rewards"), sleep) as client:
        await assert_unavailable(client)


async def test_a_lock_that_is_not_given_up(engine_for: EngineFor) -> None:
    """Given a row that somebody holds for ever; when a route waits for it; then 503 in time, and it lets go."""
    engine = engine_for("regulars_rewards")

    async def lock(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT pg_advisory_xact_lock(7)"))

    async with client_using(engine, lock) as client:
        async with engine.begin() as holder:
            await lock(holder)
            await assert_unavailable(client)
        assert (await client.get("/use")).status_code == 200


async def test_a_server_that_freezes_in_mid_transaction(engine_for: EngineFor) -> None:
    """Given a server process that stops without closing anything; when a route waits for it; then 503 in time."""
    engine = engine_for("regulars_rewards")
    frozen: list[int] = []

    async def freeze(connection: AsyncConnection) -> None:
        frozen.append(int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0))
        os.kill(frozen[0], signal.SIGSTOP)
        await connection.execute(text("SELECT 1"))

    async with serving(app_using(engine, freeze)) as client:
        try:
            await assert_unavailable(client)
        finally:
            os.kill(frozen[0], signal.SIGCONT)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT CAST(:value AS text)", "a\x00b"),
        ("SELECT CAST(:value AS text)", "\ud800"),
        ("SELECT CAST(:value AS bigint)", 2**63),
        ("SELECT CAST(CAST(:value AS text) AS json)", '{"a": NaN}'),
    ],
)
async def test_a_value_that_cannot_be_stored_is_refused_not_failed(
    statement: str, value: object, engine_for: EngineFor
) -> None:
    """Given a value that slipped past the border; when PostgreSQL refuses it; then 422, never 500."""

    async def store(connection: AsyncConnection) -> None:
        await connection.execute(text(statement), {"value": value})

    async with client_using(engine_for("regulars_rewards"), store) as client:
        answer = await client.get("/use")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_fault_in_the_sql_is_ours(engine_for: EngineFor) -> None:
    """Given a statement with a mistake; when a route runs it; then 500, so that somebody looks."""

    async def mistake(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT nonsense FROM nowhere"))

    async with client_using(engine_for("regulars_rewards"), mistake) as client:
        assert (await client.get("/use")).status_code == 500
