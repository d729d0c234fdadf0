"""The alembic environment that every history's `env.py` runs: on the connection that `histories` hands over."""

from alembic import context
from sqlalchemy import Connection, MetaData


def run(metadata: MetaData) -> None:
    """Run the migrations asked for, with the version table in the history's own schema."""
    connection = context.config.attributes["connection"]
    assert isinstance(connection, Connection)
    schema = context.config.attributes["schema"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table="schema_version",
        version_table_schema=schema,
        include_schemas=False,
        transaction_per_migration=False,
    )
    context.run_migrations()
