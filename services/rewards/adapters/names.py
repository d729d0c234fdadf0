"""Who goes by a name: members found by our ids or by those that the shop uses."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.vault.pseudonyms import Pseudonyms

_NAMED = """
    SELECT w.name, coalesce(m.customer_id, a.customer_id) AS customer_id
    FROM unnest(CAST(:names AS text[]), CAST(:pseudonyms AS text[])) AS w(name, pseudonym)
    LEFT JOIN rewards.members m ON m.customer_id = w.name
    LEFT JOIN rewards.aliases a ON a.pseudonym = w.pseudonym
    WHERE coalesce(m.customer_id, a.customer_id) IS NOT NULL
    """
_RESOLVE = text(_NAMED)
_FOLLOW = text(f"""
    SELECT coalesce(t.merged_into, t.customer_id) FROM ({_NAMED}) AS named
    JOIN rewards.members t ON t.customer_id = named.customer_id
    """)  # noqa: S608


class Names:
    """Finds customers by our ids or by the shop's own. Nothing is remembered: a name that leads to somebody else since
    a moment ago would spend the wrong customer's points, and to see that nothing has changed costs a query too."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    def pseudonym(self, name: str) -> str:
        """What stands for a shop's id of a customer."""
        return self._pseudonyms.of("id", name)

    async def find(self, connection: AsyncConnection, names: Collection[str]) -> dict[str, str]:
        """Customer ids by name; unknown ones are missing."""
        if not names:
            return {}
        rows = await connection.execute(_RESOLVE, self._keys(names))
        return {name: customer_id for name, customer_id in rows}  # noqa: C416  # rows are not tuples

    async def follow(self, connection: AsyncConnection, name: str) -> str | None:
        """The id that a customer has now, merges followed; None if nobody goes by that name."""
        customer_id: str | None = await connection.scalar(_FOLLOW, self._keys([name]))
        return customer_id

    def _keys(self, names: Collection[str]) -> dict[str, list[str]]:
        return {"names": [*names], "pseudonyms": [self.pseudonym(name) for name in names]}
