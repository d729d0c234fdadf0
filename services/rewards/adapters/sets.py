"""Rows written set-based: one statement, or one COPY, for all of a batch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection


async def update(connection: AsyncConnection, statement: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement that takes its rows as columns `c0`, `c1` and so on; not at all without rows."""
    if rows:
        columns = zip(*rows, strict=True)
        await connection.execute(statement, {f"c{i}": list(column) for i, column in enumerate(columns)})


async def copy(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """COPY, the fastest way in. The transaction has begun: members were locked in it."""
    if not rows:
        return
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    await raw.copy_records_to_table(table, schema_name="rewards", records=rows, columns=columns)
