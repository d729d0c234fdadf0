"""The step that the tables of every log take together: rows of one record become rows of several, and back."""

import sqlalchemy as sa
from alembic import op

from shared.bus.log.packs import Row, unpacked

ROWS_AT_ONCE = 1_000


def begin_packs(schema: str, prefix: str) -> None:
    """Rows say how many records they hold. Those that are there hold one."""
    column = sa.Column("records", sa.Integer, nullable=False, server_default=sa.text("1"))
    op.add_column(f"{prefix}_records", column, schema=schema)


def keep_out_those_before_packs(schema: str, prefix: str) -> None:
    """A process of the release before packs would take one for a record, set it aside or publish it. What it asks of
    the log is refused from here on, by which it holds up, says so (`UndefinedColumnError`) and handles nothing."""
    op.alter_column(f"{prefix}_records", "value", new_column_name="body", schema=schema)


def let_in_those_before_packs(schema: str, prefix: str) -> None:
    """For the way back, before `end_packs`."""
    op.alter_column(f"{prefix}_records", "body", new_column_name="value", schema=schema)


def end_packs(schema: str, prefix: str) -> None:
    """A row for each record again."""
    table = f"{schema}.{prefix}_records"
    take = sa.text(f"""
        DELETE FROM {table} WHERE (topic, partition, "offset") IN (
            SELECT topic, partition, "offset" FROM {table} WHERE records > 1 LIMIT {ROWS_AT_ONCE}
        ) RETURNING topic, partition, "offset", records, key, value, at
        """)  # noqa: S608  # the names are the program's own
    give = sa.text(f"""
        INSERT INTO {table} (topic, partition, "offset", key, value, at)
        VALUES (:topic, :partition, :offset, :key, :value, :at)
        """)  # noqa: S608
    connection = op.get_bind()
    while packs := connection.execute(take).all():
        rows = [
            {"topic": topic, "partition": partition, "offset": each.offset, "key": each.key}
            | {"value": each.value, "at": at}
            for topic, partition, *row, at in packs
            for each in unpacked(topic, partition, Row(*row), 0)
        ]
        connection.execute(give, rows)
    op.drop_column(f"{prefix}_records", "records", schema=schema)
