"""New rows of a table within the caller's transaction: many by COPY, few by one statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.tables.schema import metadata
from shared.postgres.direct import copy_into
from shared.postgres.inserting import FEW, insert_of


async def copy(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows to a table of scoring. The transaction must have begun with a statement before."""
    if len(rows) > FEW:
        await copy_into(connection, f"{metadata.schema}.{table}", columns, rows)
    elif rows:
        statement = insert_of(metadata.tables[f"{metadata.schema}.{table}"], tuple(columns))
        bound = {f"c{number}": list(column) for number, column in enumerate(zip(*rows, strict=True))}
        await connection.execute(statement, bound)
