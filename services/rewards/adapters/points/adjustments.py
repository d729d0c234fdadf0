"""Points given or taken by hand, in PostgreSQL: who did it, and why. Opening balances stand among them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.names import Names
from services.rewards.adapters.points.lots import load_lots
from services.rewards.domain.state.member import Member

_ADD = text("""
    INSERT INTO rewards.adjustments (id, customer_id, points, reason, actor, at)
    SELECT id, customer_id, points, :reason, :actor, :at
    FROM unnest(CAST(:ids AS text[]), CAST(:customers AS text[]), CAST(:points AS bigint[]))
        AS w(id, customer_id, points) ORDER BY id
    """)


class PostgresAdjustments:
    """Implements `AdjustmentStore`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """See `AdjustmentStore.customers`."""
        return await self._names.find(connection, names)

    async def load_lots(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        due_by: datetime,
    ) -> None:
        """See `AdjustmentStore.load_lots`."""
        await load_lots(connection, members, draws, due_by)

    async def add(
        self,
        connection: AsyncConnection,
        rows: Sequence[tuple[str, str, int]],
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> None:
        """See `AdjustmentStore.add`."""
        ids, customers, points = (list(column) for column in zip(*rows, strict=True))
        bound = {"ids": ids, "customers": customers, "points": points}
        await connection.execute(_ADD, bound | {"reason": reason, "actor": actor, "at": now})
