"""The embedded PostgreSQL: made, found again, repaired, private."""

import os
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.errors import LocalError
from deploy.local.postgres import database
from deploy.local.postgres.embedded import EmbeddedPostgres


def ignore(_line: str) -> None:
    """Nobody listens here."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's folder, whose rights another pytest changes under a server that runs as its own user."""
    with tempfile.TemporaryDirectory(prefix="regulars-") as name:
        made = Path(name).resolve()
        (made / "logs").mkdir()
        yield made


@pytest.fixture
async def postgres(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "postgres")
    await server.start(ignore)
    yield server
    await server.stop()


async def ask(server: EmbeddedPostgres, question: str) -> str:
    connection = await asyncpg.connect(server.url, timeout=5)
    try:
        return str(await connection.fetchval(question))
    finally:
        await connection.close()


def kill(server: EmbeddedPostgres, *, children: bool) -> None:
    process = server.running()
    assert process is not None
    victims = [process, *(process.children() if children else [])]
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=10)


async def test_only_a_private_socket_leads_to_it(postgres: EmbeddedPostgres) -> None:
    assert await ask(postgres, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
    assert await ask(postgres, "SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("children", [True, False])
async def test_committed_data_is_there_after_kill_9(postgres: EmbeddedPostgres, children: bool) -> None:
    await ask(postgres, "CREATE TABLE kept AS SELECT 42 AS value")

    kill(postgres, children=children)
    await postgres.start(ignore)

    assert await ask(postgres, "SELECT value FROM kept") == "42"


async def test_server_that_runs_already_is_used_as_it_is(postgres: EmbeddedPostgres) -> None:
    before = postgres.running()

    again = EmbeddedPostgres(postgres.data)
    await again.start(ignore)

    assert again.running() == before
    assert again.url == postgres.url


async def test_stranger_with_the_id_of_a_dead_server_is_not_taken_for_it(postgres: EmbeddedPostgres) -> None:
    kill(postgres, children=True)
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    fresh = EmbeddedPostgres(postgres.data)

    assert fresh.running() is None
    await fresh.start(ignore)

    assert await ask(fresh, "SELECT 1") == "1"
    await fresh.stop()


async def test_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path) -> None:
    deep = folder / ("x" * 100)
    (deep / "logs").mkdir(parents=True)
    server = EmbeddedPostgres(deep / "postgres")
    await server.start(ignore)
    try:
        assert await ask(server, "SELECT 1") == "1"
        sockets = Path(await ask(server, "SHOW unix_socket_directories"))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    finally:
        await server.stop()
        sockets.rmdir()


async def test_start_that_fails_shows_the_end_of_the_servers_log(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "postgres")
    await server.start(ignore)
    await server.stop()
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")

    with pytest.raises(LocalError, match=r"did not start(.|\n)*no_such_setting"):
        await server.start(ignore)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("not an address", "postgresql://user:password@host:5432/database"),
        ("postgresql://u:hidden@127.0.0.1:1/x", "cannot be used"),
    ],
)
async def test_database_that_cannot_be_reached_is_named_without_its_password(
    url: str, complaint: str
) -> None:
    with pytest.raises(LocalError, match=complaint) as caught:
        await database.reach(url)

    assert "hidden" not in str(caught.value)
