"""Inserts of a few rows, as arrays of their columns: one prepared statement, where a COPY takes two round trips and its
own planning each time."""

from functools import cache

from sqlalchemy import Table, TextClause, text

FEW = 100
"""Rows for which that matters; beyond it the rows themselves cost more, and a COPY is faster."""

_TYPES = {
    "BigInteger": "bigint",
    "Boolean": "boolean",
    "DateTime": "timestamptz",
    "Integer": "int",
    "JSON": "json",
    "JSONB": "jsonb",
    "LargeBinary": "bytea",
    "Numeric": "numeric",
    "SmallInteger": "smallint",
    "String": "text",
}
_AS_TEXT = ("json", "jsonb")
"""Travel as text, each value whole."""


@cache
def insert_of(table: Table, columns: tuple[str, ...]) -> TextClause:
    """An insert into a table that takes its rows as columns `c0`, `c1` and so on, in the order of `columns`."""
    types = [_TYPES[type(table.columns[column].type).__name__] for column in columns]
    arrays = ", ".join(
        f"CAST(:c{i} AS {'text' if type_ in _AS_TEXT else type_}[])" for i, type_ in enumerate(types)
    )
    values = ", ".join(
        f"CAST(u.c{i} AS {type_})" if type_ in _AS_TEXT else f"u.c{i}" for i, type_ in enumerate(types)
    )
    names = ", ".join(f'"{column}"' for column in columns)
    unnested = ", ".join(f"c{i}" for i in range(len(columns)))
    return text(
        f"INSERT INTO {table.fullname} ({names}) SELECT {values} FROM unnest({arrays}) AS u({unnested})"  # noqa: S608  # our own names
    )
