"""Columns of which ANALYZE keeps no statistics: a step of migrations.

Autovacuum samples 30,000 rows of a table whenever a tenth of it has changed, and sorts the values of each column in
turn: of the long ones that nobody searches by, for nothing. It also keeps some of them as examples, where a key
that was destroyed would live on.
"""

from collections.abc import Iterable, Mapping

from alembic import op


def forgo(schema: str, table: str, columns: Iterable[str], few: Iterable[str] = ()) -> None:
    """No statistics of `columns`, and of `few` others a tenth of the usual (then only so many rows are sampled, if that
    is all that the table has). Takes moments, and keeps nobody from reading and writing."""
    columns = list(columns)
    _set(schema, table, dict.fromkeys(columns, 0) | dict.fromkeys(few, 10))
    for column in columns:
        # What was kept before would stay for ever; before PostgreSQL 18 only its superuser can remove it.
        op.execute(f"""
            DO $$ BEGIN IF current_setting('server_version_num')::int >= 180000 THEN
                PERFORM pg_catalog.pg_clear_attribute_stats('{schema}', '{table}', '{column}', false);
            END IF; END $$
            """)


def keep(schema: str, table: str, columns: Iterable[str]) -> None:
    """The usual statistics again, from the next ANALYZE on."""
    _set(schema, table, dict.fromkeys(columns, -1))


def _set(schema: str, table: str, targets: Mapping[str, int]) -> None:
    for column, target in targets.items():
        op.execute(f'ALTER TABLE {schema}.{table} ALTER COLUMN "{column}" SET STATISTICS {target}')
