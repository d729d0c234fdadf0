"""Opening balances in PostgreSQL: they stand among the adjustments."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.points.adjustments import PostgresAdjustments
from shared.contracts.customer import is_own_id, own_id

_KNOWN = text("SELECT id, points FROM rewards.adjustments WHERE id = ANY(CAST(:ids AS text[]))")


class PostgresOpenings(PostgresAdjustments):
    """Implements `OpeningStore`."""

    def part(self, name: str) -> str:
        """See `OpeningStore.part`."""
        return name if is_own_id(name) else own_id(self._names.pseudonym(name))

    async def known(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, int]:
        """See `OpeningStore.known`."""
        rows = await connection.execute(_KNOWN, {"ids": list(ids)})
        return {id_: points for id_, points in rows}  # noqa: C416  # rows are not tuples
