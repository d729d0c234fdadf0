"""Migration histories: one for what services share, one per service, each in its own schema.

`regulars migrate` brings all of them to their heads; it may run any number of times and from several machines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.postgres.engine import create_engine

ROOT = Path(__file__).resolve().parents[2]
MIGRATION_LOCK = 0x7265_6775  # "regu": one migrator at a time


@dataclass(frozen=True, slots=True)
class History:
    """A schema, the folder of its migrations, and the role that owns it."""

    schema: str
    folder: Path
    keepers: tuple[str, ...] = ()
    """Further roles that own something in it which the service may use and not change; no process acts as them."""

    @property
    def role(self) -> str:
        """The role under which the schema's tables are made and used."""
        return f"regulars_{self.schema}"


HISTORIES = (
    History("platform", ROOT / "shared" / "postgres" / "migrations"),
    History("ingest", ROOT / "services" / "ingest" / "migrations"),
    History("scoring", ROOT / "services" / "scoring" / "migrations"),
    History("rewards", ROOT / "services" / "rewards" / "migrations", keepers=("regulars_ledger",)),
    History("deliveries", ROOT / "services" / "deliveries" / "migrations"),
)
"""In the order in which they are applied: `platform` grants its tables to the roles of the others."""


async def migrate(url: str) -> None:
    """Make roles and schemas that are missing, and bring every history to its newest version.

    `url` names a user that may create roles and schemas (the owner of the database will do).
    """
    engine = create_engine(url, role=None, pool_size=2, application="regulars-migrate")
    try:
        async with engine.connect() as guard:
            await guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            await guard.commit()
            for history in HISTORIES:
                async with engine.begin() as connection:
                    await _prepare(connection, history)
            for history in HISTORIES:
                async with engine.begin() as connection:
                    await connection.run_sync(run_step, history, command.upgrade, "head")
            await guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
    finally:
        await engine.dispose()


async def _prepare(connection: AsyncConnection, history: History) -> None:
    for role in (history.role, *history.keepers):
        exists = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        if not exists:
            await connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        await connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    await connection.execute(
        text(f"CREATE SCHEMA IF NOT EXISTS {history.schema} AUTHORIZATION {history.role}")
    )


def run_step(
    connection: Connection, history: History, step: Callable[[Config, str], None], revision: str
) -> None:
    """Run alembic's `upgrade` or `downgrade` of one history to a revision, in the connection's transaction."""
    connection.execute(text(f"SET LOCAL ROLE {history.role}"))
    config = Config()
    config.set_main_option("script_location", str(history.folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["schema"] = history.schema
    step(config, revision)
