"""Identifiers by their pseudonyms, whose they are, and where merged customers went."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.identity import Identity, Merge

IDENTITY_LOCK = 0x6964_656E  # "iden"
KNOWN_MAX = 100_000
"""Identities kept in memory: some 50 MB."""

_LOCK_BESIDE = text("SELECT pg_advisory_xact_lock_shared(:lock)")
_LOCK_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")

_EPOCH = text("SELECT epoch FROM scoring.identity_epoch")

_NEXT_EPOCH = text("""
    INSERT INTO scoring.identity_epoch AS e (id, epoch) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET epoch = e.epoch + 1
    """)

_FIND = text("""
    SELECT pseudonym, kind, customer_id, linked_at, linked_key
    FROM scoring.identities WHERE pseudonym = ANY(CAST(:pseudonyms AS text[]))
    """)

_ADD = text("""
    INSERT INTO scoring.identities (pseudonym, kind, customer_id, linked_at, linked_key)
    SELECT * FROM unnest(
        CAST(:pseudonyms AS text[]), CAST(:kinds AS text[]), CAST(:customers AS text[]),
        CAST(:times AS timestamptz[]), CAST(:keys AS bytea[]))
    ON CONFLICT DO NOTHING RETURNING 1
    """)

_CHANGE = text("""
    UPDATE scoring.identities i
    SET customer_id = u.customer_id, linked_at = u.linked_at, linked_key = u.linked_key
    FROM unnest(
        CAST(:pseudonyms AS text[]), CAST(:kinds AS text[]), CAST(:customers AS text[]),
        CAST(:times AS timestamptz[]), CAST(:keys AS bytea[])
    ) AS u(pseudonym, kind, customer_id, linked_at, linked_key)
    WHERE i.pseudonym = u.pseudonym
    """)

_HAND_OVER = text("""
    UPDATE scoring.identities i SET customer_id = u.winner
    FROM unnest(CAST(:losers AS text[]), CAST(:winners AS text[])) AS u(loser, winner)
    WHERE i.customer_id = u.loser
    """)

_REDIRECT_AGAIN = text("""
    UPDATE scoring.merges m SET winner = u.winner
    FROM unnest(CAST(:losers AS text[]), CAST(:winners AS text[])) AS u(loser, winner)
    WHERE m.winner = u.loser
    """)

_REDIRECT = text("""
    INSERT INTO scoring.merges (loser, winner, at, cause)
    SELECT * FROM unnest(
        CAST(:losers AS text[]), CAST(:winners AS text[]), CAST(:times AS timestamptz[]), CAST(:causes AS bytea[]))
    """)

_OF_CUSTOMERS = text("""
    SELECT customer_id, kind, pseudonym FROM scoring.identities
    WHERE customer_id = ANY(CAST(:customers AS text[])) ORDER BY customer_id, kind, pseudonym
    """)


class SqlIdentities:
    """`Identities` on PostgreSQL, remembering what it has read.

    What is remembered is true for as long as the epoch stays, because beside others nobody changes what is there.
    """

    def __init__(self) -> None:
        self._known: dict[str, Identity] = {}
        self._epoch: int | None = None

    async def lock(self, connection: AsyncConnection, *, alone: bool) -> None:
        """Shared by batches that only add; exclusive for one that changes what is there."""
        await connection.execute(_LOCK_ALONE if alone else _LOCK_BESIDE, {"lock": IDENTITY_LOCK})
        epoch = (
            await connection.scalar(_EPOCH) or 0
        )  # a statement of its own: it must see who had the lock before
        if epoch != self._epoch or len(self._known) > KNOWN_MAX:
            self._known.clear()
            self._epoch = epoch

    async def find(self, connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Those of these that are known. Call it before `add` and `change`: what is not committed is not remembered."""
        known = self._known
        found = {pseudonym: known[pseudonym] for pseudonym in pseudonyms if pseudonym in known}
        missing = [pseudonym for pseudonym in pseudonyms if pseudonym not in found]
        if missing:
            for pseudonym, kind, customer_id, at, key in await connection.execute(
                _FIND, {"pseudonyms": missing}
            ):
                link = None if at is None else (at, key.hex())
                found[pseudonym] = known[pseudonym] = Identity(kind, customer_id, link)
        return found

    async def add(self, connection: AsyncConnection, identities: Mapping[str, Identity]) -> bool:
        """Add new ones, sorted, so that two workers cannot deadlock; false when somebody else was first."""
        rows = await connection.execute(_ADD, _columns(identities))
        return len(rows.all()) == len(identities)

    async def change(self, connection: AsyncConnection, identities: Mapping[str, Identity]) -> None:
        """Give these another owner or link."""
        await connection.execute(_NEXT_EPOCH)
        await connection.execute(_CHANGE, _columns(identities))

    async def merge(self, connection: AsyncConnection, merges: Sequence[Merge]) -> None:
        """Give the losers' to the winners; ids of earlier losers lead there at once."""
        pairs = {
            "losers": [merge.loser for merge in merges],
            "winners": [merge.winner for merge in merges],
        }
        await connection.execute(_NEXT_EPOCH)
        await connection.execute(_HAND_OVER, pairs)
        await connection.execute(_REDIRECT_AGAIN, pairs)
        causes = {
            "times": [merge.cause.at for merge in merges],
            "causes": [bytes.fromhex(merge.cause.key) for merge in merges],
        }
        await connection.execute(_REDIRECT, pairs | causes)

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


def _columns(identities: Mapping[str, Identity]) -> dict[str, list[object]]:
    rows = sorted(identities.items())
    links = [identity.link for _, identity in rows]
    return {
        "pseudonyms": [pseudonym for pseudonym, _ in rows],
        "kinds": [identity.kind for _, identity in rows],
        "customers": [identity.customer_id for _, identity in rows],
        "times": [None if link is None else link[0] for link in links],
        "keys": [None if link is None else bytes.fromhex(link[1]) for link in links],
    }
