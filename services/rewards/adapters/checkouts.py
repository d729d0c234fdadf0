"""What the checkout keeps in PostgreSQL: redemptions, and the answers under idempotency keys."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.loading import load_lots, load_numbered_lots
from services.rewards.application.checkout import Answered, AnsweredMeanwhileError
from services.rewards.domain.member import Member
from services.rewards.domain.redemptions import Redemption, Status
from shared.vault.pseudonyms import Pseudonyms

_taken = json.Decoder(list[tuple[int, int]])

_RESOLVE = text("""
    SELECT w.name, coalesce(m.customer_id, a.customer_id)
    FROM unnest(CAST(:names AS text[]), CAST(:pseudonyms AS text[])) AS w(name, pseudonym)
    LEFT JOIN rewards.members m ON m.customer_id = w.name
    LEFT JOIN rewards.aliases a ON a.pseudonym = w.pseudonym
    WHERE coalesce(m.customer_id, a.customer_id) IS NOT NULL
    """)
_OWNERS = text("SELECT id, customer_id FROM rewards.redemptions WHERE id = ANY(CAST(:ids AS text[]))")
_REDEMPTIONS = text("""
    SELECT id, customer_id, order_id, points, value, currency, status, reserved_at, expires_at, ended_at, taken,
        program_version
    FROM rewards.redemptions WHERE id = ANY(CAST(:ids AS text[]))
    """)
_ANSWERS = text("""
    SELECT k.scope, k.key, k.body_hash, k.body
    FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[])) AS w(scope, key)
    JOIN rewards.idempotency_keys k USING (scope, key)
    """)
_REMEMBER = text("""
    INSERT INTO rewards.idempotency_keys (scope, key, body_hash, status, body, created_at)
    SELECT scope, key, body_hash, 201, body, :now
    FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[]), CAST(:hashes AS bytea[]), CAST(:bodies AS bytea[]))
        AS w(scope, key, body_hash, body)
    ORDER BY scope, key ON CONFLICT DO NOTHING RETURNING 1
    """)


class Names:
    """Finds customers by our ids or by the shop's own. Nothing is remembered: a name that leads to somebody else since
    a moment ago would spend the wrong customer's points, and to see that nothing has changed costs a query too."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    async def find(self, connection: AsyncConnection, names: Collection[str]) -> dict[str, str]:
        """Customer ids by name; unknown ones are missing."""
        if not names:
            return {}
        keys = {"names": [*names], "pseudonyms": [self._pseudonyms.of("id", name) for name in names]}
        rows = await connection.execute(_RESOLVE, keys)
        return {name: customer_id for name, customer_id in rows}  # noqa: C416  # rows are not tuples


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

    async def load_lots(
        self, connection: AsyncConnection, members: dict[str, Member], redemptions: Sequence[Redemption]
    ) -> None:
        """See `CheckoutStore.load_lots`."""
        await load_lots(connection, members, members.keys())
        await load_numbered_lots(
            connection, members, [(r.customer_id, number) for r in redemptions for number, _ in r.taken]
        )

    async def answers(
        self, connection: AsyncConnection, keys: set[tuple[str, str]]
    ) -> dict[tuple[str, str], Answered]:
        """See `CheckoutStore.answers`."""
        if not keys:
            return {}
        bound = {"scopes": [scope for scope, _ in keys], "keys": [key for _, key in keys]}
        rows = await connection.execute(_ANSWERS, bound)
        return {(scope, key): Answered(body_hash, body) for scope, key, body_hash, body in rows}

    async def remember(
        self, connection: AsyncConnection, answers: dict[tuple[str, str], Answered], now: datetime
    ) -> None:
        """See `CheckoutStore.remember`."""
        if not answers:
            return
        bound = {
            "scopes": [scope for scope, _ in answers],
            "keys": [key for _, key in answers],
            "hashes": [answer.body_hash for answer in answers.values()],
            "bodies": [answer.body for answer in answers.values()],
            "now": now,
        }
        written = (await connection.execute(_REMEMBER, bound)).all()
        if len(written) != len(answers):
            raise AnsweredMeanwhileError


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
        stored=True,
    )
