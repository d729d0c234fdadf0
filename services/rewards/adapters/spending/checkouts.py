"""What the checkout keeps in PostgreSQL: redemptions, and the answers under idempotency keys."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.names import Names
from services.rewards.adapters.points.lots import load_lots, load_numbered_lots
from services.rewards.adapters.spending import loading as checkout_loading
from services.rewards.adapters.spending import stock
from services.rewards.adapters.spending.loading import UNDONE
from services.rewards.application.spending.checkout import Seen
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Redemption, Status
from shared.program.model.offers import Gift

_taken = json.Decoder(list[tuple[int, int]])
_gives = json.Decoder(Gift)

_OWNERS = text("SELECT id, customer_id FROM rewards.redemptions WHERE id = ANY(CAST(:ids AS text[]))")
_REDEMPTION = (
    "r.id, r.customer_id, r.order_id, r.points, r.value, r.currency, r.status, r.reserved_at, r.expires_at, r.ended_at,"
    " r.taken, r.program_version, r.reward, r.gives"
)
_REDEMPTIONS = text(f"SELECT {_REDEMPTION} FROM rewards.redemptions r WHERE id = ANY(CAST(:ids AS text[]))")  # noqa: S608
_FOR_ORDERS = text(f"""
    SELECT {_REDEMPTION} FROM unnest(CAST(:customers AS text[]), CAST(:orders AS text[])) AS w(customer_id, order_id)
    JOIN rewards.redemptions r USING (customer_id, order_id) WHERE r.status IN ('reserved', 'confirmed') ORDER BY r.id
    """)  # noqa: S608
_REWARD_USES = text("""
    SELECT r.customer_id, r.reward, r.reserved_at
    FROM unnest(CAST(:customers AS text[]), CAST(:rewards AS text[])) AS w(customer_id, reward)
    JOIN rewards.redemptions r USING (customer_id, reward) WHERE r.status IN ('reserved', 'confirmed')
    """)
_UNDONE = text(f"""
    SELECT p.customer_id, p.order_id
    FROM unnest(CAST(:customers AS text[]), CAST(:orders AS text[])) AS w(customer_id, order_id)
    JOIN rewards.purchases p USING (customer_id, order_id) WHERE {UNDONE}
    """)  # noqa: S608


class PostgresCheckouts:
    """Implements `CheckoutStore`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """See `CheckoutStore.customers`."""
        return await self._names.find(connection, names)

    async def owners(self, connection: AsyncConnection, ids: set[str]) -> dict[str, str]:
        """See `CheckoutStore.owners`."""
        rows = await connection.execute(_OWNERS, {"ids": list(ids)})
        return {id_: customer_id for id_, customer_id in rows}  # noqa: C416  # rows are not tuples

    async def redemptions(self, connection: AsyncConnection, ids: set[str]) -> dict[str, Redemption]:
        """See `CheckoutStore.redemptions`."""
        return {
            row.id: to_redemption(row) for row in await connection.execute(_REDEMPTIONS, {"ids": list(ids)})
        }

    async def lock(
        self, connection: AsyncConnection, names: set[str], redemptions: set[str]
    ) -> tuple[dict[str, Member], dict[str, Member]]:
        """See `CheckoutStore.lock`."""
        pseudonyms = {name: self._names.pseudonym(name) for name in names}
        return await checkout_loading.lock_members(connection, pseudonyms, redemptions)

    async def see(  # noqa: PLR0917
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        orders: set[tuple[str, str]],
        keys: set[tuple[str, str]],
        now: datetime,
    ) -> Seen:
        """See `CheckoutStore.see`."""
        return await checkout_loading.see(connection, members, draws, orders, keys, now)

    async def load_lots(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        due_by: datetime,
    ) -> None:
        """See `CheckoutStore.load_lots`."""
        await load_lots(connection, members, draws, due_by)

    async def load_taken(
        self, connection: AsyncConnection, members: dict[str, Member], redemptions: Sequence[Redemption]
    ) -> None:
        """See `CheckoutStore.load_taken`."""
        taken = [(one.customer_id, number) for one in redemptions for number, _ in one.taken]
        await load_numbered_lots(connection, members, taken)

    async def reward_uses(
        self, connection: AsyncConnection, wanted: set[tuple[str, str]]
    ) -> dict[tuple[str, str], list[datetime]]:
        """See `CheckoutStore.reward_uses`."""
        keys = {"customers": [one for one, _ in wanted], "rewards": [reward for _, reward in wanted]}
        uses: dict[tuple[str, str], list[datetime]] = {}
        for customer_id, reward, at in await connection.execute(_REWARD_USES, keys):
            uses.setdefault((customer_id, reward), []).append(at)
        return uses

    async def lock_stock(
        self, connection: AsyncConnection, limited: set[str], others: set[str]
    ) -> dict[str, int]:
        """See `CheckoutStore.lock_stock`."""
        return await stock.lock(connection, limited, others)


async def undone_orders(
    connection: AsyncConnection, orders: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Which of these (customer, order id) were cancelled or refunded in full."""
    if not orders:
        return set()
    keys = {"customers": [customer for customer, _ in orders], "orders": [order for _, order in orders]}
    return {(customer, order) for customer, order in await connection.execute(_UNDONE, keys)}


async def load_for_orders(
    connection: AsyncConnection, members: dict[str, Member], orders: Collection[tuple[str, str]]
) -> None:
    """What was reserved or spent for these (customer, order id), and the lots it came from."""
    keys = {"customers": [customer for customer, _ in orders], "orders": [order for _, order in orders]}
    lots: list[tuple[str, int]] = []
    for row in await connection.execute(_FOR_ORDERS, keys):
        redemption = to_redemption(row)
        found = members[redemption.customer_id].redemptions
        found.setdefault(str(redemption.order_id), []).append(redemption)
        lots += [(redemption.customer_id, number) for number, _ in redemption.taken]
    await load_numbered_lots(connection, members, lots)


def to_redemption(row: Any) -> Redemption:
    """The redemption in a row of its table."""
    return Redemption(
        id=row.id,
        customer_id=row.customer_id,
        order_id=row.order_id,
        points=row.points,
        value=row.value,
        currency=row.currency,
        status=Status(row.status),
        reserved_at=row.reserved_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        taken=_taken.decode(row.taken),
        program_version=row.program_version,
        reward=row.reward,
        gives=_gives.decode(row.gives) if row.gives is not None else None,
        stored=True,
    )
