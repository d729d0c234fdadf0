"""Every migration history: up, down, and equal to the tables that the code believes in."""

import importlib

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.faults import is_transient
from shared.bus.postgres.bus import platform_log
from shared.bus.records import Outgoing
from shared.postgres.engine import create_engine
from shared.postgres.migrating import HISTORIES, History, migrate, run_step
from tests.support.database import TestDatabases

METADATA = {
    "platform": "shared.tables",
    "ingest": "services.ingest.adapters.tables",
    "scoring": "services.scoring.adapters.tables.schema",
    "rewards": "services.rewards.adapters.tables.schema",
    "deliveries": "services.deliveries.adapters.tables",
}
every_history = pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.schema)


def metadata_of(history: History) -> MetaData:
    """The tables as the code of this history declares them."""
    metadata = importlib.import_module(METADATA[history.schema]).metadata
    assert isinstance(metadata, MetaData)
    return metadata


def tables_in(connection: Connection, schema: str) -> set[str]:
    """The tables that exist in a schema, without alembic's own."""
    return set(inspect(connection).get_table_names(schema)) - {"schema_version"}


@every_history
async def test_models_match_migrations(history: History, database_url: str) -> None:
    """Given a migrated database; when it is compared with the models; then there is no difference."""
    engine = create_engine(database_url, role=None, pool_size=1)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == history.schema,
                "include_object": lambda thing, name, kind, *_: name != "schema_version",
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        return list(compare_metadata(context, metadata_of(history)))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


@every_history
async def test_downgrade_leaves_nothing_and_upgrade_brings_all_back(
    history: History, databases: TestDatabases
) -> None:
    """Given a migrated database; when a history goes down to its base; then its tables are gone, and up again, back."""
    async with databases.fresh() as url:
        engine = create_engine(url, role=None, pool_size=1)

        async def tables() -> set[str]:
            async with engine.connect() as connection:
                return await connection.run_sync(tables_in, history.schema)

        before = await tables()
        async with engine.begin() as connection:
            await connection.run_sync(run_step, history, command.downgrade, "base")
        between = await tables()
        async with engine.begin() as connection:
            await connection.run_sync(run_step, history, command.upgrade, "head")
        after = await tables()
        await engine.dispose()

    assert before
    assert between == set()
    assert after == before


async def test_records_that_lie_together_lie_alone_before_that(databases: TestDatabases) -> None:
    """Given a log with records in packs; when it goes back to rows of one record, and up again; then all are there."""
    (history,) = (each for each in HISTORIES if each.schema == "platform")
    log = platform_log(4)
    places = {("t", number): 0 for number in range(4)}
    async with databases.fresh() as url:
        engine = create_engine(url, role=None, pool_size=1)
        async with engine.begin() as connection:
            await log.append(connection, [Outgoing("t", f"k{n % 9}", b"%d" % n) for n in range(300)])
            await log.append(connection, [Outgoing("t", "k1", b"alone")])
            before = await log.read(connection, places, 1000)
            await connection.run_sync(run_step, history, command.downgrade, "0006")
            count = await connection.scalar(text("SELECT count(DISTINCT value) FROM platform.log_records"))
            await connection.run_sync(run_step, history, command.upgrade, "head")
            after = await log.read(connection, places, 1000)
        await engine.dispose()

    assert count == len(before) == 301
    assert after == before


@pytest.mark.parametrize(
    "log",
    [
        "platform.log",
        "ingest.spool",
        "scoring.outbox",
        "rewards.outbox",
        "deliveries.outbox",
    ],
)
async def test_a_process_of_before_packs_takes_none_for_a_record(database_url: str, log: str) -> None:
    """Given a process of the release whose logs had one record in a row, which runs beside one of this release; when it
    reads a log or writes to it, as it did; then it is refused in a way for which workers and relays wait, and sets
    nothing aside."""
    engine = create_engine(database_url, role=None, pool_size=1)
    read = f'SELECT "offset", key, value FROM {log}_records WHERE topic = \'t\' AND "offset" >= 0'
    write = (
        f"""INSERT INTO {log}_records (topic, partition, "offset", key, value) VALUES ('t', 0, 0, '', '')"""
    )
    for statement in (read, write):
        with pytest.raises(Exception, match="value") as refused:
            async with engine.begin() as connection:
                await connection.execute(text(statement))
        assert is_transient(refused.value)
    await engine.dispose()


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """Given a migrated database; when it is migrated again; then nothing is refused, and each table, index and sequence
    is the one that was there, in the same place."""
    engine = create_engine(database_url, role=None, pool_size=1)
    things = text("""
        SELECT n.nspname, c.relname, c.oid, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(CAST(:schemas AS text[])) ORDER BY c.oid
        """)

    async def found() -> list[object]:
        async with engine.connect() as connection:
            return list(
                await connection.execute(things, {"schemas": [history.schema for history in HISTORIES]})
            )

    before = await found()
    await migrate(database_url)

    assert before
    assert await found() == before
    await engine.dispose()


async def test_a_service_cannot_read_the_tables_of_another(database_url: str) -> None:
    """Given the role of one service; when it reads another's tables; then the database refuses."""
    engine = create_engine(database_url, role="regulars_scoring", pool_size=1)

    async def may_use(connection: AsyncConnection, schema: str) -> bool:
        return bool(
            await connection.scalar(text("SELECT has_schema_privilege(:schema, 'USAGE')"), {"schema": schema})
        )

    async with engine.connect() as connection:
        assert await may_use(connection, "scoring")
        assert await may_use(connection, "platform")
        assert not await may_use(connection, "rewards")
        assert not await may_use(connection, "ingest")
    await engine.dispose()


async def test_migrations_start_from_an_empty_database(databases: TestDatabases) -> None:
    """Given a database in which nothing exists; when it is migrated; then every schema has tables."""
    async with databases.empty() as url:
        await migrate(url)
        engine = create_engine(url, role=None, pool_size=1)
        async with engine.connect() as connection:
            found = {
                history.schema: await connection.run_sync(tables_in, history.schema) for history in HISTORIES
            }
        await engine.dispose()

    assert all(found.values()), found
