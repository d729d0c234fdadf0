"""Opening balances in PostgreSQL: they stand among the adjustments."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.checkout.checkouts import Names
from services.rewards.adapters.members.loading import load_lots
from services.rewards.adapters.points.adjustments import add_adjustments
from services.rewards.application.opening import REASON
from services.rewards.domain.member import Member
from shared.contracts.customer import is_own_id, own_id

ACTOR = "import"

_KNOWN = text("SELECT id, points FROM rewards.adjustments WHERE id = ANY(CAST(:ids AS text[]))")


class PostgresOpenings:
    """Implements `OpeningStore`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """See `OpeningStore.customers`."""
        return await self._names.find(connection, names)

    def part(self, name: str) -> str:
        """See `OpeningStore.part`."""
        return name if is_own_id(name) else own_id(self._names.pseudonym(name))

    async def known(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, int]:
        """See `OpeningStore.known`."""
        rows = await connection.execute(_KNOWN, {"ids": list(ids)})
        return {id_: points for id_, points in rows}  # noqa: C416  # rows are not tuples

    async def load_lots(self, connection: AsyncConnection, members: dict[str, Member]) -> None:
        """See `OpeningStore.load_lots`."""
        await load_lots(connection, members, members.keys())

    async def add(
        self, connection: AsyncConnection, rows: Sequence[tuple[str, str, int]], now: datetime
    ) -> None:
        """See `OpeningStore.add`."""
        await add_adjustments(connection, rows, reason=REASON, actor=ACTOR, now=now)
