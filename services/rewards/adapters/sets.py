"""Rows written set-based: one statement, or one COPY, for all of a batch; of small batches one for several tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.tables.schema import metadata
from shared.postgres.direct import copy_into
from shared.postgres.inserting import FEW, insert_of

_COLUMN = re.compile(r":c(\d+)\b")


async def update(connection: AsyncConnection, statement: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement that takes its rows as columns `c0`, `c1` and so on; not at all without rows."""
    if rows:
        await connection.execute(statement, _columns("c", rows))


@dataclass(slots=True)
class Writes:
    """Writes to different rows, which go out together: few rows of each table in one statement, as each that goes by
    itself costs a round trip; many each in its own way.

    Within one statement nothing sees what the others wrote, and no row may be written twice.
    """

    _parts: list[tuple[TextClause, Sequence[tuple[Any, ...]]]] = field(default_factory=list)
    _copies: list[tuple[str, Sequence[str], Sequence[tuple[Any, ...]]]] = field(default_factory=list)

    def update(self, statement: TextClause, rows: Sequence[tuple[Any, ...]]) -> None:
        """See the function of this name."""
        if rows:
            self._parts.append((statement, rows))

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """New rows of a table of this service."""
        if len(rows) > FEW:
            self._copies.append((f"rewards.{table}", columns, rows))
        elif rows:
            self._parts.append((insert_of(metadata.tables[f"rewards.{table}"], columns), rows))

    async def send(self, connection: AsyncConnection) -> None:
        """Write all of it."""
        together = [part for part in self._parts if len(part[1]) <= FEW]
        if len(together) > 1:
            bound: dict[str, Any] = {}
            for number, (_, rows) in enumerate(together):
                bound |= _columns(f"p{number}_", rows)
            await connection.execute(_together(tuple(statement for statement, _ in together)), bound)
        for statement, rows in self._parts:
            if len(together) < 2 or len(rows) > FEW:
                await update(connection, statement, rows)
        for copied in self._copies:
            await copy_into(connection, *copied)


def _columns(prefix: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"{prefix}{i}": list(column) for i, column in enumerate(zip(*rows, strict=True))}


@cache
def _together(statements: tuple[TextClause, ...]) -> TextClause:
    """One statement that does what these do."""
    parts = []
    for number, statement in enumerate(statements):
        own = _COLUMN.sub(rf":p{number}_\1", statement.text)
        parts.append(f"w{number} AS ({own})")
    return text(f"WITH {', '.join(parts)} SELECT 1")
