"""Queries that only read: what a customer has, and how it came about. One statement each, so one moment each."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.member_rows import COLUMNS
from services.rewards.adapters.names import Names
from services.rewards.adapters.points.lots import ENDS_AT
from services.rewards.adapters.tiering.rolling import roll_spend
from services.rewards.domain.points.balances import Balances, Held, Holdings
from services.rewards.domain.spending.offers import Offer
from services.rewards.domain.state.member import Member

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)

_MEMBER = text(f"SELECT {COLUMNS} FROM rewards.members WHERE customer_id = :id")  # noqa: S608
# Summed up here: a customer may have tens of thousands of lots.
_BALANCES = text(f"""
    SELECT m.reserved, m.debt, m.lifetime_earned, h.*
    FROM rewards.members m LEFT JOIN LATERAL (
        SELECT pending AND available_at > :now AS waits,
            CASE WHEN ends_at <= CAST(:horizon AS timestamptz) THEN ends_at END AS ends_at, sum(remaining)::bigint
        FROM (
            SELECT *, {ENDS_AT.format(since="m.renewed_since", until="m.renewed_until")} AS ends_at
            FROM rewards.lots WHERE customer_id = m.customer_id AND remaining > 0
        ) AS held GROUP BY 1, 2
    ) AS h ON true
    WHERE m.customer_id = :id
    """)  # noqa: S608
_ABSORBED = text("SELECT customer_id FROM rewards.members WHERE merged_into = :id")
_ENTRY = (
    "customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause, program_version"
)
_LEDGER = text(f"""
    SELECT {_ENTRY} FROM rewards.entries WHERE customer_id = :id AND number < :number
    ORDER BY number DESC LIMIT :limit
    """)  # noqa: S608
# After a merge several ledgers are read as one; rare, and sorted at every page.
_LEDGERS = text(f"""
    SELECT {_ENTRY} FROM rewards.entries
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND (recorded_at, customer_id, number) < (:at, :id, :number)
    ORDER BY recorded_at DESC, customer_id DESC, number DESC LIMIT :limit
    """)  # noqa: S608
_OFFER = (
    "code, customer_id, offer, rule, cause, program_version, issued_at, valid_until, uses, used, revoked_at,"
    " percent, amount, free_shipping, gift, currency"
)
_OFFERS = text(f"""
    SELECT {_OFFER} FROM rewards.offers
    WHERE customer_id = :id AND (issued_at, code) < (:at, :code) ORDER BY issued_at DESC, code DESC LIMIT :limit
    """)  # noqa: S608
_ONE_OFFER = text(f"SELECT {_OFFER} FROM rewards.offers WHERE code = :code")  # noqa: S608
_ONE_OFFER_LOCKED = text(f"SELECT {_OFFER} FROM rewards.offers WHERE code = :code FOR UPDATE")  # noqa: S608


class Reader:
    """Reads for the API. Customers are named by any of their ids."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def customer(self, connection: AsyncConnection, name: str) -> str | None:
        """The customer's id now, merges followed; None if nobody goes by that name."""
        return await self._names.follow(connection, name)

    def pseudonym(self, name: str) -> str:
        """What stands for the name of somebody whom we do not know."""
        return self._names.pseudonym(name)

    async def member(
        self, connection: AsyncConnection, customer_id: str, spend_since: datetime | None
    ) -> Member:
        """The member with its spend rolled to `spend_since`; only to look at."""
        row: Any = (await connection.execute(_MEMBER, {"id": customer_id})).one()
        member = Member(*row)
        if spend_since is not None:
            await roll_spend(connection, {customer_id: member}, [customer_id], spend_since)
        return member

    async def balances(
        self, connection: AsyncConnection, customer_id: str, now: datetime, horizon: datetime
    ) -> Balances:
        """Points as they stand at `now`, whether or not the timed jobs have come by; what expires by the horizon."""
        key = {"id": customer_id, "now": now, "horizon": horizon}
        rows = (await connection.execute(_BALANCES, key)).all()
        held = [Held(waits, ends_at, points) for *_, waits, ends_at, points in rows if points is not None]
        return Holdings(held, *rows[0][:3]).at(now)

    async def ledger(
        self,
        connection: AsyncConnection,
        customer_id: str,
        before: tuple[datetime, str, int] | None,
        limit: int,
    ) -> list[Any]:
        """Entries newest first, from the one before (`recorded_at`, customer, number) on; also those of customers
        that were merged into this one."""
        absorbed = [row[0] for row in await connection.execute(_ABSORBED, {"id": customer_id})]
        if not absorbed:
            key: dict[str, Any] = {"id": customer_id, "number": before[2] if before else 2**62}
            return list(await connection.execute(_LEDGER, {**key, "limit": limit}))
        at, id_, number = before or (END_OF_TIME, "", 0)
        key = {"ids": [customer_id, *absorbed], "at": at, "id": id_, "number": number}
        return list(await connection.execute(_LEDGERS, {**key, "limit": limit}))

    async def offers(
        self, connection: AsyncConnection, customer_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[Offer]:
        """Offers newest first."""
        at, code = before or (END_OF_TIME, "")
        key = {"id": customer_id, "at": at, "code": code, "limit": limit}
        return [offer_of(row) for row in await connection.execute(_OFFERS, key)]

    async def offer(self, connection: AsyncConnection, code: str, *, lock: bool = False) -> Offer | None:
        """The offer of a code, with `lock` until the transaction ends."""
        row = (await connection.execute(_ONE_OFFER_LOCKED if lock else _ONE_OFFER, {"code": code})).first()
        return offer_of(row) if row is not None else None


def offer_of(row: Any) -> Offer:
    """An offer from a row of its columns."""
    return Offer(**row._mapping)
