"""Merges: those that the rules and people made, those undone, those suggested."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events.announce import derived_id
from services.scoring.application.ports import MergeRecord
from services.scoring.domain.identity.grouping import Pair, pair
from services.scoring.domain.identity.resolution import Resolution

# Each end has an index of its own: a UNION uses both.
_ABOUT = text("""
    SELECT from_identifier, into_identifier, undone_at IS NOT NULL FROM scoring.merge_history
    WHERE from_identifier = ANY(CAST(:pseudonyms AS text[])) AND (NOT by_rule OR undone_at IS NOT NULL)
    UNION
    SELECT from_identifier, into_identifier, undone_at IS NOT NULL FROM scoring.merge_history
    WHERE into_identifier = ANY(CAST(:pseudonyms AS text[])) AND (NOT by_rule OR undone_at IS NOT NULL)
    """)
_COLUMNS = "id, at, by_rule, from_id, into_id, from_identifier, into_identifier, reason, actor"
_ADD = text(f"""
    INSERT INTO scoring.merge_history ({_COLUMNS})
    SELECT id, :at, CAST(:by_rule AS boolean), from_id, into_id, from_identifier, into_identifier,
        CAST(:reason AS text), CAST(:actor AS text)
    FROM unnest(CAST(:ids AS text[]), CAST(:from_ids AS text[]), CAST(:into_ids AS text[]),
        CAST(:from_identifiers AS text[]), CAST(:into_identifiers AS text[]))
        AS u(id, from_id, into_id, from_identifier, into_identifier)
    """)  # noqa: S608  # our own words
_ALL = f"{_COLUMNS}, undone_at, undone_reason, undone_by"
_GET = text(f"SELECT {_ALL} FROM scoring.merge_history WHERE id = :id FOR UPDATE")  # noqa: S608
_PAGE = text(f"""
    SELECT {_ALL} FROM scoring.merge_history
    WHERE (at, id) < (:at, :id) ORDER BY at DESC, id DESC LIMIT :limit
    """)  # noqa: S608
# Each half has an index of its own; nobody is merged into themselves, so no row is in both.
_PAGE_OF = text(f"""
    (SELECT {_ALL} FROM scoring.merge_history WHERE from_id = :customer AND (at, id) < (:at, :id)
        ORDER BY at DESC, id DESC LIMIT :limit)
    UNION ALL
    (SELECT {_ALL} FROM scoring.merge_history WHERE into_id = :customer AND (at, id) < (:at, :id)
        ORDER BY at DESC, id DESC LIMIT :limit)
    ORDER BY at DESC, id DESC LIMIT :limit
    """)  # noqa: S608
_UNDO = text("""
    UPDATE scoring.merge_history SET undone_at = :at, undone_reason = :reason, undone_by = :actor WHERE id = :id
    """)

_SUGGEST = text("""
    INSERT INTO scoring.suggested_merges (id, one, other, via, at)
    SELECT id, one, other, via, :at FROM unnest(CAST(:ids AS text[]), CAST(:ones AS text[]), CAST(:others AS text[]),
        CAST(:vias AS text[])) AS u(id, one, other, via)
    ON CONFLICT DO NOTHING
    """)
_FORGET = text("""
    DELETE FROM scoring.suggested_merges WHERE via = ANY(CAST(:vias AS text[])) AND dismissed_at IS NULL
    """)
# Both must be customers, and two; a pair that was told apart is not suggested again.
_SUGGESTED = """
    SELECT s.id, s.at, a.customer_id AS one, b.customer_id AS other, a.kind AS one_kind, b.kind AS other_kind,
        v.kind AS via, s.one AS one_identifier, s.other AS other_identifier, s.dismissed_at
    FROM scoring.suggested_merges s
    JOIN scoring.identities a ON a.pseudonym = s.one JOIN scoring.customers ca ON ca.id = a.customer_id
    JOIN scoring.identities b ON b.pseudonym = s.other JOIN scoring.customers cb ON cb.id = b.customer_id
    LEFT JOIN scoring.identities v ON v.pseudonym = s.via
    """
_SUGGESTIONS = text(f"""
    {_SUGGESTED} WHERE s.dismissed_at IS NULL AND a.customer_id <> b.customer_id AND (s.at, s.id) < (:at, :id)
    ORDER BY s.at DESC, s.id DESC LIMIT :limit
    """)
_SUGGESTION = text(f"{_SUGGESTED} WHERE s.id = :id FOR UPDATE OF s")
_DISMISS = text("""
    UPDATE scoring.suggested_merges SET dismissed_at = :at, dismissed_by = :actor WHERE id = :id
    """)


class SuggestedMerge(Struct, frozen=True, kw_only=True):
    """Two customers who may be one: what each is known by, and the kind of identifier that both used, if it is one."""

    id: str
    at: datetime
    one: str
    other: str
    one_kind: str
    other_kind: str
    via: str | None
    one_identifier: str
    other_identifier: str
    dismissed_at: datetime | None


class PostgresDecisions:
    """`Decisions` on PostgreSQL, and what the API of merges reads and writes."""

    async def about(
        self, connection: AsyncConnection, pseudonyms: Collection[str]
    ) -> tuple[set[Pair], set[Pair]]:
        """The pairs with one of these identifiers that people joined, and those that they told apart."""
        joined: set[Pair] = set()
        apart: set[Pair] = set()
        for one, other, undone in await connection.execute(_ABOUT, {"pseudonyms": list(pseudonyms)}):
            (apart if undone else joined).add(pair(one, other))
        return joined, apart - joined

    async def note(self, connection: AsyncConnection, resolution: Resolution, now: datetime) -> None:
        """Write down what the rules merged, and what they leave to people."""
        merges = resolution.merges
        if merges:
            await connection.execute(
                _ADD,
                {
                    "at": now,
                    "by_rule": True,
                    "reason": None,
                    "actor": None,
                    "ids": [_merge_id(m.loser, m.winner, resolution.epoch) for m in merges],
                    "from_ids": [merge.loser for merge in merges],
                    "into_ids": [merge.winner for merge in merges],
                    "from_identifiers": [merge.holder for merge in merges],
                    "into_identifiers": [resolution.holders[merge.winner] for merge in merges],
                },
            )
        await self.suggest(connection, resolution, now)

    async def suggest(self, connection: AsyncConnection, resolution: Resolution, now: datetime) -> None:
        """Keep what a resolution leaves to people; what an identifier suggested that is shared now is forgotten."""
        if resolution.suggested:
            found = sorted(resolution.suggested, key=lambda one: (one.pair, one.via or ""))
            bound = {
                "ids": ["sug_" + derived_id("suggested", *one.pair) for one in found],
                "ones": [one.pair[0] for one in found],
                "others": [one.pair[1] for one in found],
                "vias": [one.via for one in found],
            }
            await connection.execute(_SUGGEST, {**bound, "at": now})
        if resolution.shared:
            await connection.execute(_FORGET, {"vias": sorted(resolution.shared)})

    async def add(self, connection: AsyncConnection, record: MergeRecord) -> None:
        """Write down a merge that somebody decided."""
        bound: dict[str, Any] = {
            "at": record.at,
            "by_rule": record.by_rule,
            "reason": record.reason,
            "actor": record.actor,
            "ids": [record.id],
            "from_ids": [record.from_id],
            "into_ids": [record.into_id],
            "from_identifiers": [record.from_identifier],
            "into_identifiers": [record.into_identifier],
        }
        await connection.execute(_ADD, bound)

    async def get(self, connection: AsyncConnection, id_: str) -> MergeRecord | None:
        """A merge by its id, locked."""
        for row in await connection.execute(_GET, {"id": id_}):
            return _record(row)
        return None

    async def undo(
        self, connection: AsyncConnection, id_: str, *, at: datetime, reason: str, actor: str
    ) -> None:
        """Mark a merge as undone: its two ends stay apart."""
        await connection.execute(_UNDO, {"id": id_, "at": at, "reason": reason, "actor": actor})

    async def page(
        self, connection: AsyncConnection, *, customer: str | None, before: tuple[datetime, str], limit: int
    ) -> list[MergeRecord]:
        """Merges before a place, newest first; of one customer, if named."""
        at, id_ = before
        bound = {"at": at, "id": id_, "limit": limit}
        if customer is None:
            return [_record(row) for row in await connection.execute(_PAGE, bound)]
        bound["customer"] = customer
        return [_record(row) for row in await connection.execute(_PAGE_OF, bound)]

    async def suggestions(
        self, connection: AsyncConnection, before: tuple[datetime, str], limit: int
    ) -> list[SuggestedMerge]:
        """Pairs that nobody decided about, newest first."""
        at, id_ = before
        rows = await connection.execute(_SUGGESTIONS, {"at": at, "id": id_, "limit": limit})
        return [SuggestedMerge(**dict(zip(_SUGGESTED_FIELDS, row, strict=True))) for row in rows]

    async def suggestion(self, connection: AsyncConnection, id_: str) -> SuggestedMerge | None:
        """A suggestion by its id, locked."""
        for row in await connection.execute(_SUGGESTION, {"id": id_}):
            return SuggestedMerge(**dict(zip(_SUGGESTED_FIELDS, row, strict=True)))
        return None

    async def dismiss(self, connection: AsyncConnection, id_: str, *, at: datetime, actor: str) -> None:
        """Do not suggest the pair again."""
        await connection.execute(_DISMISS, {"id": id_, "at": at, "actor": actor})


_RECORD_FIELDS = [name.strip() for name in _ALL.split(",")]
_SUGGESTED_FIELDS = SuggestedMerge.__struct_fields__


def _record(row: Any) -> MergeRecord:
    return MergeRecord(**dict(zip(_RECORD_FIELDS, row, strict=True)))


def _merge_id(loser: str, winner: str, epoch: int) -> str:
    return "mrg_" + derived_id("merge", loser, winner, str(epoch))
