"""COPY within the caller's transaction: the fastest way for rows into a table."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.tables import metadata
from shared.postgres.direct import driver_of


async def copy(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows to a table of scoring. The transaction must have begun with a statement before."""
    driver = driver_of(connection)
    await driver.copy_records_to_table(table, schema_name=metadata.schema, columns=columns, records=rows)
