"""The segments that count: the program's, and those saved over the API; with the rankings that they may ask for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.identity.identities import IDENTITY_LOCK
from services.scoring.adapters.programs import PostgresPrograms
from services.scoring.domain.money import DECIMALS
from services.scoring.domain.segments.ranking import CUTS, UNRANKED, Ranking
from services.scoring.domain.settings import ScoreSettings
from shared.program.conditions.condition import Condition, ConditionError, Scope
from shared.program.conditions.segments import SegmentRules

_HOLD = text("SELECT pg_advisory_xact_lock_shared(:lock)")
_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
_REVISION = text("SELECT revision, program FROM scoring.segment_revision WHERE id = 1")
_NEXT_REVISION = text("UPDATE scoring.segment_revision SET revision = revision + 1 WHERE id = 1")
_SAVED = text("SELECT id, rule, actor, changed_at FROM scoring.segments ORDER BY id")
_PUT = text("""
    INSERT INTO scoring.segments (id, rule, actor, changed_at)
    SELECT s.id, :rule, :actor, CAST(:now AS timestamptz) FROM (SELECT CAST(:id AS text) AS id) AS s
    WHERE (SELECT count(*) FROM scoring.segments) < :limit
        OR EXISTS (SELECT FROM scoring.segments known WHERE known.id = s.id)
    ON CONFLICT (id) DO UPDATE SET rule = EXCLUDED.rule, actor = EXCLUDED.actor, changed_at = EXCLUDED.changed_at
    RETURNING id
    """)
_DELETE = text("DELETE FROM scoring.segments WHERE id = :id")

_RANKED = text("SELECT count(*) FROM scoring.customers WHERE orders > 0")
_RANKING = text("""
    SELECT cuts FROM scoring.rankings WHERE CAST(:at AS timestamptz) IS NULL OR at <= :at ORDER BY at DESC LIMIT 1
    """)
_ADD_RANKING = text("""
    INSERT INTO scoring.rankings (at, cuts) VALUES (:at, :cuts) ON CONFLICT (at) DO UPDATE SET cuts = EXCLUDED.cuts
    """)

_VALUES = {
    "spend": f"CAST(spend * 1e{DECIMALS} AS bigint)",
    "orders": "CAST(orders AS bigint)",
    "recency": "CAST(extract(epoch FROM last_order_at) * 1000000 AS bigint)",
}
_PLACED = {
    name: text(f"""
        SELECT value FROM (
            SELECT {value} AS value, row_number() OVER (ORDER BY {value}) AS place
            FROM scoring.customers WHERE orders > 0
        ) AS ranked WHERE place = ANY(CAST(:places AS bigint[])) ORDER BY place
        """)  # noqa: S608  # the names are our own
    for name, value in _VALUES.items()
}

_ranking = msgspec.json.Decoder(Ranking)

log = structlog.get_logger()


class Saved(msgspec.Struct, frozen=True):
    """A segment saved over the API; `actor` is the key that did it."""

    id: str
    rule: str
    actor: str | None
    changed_at: datetime


class PostgresRules:
    """`Rules` on PostgreSQL. `base` are the settings of the program that counts, whose segments stand before saved ones
    of the same id; with `programs` they follow the version that was taken up."""

    def __init__(self, base: ScoreSettings, programs: PostgresPrograms | None = None) -> None:
        self.base = base
        self._programs = programs
        self._settings = base
        self._revision = -1

    def compile(self, rule: str) -> Condition:
        """The rule of a segment, checked. Raises `ConditionError` with what is wrong, where, and a hint."""
        return Condition.compile(rule, Scope(event=None, nested=True, zone=self.base.zone))

    async def hold(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, nobody changes them. (Who holds the lock of the identities does so already.)"""
        await connection.execute(_HOLD, {"lock": IDENTITY_LOCK})

    async def current(self, connection: AsyncConnection) -> ScoreSettings:
        """The settings with the program, rules and ranking that count now; read anew only when they have changed."""
        revision, program = (await connection.execute(_REVISION, {})).one()
        if revision != self._revision:
            if self._programs is not None:
                self.base = await self._programs.settings(connection, program)
            segments = self._joined(await self.saved(connection))
            ranking = await self._ranking(connection, None)
            self._settings = replace(self.base, segments=segments, ranking=ranking)
            self._revision = revision
        return self._settings

    async def at(self, connection: AsyncConnection, moment: datetime) -> ScoreSettings:
        """The same with the ranking that counted at a moment: today's rules, asked about then."""
        settings = await self.current(connection)
        if settings.ranking.at is None or settings.ranking.at <= moment:
            return settings
        return replace(settings, ranking=await self._ranking(connection, moment))

    async def saved(self, connection: AsyncConnection) -> list[Saved]:
        """All that were saved over the API."""
        return [Saved(*row) for row in await connection.execute(_SAVED)]

    async def put(
        self, connection: AsyncConnection, name: str, rule: str, *, actor: str, now: datetime, limit: int
    ) -> bool:
        """Save a rule that was checked; whoever takes events in, or saves another one, waits until this is committed,
        and we for them. False, and nothing is saved, when it would be one more than `limit`."""
        await connection.execute(_ALONE, {"lock": IDENTITY_LOCK})
        bound = {"id": name, "rule": rule, "actor": actor, "now": now, "limit": limit}
        if (await connection.execute(_PUT, bound)).first() is None:
            return False
        await connection.execute(_NEXT_REVISION)
        return True

    async def delete(self, connection: AsyncConnection, name: str) -> None:
        """Remove a saved rule; its members leave with the next pass."""
        await connection.execute(_ALONE, {"lock": IDENTITY_LOCK})
        await connection.execute(_DELETE, {"id": name})
        await connection.execute(_NEXT_REVISION)

    async def ranked(self, connection: AsyncConnection) -> int:
        """How many customers have an order that stands."""
        return int(await connection.scalar(_RANKED) or 0)

    async def rank(self, connection: AsyncConnection, now: datetime) -> None:
        """Compare all customers, and let the outcome count from now on."""
        customers = await self.ranked(connection)
        places = [-(-p * customers // CUTS) for p in range(1, CUTS + 1)]  # rounded up
        cuts = {}
        for name, query in _PLACED.items():
            rows = await connection.execute(query, {"places": places})
            values = dict(zip(sorted(set(places)), (row[0] for row in rows), strict=False))
            cuts[name] = tuple(values[place] for place in places if place in values)
        ranking = Ranking(at=now, customers=customers, **cuts)
        await connection.execute(_ALONE, {"lock": IDENTITY_LOCK})
        await connection.execute(_ADD_RANKING, {"at": now, "cuts": msgspec.json.encode(ranking).decode()})
        await connection.execute(_NEXT_REVISION)

    async def _ranking(self, connection: AsyncConnection, at: datetime | None) -> Ranking:
        cuts = await connection.scalar(_RANKING, {"at": at})
        return UNRANKED if cuts is None else _ranking.decode(cuts)

    def _joined(self, saved: Sequence[Saved]) -> SegmentRules:
        """The program's, then those saved beside them."""
        conditions: dict[str, Any] = dict(self.base.segments.conditions)
        for one in saved:
            if one.id in conditions:
                continue
            try:
                conditions[one.id] = self.compile(one.rule)
            except (
                ConditionError
            ):  # saved by a version that knew another field; its author sees it in the list
                log.warning("segment_is_not_valid_any_more", segment=one.id)
        return SegmentRules(conditions)
