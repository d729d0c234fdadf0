"""What codes at the checkout read and write in PostgreSQL."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.member_rows import COLUMNS
from services.rewards.adapters.names import Names
from services.rewards.adapters.reading.reader import Reader
from services.rewards.adapters.spending import offer_uses, stock
from services.rewards.adapters.spending.checkouts import undone_orders
from services.rewards.domain.spending.offers import Offer
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import CodeUse
from shared.contracts.customer import is_own_id, own_id

_MEMBER = text(f"""
    SELECT {COLUMNS} FROM rewards.members WHERE customer_id =
        (SELECT coalesce(merged_into, customer_id) FROM rewards.members WHERE customer_id = :id)
    """)  # noqa: S608
_ALIAS = text("""
    INSERT INTO rewards.aliases (pseudonym, customer_id) VALUES (:pseudonym, :customer) ON CONFLICT DO NOTHING
    """)


class PostgresCodes:
    """Implements `CodeStore`."""

    def __init__(self, names: Names, reader: Reader) -> None:
        self._names = names
        self._reader = reader

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """See `CodeStore.customers`."""
        return await self._names.find(connection, names)

    async def welcome(self, connection: AsyncConnection, name: str) -> str | None:
        """See `CodeStore.welcome`: the id that the shop's id has as a customer of its own."""
        if is_own_id(name):
            return None
        pseudonym = self._names.pseudonym(name)
        customer_id = own_id(pseudonym)
        await connection.execute(_ALIAS, {"pseudonym": pseudonym, "customer": customer_id})
        return customer_id

    async def look(self, connection: AsyncConnection, customer_id: str) -> Member | None:
        """See `CodeStore.look`."""
        row = (await connection.execute(_MEMBER, {"id": customer_id})).first()
        return Member(*row) if row is not None else None

    async def issued(self, connection: AsyncConnection, code: str, *, lock: bool) -> Offer | None:
        """See `CodeStore.issued`."""
        return await self._reader.offer(connection, code, lock=lock)

    async def uses(
        self, connection: AsyncConnection, customer_id: str, offer: str, order_id: str | None
    ) -> list[CodeUse]:
        """See `CodeStore.uses`."""
        return await offer_uses.of_customer(connection, customer_id, offer, order_id)

    async def taken(self, connection: AsyncConnection, item: str, *, lock: bool) -> int:
        """See `CodeStore.taken`."""
        found = await (stock.lock(connection, {item}) if lock else stock.taken(connection, {item}))
        return found[item]

    async def undone_orders(
        self, connection: AsyncConnection, orders: set[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        """See `CodeStore.undone_orders`."""
        return await undone_orders(connection, orders)

    async def add_use(self, connection: AsyncConnection, use: CodeUse, actor: str) -> None:
        """See `CodeStore.add_use`."""
        await offer_uses.add(connection, use, actor)
