"""Identifiers by their pseudonyms, whose they are, and where ids of customers who are gone lead."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.identity.identifiers import ID, RANK, Identity, Link
from services.scoring.domain.identity.resolution import Gone, Resolution

IDENTITY_LOCK = 0x6964_656E  # "iden"
KNOWN_MAX = 100_000
"""Identities kept in memory: some 50 MB."""

_LOCK_BESIDE = text("SELECT pg_advisory_xact_lock_shared(:lock)")
_LOCK_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")

_EPOCH = text("SELECT epoch FROM scoring.identity_epoch")

_NEXT_EPOCH = text("""
    INSERT INTO scoring.identity_epoch AS e (id, epoch) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET epoch = e.epoch + 1 RETURNING epoch
    """)

_SELECT = "SELECT pseudonym, kind, customer_id, links FROM scoring.identities"
_FIND = text(f"{_SELECT} WHERE pseudonym = ANY(CAST(:pseudonyms AS text[]))")
_MEMBERS = text(f"{_SELECT} WHERE customer_id = ANY(CAST(:customers AS text[]))")

_LEAVES = text("""
    SELECT i.pseudonym, i.kind, i.customer_id, i.links
    FROM scoring.identity_links l JOIN scoring.identities i USING (pseudonym)
    WHERE l.beside = ANY(CAST(:pseudonyms AS text[]))
    """)

_COLUMNS = (
    "CAST(:pseudonyms AS text[]), CAST(:kinds AS text[]), CAST(:customers AS text[]), CAST(:links AS text[])"
)
_ADD = text(f"""
    INSERT INTO scoring.identities (pseudonym, kind, customer_id, links) SELECT * FROM unnest({_COLUMNS})
    ON CONFLICT DO NOTHING RETURNING 1
    """)  # noqa: S608  # our own words
_CHANGE = text(f"""
    UPDATE scoring.identities i SET customer_id = u.customer_id, links = u.links
    FROM unnest({_COLUMNS}) AS u(pseudonym, kind, customer_id, links) WHERE i.pseudonym = u.pseudonym
    """)  # noqa: S608
_ADD_LINKS = text("""
    INSERT INTO scoring.identity_links (beside, pseudonym)
    SELECT * FROM unnest(CAST(:beside AS text[]), CAST(:pseudonyms AS text[])) ON CONFLICT DO NOTHING
    """)

_GONE = text("""
    SELECT loser, winner, holder, epoch FROM scoring.merges
    WHERE winner = ANY(CAST(:customers AS text[])) OR holder = ANY(CAST(:pseudonyms AS text[]))
    """)
_REDIRECT = text("""
    INSERT INTO scoring.merges (loser, winner, holder, epoch)
    SELECT loser, winner, holder, :epoch
    FROM unnest(CAST(:losers AS text[]), CAST(:winners AS text[]), CAST(:holders AS text[]))
        AS u(loser, winner, holder)
    ON CONFLICT (loser) DO UPDATE SET winner = excluded.winner, holder = excluded.holder, epoch = excluded.epoch
    """)
_REDIRECT_AGAIN = text("""
    UPDATE scoring.merges m SET winner = u.winner
    FROM unnest(CAST(:losers AS text[]), CAST(:winners AS text[])) AS u(loser, winner) WHERE m.loser = u.loser
    """)
_REVIVE = text("DELETE FROM scoring.merges WHERE loser = ANY(CAST(:losers AS text[]))")

_OF_CUSTOMERS = text("""
    SELECT customer_id, kind, pseudonym FROM scoring.identities
    WHERE customer_id = ANY(CAST(:customers AS text[])) ORDER BY customer_id, kind, pseudonym
    """)

_encode = msgspec.json.Encoder().encode
decode_links = msgspec.json.Decoder(tuple[Link, ...]).decode


class PostgresIdentities:
    """`Identities` on PostgreSQL, remembering what it has read.

    What is remembered is true for as long as the epoch stays, because beside others nobody changes what is there.
    """

    def __init__(self) -> None:
        self._known: dict[str, Identity] = {}
        self._epoch: int | None = None

    async def lock(self, connection: AsyncConnection, *, alone: bool) -> int:
        """Shared by batches that only add; exclusive for one that changes what is there. Answers the epoch."""
        await connection.execute(_LOCK_ALONE if alone else _LOCK_BESIDE, {"lock": IDENTITY_LOCK})
        epoch = (
            await connection.scalar(_EPOCH) or 0
        )  # a statement of its own: it must see who had the lock before
        if epoch != self._epoch or len(self._known) > KNOWN_MAX:
            self._known.clear()
            self._epoch = epoch
        return int(epoch)

    def remembered(self, pseudonyms: Collection[str]) -> tuple[int | None, dict[str, Identity]]:
        """Those of these that are remembered, and the epoch in which that was true."""
        known = self._known
        return self._epoch, {pseudonym: known[pseudonym] for pseudonym in pseudonyms if pseudonym in known}

    async def find(self, connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Those of these that are known. Call it before `add` and `change`: what is not committed is not remembered."""
        known = self._known
        found = {pseudonym: known[pseudonym] for pseudonym in pseudonyms if pseudonym in known}
        missing = [pseudonym for pseudonym in pseudonyms if pseudonym not in found]
        if missing:
            read = _identities(await connection.execute(_FIND, {"pseudonyms": missing}))
            known.update(read)
            found.update(read)
        return found

    async def members(self, connection: AsyncConnection, customers: Collection[str]) -> dict[str, Identity]:
        """All identities of these customers."""
        return _identities(await connection.execute(_MEMBERS, {"customers": list(customers)}))

    async def leaves(self, connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Identities that were seen beside one of these, none of which is a shop's id."""
        return _identities(await connection.execute(_LEAVES, {"pseudonyms": list(pseudonyms)}))

    async def gone(
        self, connection: AsyncConnection, customers: Collection[str], pseudonyms: Collection[str]
    ) -> dict[str, Gone]:
        """Ids of customers who are gone that lead to these, or come from one of these identifiers."""
        bound = {"customers": list(customers), "pseudonyms": list(pseudonyms)}
        rows = await connection.execute(_GONE, bound)
        return {loser: Gone(winner, holder, epoch) for loser, winner, holder, epoch in rows}

    async def add(self, connection: AsyncConnection, identities: Mapping[str, Identity]) -> bool:
        """Add new ones, sorted, so that two workers cannot deadlock; false when somebody else was first."""
        rows = await connection.execute(_ADD, _columns(identities))
        complete = len(rows.all()) == len(identities)
        if complete:
            await self._add_links(connection, identities)
        return complete

    async def change(self, connection: AsyncConnection, resolution: Resolution) -> int:
        """Change what is there as the resolution says; the number of this change, higher than any before."""
        epoch = await connection.scalar(_NEXT_EPOCH)
        assert epoch is not None
        if resolution.changed:
            await connection.execute(_CHANGE, _columns(resolution.changed))
            await self._add_links(connection, resolution.changed)
        if resolution.merges:
            merges = resolution.merges
            bound: dict[str, Any] = {
                "epoch": epoch,
                "losers": [merge.loser for merge in merges],
                "winners": [merge.winner for merge in merges],
                "holders": [merge.holder for merge in merges],
            }
            await connection.execute(_REDIRECT, bound)
        if resolution.led:
            led = {"losers": list(resolution.led), "winners": list(resolution.led.values())}
            await connection.execute(_REDIRECT_AGAIN, led)
        if resolution.revived:
            await connection.execute(_REVIVE, {"losers": sorted(resolution.revived)})
        return int(epoch)

    async def _add_links(self, connection: AsyncConnection, identities: Mapping[str, Identity]) -> None:
        """Make links to weaker identifiers than shop ids findable from their other end."""
        pairs = sorted(
            (link.to, name)
            for name, identity in identities.items()
            for link in identity.links
            if link.rank != RANK[ID]
        )
        if pairs:
            bound = {"beside": [to for to, _ in pairs], "pseudonyms": [name for _, name in pairs]}
            await connection.execute(_ADD_LINKS, bound)

    async def of_customers(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, dict[str, list[str]]]:
        """By customer and kind, all pseudonyms, sorted."""
        found: dict[str, dict[str, list[str]]] = {}
        for customer_id, kind, pseudonym in await connection.execute(
            _OF_CUSTOMERS, {"customers": list(customer_ids)}
        ):
            found.setdefault(customer_id, {}).setdefault(kind, []).append(pseudonym)
        return found


def _identities(rows: Iterable[Any]) -> dict[str, Identity]:
    return {
        pseudonym: Identity(kind, customer_id, () if links is None else decode_links(links))
        for pseudonym, kind, customer_id, links in rows
    }


def _columns(identities: Mapping[str, Identity]) -> dict[str, list[Any]]:
    rows = sorted(identities.items())
    return {
        "pseudonyms": [pseudonym for pseudonym, _ in rows],
        "kinds": [identity.kind for _, identity in rows],
        "customers": [identity.customer_id for _, identity in rows],
        "links": [_encode(identity.links).decode() if identity.links else None for _, identity in rows],
    }
