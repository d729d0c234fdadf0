"""Rollups of customers, and the sums behind the metrics."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Countable
from services.scoring.domain.completeness import known_fields
from services.scoring.domain.metrics.measures import NAMES, Measures
from services.scoring.domain.metrics.months import day_in
from services.scoring.domain.metrics.rollup import COUNTED, ORDER, SURVEY, Happening, Place, Rollup
from services.scoring.domain.state import decode_state

ROLLUP_LOCK = 0x726F_6C6C  # "roll"

_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")

_ADOPT = text("""
    INSERT INTO scoring.rollup_rules AS r (id, rules) VALUES (1, :rules)
    ON CONFLICT (id) DO UPDATE SET rules = EXCLUDED.rules WHERE r.rules <> EXCLUDED.rules RETURNING 1
    """)

_FORGET = [
    text(f"DELETE FROM scoring.{table}")  # noqa: S608  # the names are our own
    for table in ("rollups", "metric_sums", "completeness_sums")
]

_DUE = text("SELECT customer_id FROM scoring.rollups WHERE due_at <= :now ORDER BY due_at LIMIT :limit")

_FIND = text("SELECT customer_id, rollup FROM scoring.rollups WHERE customer_id = ANY(CAST(:ids AS text[]))")

_CUSTOMERS = text("SELECT id, state, segments FROM scoring.customers WHERE id = ANY(CAST(:ids AS text[]))")

_HAPPENINGS = text(f"""
    SELECT t.customer_id, t.at, t.event_key, t.type,
        CASE WHEN t.type IN ('{ORDER}', '{SURVEY}') THEN CAST(t.record AS text) END
    FROM unnest(CAST(:ids AS text[]), CAST(:begins AS timestamptz[])) AS u(id, begin)
    JOIN scoring.timeline t ON t.customer_id = u.id AND t.at >= u.begin
    WHERE t.type = ANY(CAST(:types AS text[]))
    """)  # noqa: S608  # our own words

_SAVE = text("""
    INSERT INTO scoring.rollups AS r (customer_id, due_at, rollup)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:due AS timestamptz[]), CAST(:rollups AS text[]))
    ON CONFLICT (customer_id) DO UPDATE SET due_at = EXCLUDED.due_at, rollup = EXCLUDED.rollup
    """)

_REMOVE = text("DELETE FROM scoring.rollups WHERE customer_id = ANY(CAST(:ids AS text[]))")

_ADD = text(f"""
    INSERT INTO scoring.metric_sums AS s (segment, cohort, month, {", ".join(NAMES)})
    SELECT * FROM unnest(
        CAST(:segments AS text[]), CAST(:cohorts AS date[]), CAST(:months AS date[]),
        {", ".join(f"CAST(:{name} AS {'numeric' if name == 'revenue' else 'bigint'}[])" for name in NAMES)})
    ON CONFLICT (segment, cohort, month) DO UPDATE
    SET {", ".join(f"{name} = s.{name} + EXCLUDED.{name}" for name in NAMES)}
    """)  # noqa: S608  # the names are our own

_ADD_FIELDS = text("""
    INSERT INTO scoring.completeness_sums AS s (segment, field, customers)
    SELECT * FROM unnest(CAST(:segments AS text[]), CAST(:fields AS text[]), CAST(:customers AS bigint[]))
    ON CONFLICT (segment, field) DO UPDATE SET customers = s.customers + EXCLUDED.customers
    """)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Rollup)


class _Line(Struct, frozen=True):
    sku: str = ""


class _Data(Struct, frozen=True):
    lines: list[_Line] | None = None
    kind: str = ""
    score: float | None = None


class _Record(Struct, frozen=True):
    """The few fields of an event's record that are counted; the others are passed over unread."""

    data: _Data


_records = msgspec.json.Decoder(_Record)


class PostgresRollups:
    """`Rollups` on PostgreSQL."""

    async def lock(self, connection: AsyncConnection) -> bool:
        """One at a time changes rollups, of all processes."""
        return bool(await connection.scalar(_LOCK, {"lock": ROLLUP_LOCK}))

    async def wait(self, connection: AsyncConnection) -> None:
        """The same lock, waited for."""
        await connection.execute(_WAIT, {"lock": ROLLUP_LOCK})

    async def adopt(self, connection: AsyncConnection, rules: str) -> bool:
        """Whether these are other rules than those by which rollups were made until now; from now on they count."""
        return await connection.scalar(_ADOPT, {"rules": rules}) is not None

    async def forget(self, connection: AsyncConnection) -> None:
        """Remove all rollups and sums, to begin from nothing."""
        for statement in _FORGET:
            await connection.execute(statement)

    async def due(self, connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
        """Customers whose rollups time alone has changed."""
        return [
            customer_id for (customer_id,) in await connection.execute(_DUE, {"now": now, "limit": limit})
        ]

    async def find(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, Rollup]:
        """The rollups of these customers."""
        rows = await connection.execute(_FIND, {"ids": list(customer_ids)})
        return {customer_id: _decoder.decode(rollup) for customer_id, rollup in rows}

    async def customers(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, Countable]:
        """Those of these customers that exist."""
        found = {}
        for customer_id, encoded, segments in await connection.execute(
            _CUSTOMERS, {"ids": list(customer_ids)}
        ):
            state = decode_state(encoded)
            if state.first_at is not None:
                found[customer_id] = Countable(state.first_at, tuple(segments.split()), known_fields(state))
        return found

    async def happenings(
        self, connection: AsyncConnection, begins: Mapping[str, datetime]
    ) -> dict[str, list[Happening]]:
        """What is counted of the customers' events, each customer's from a moment on."""
        bound = {"ids": list(begins), "begins": list(begins.values()), "types": sorted(COUNTED)}
        found: dict[str, list[Happening]] = {}
        for customer_id, at, key, type_, record in await connection.execute(_HAPPENINGS, bound):
            found.setdefault(customer_id, []).append(_happening(at, key, type_, record))
        return found

    async def save(
        self, connection: AsyncConnection, made: Mapping[str, Rollup], gone: Collection[str]
    ) -> None:
        """Store rollups, and remove those of customers who are no more."""
        if made:
            bound = {
                "ids": list(made),
                "due": [rollup.due_at for rollup in made.values()],
                "rollups": [_encoder.encode(rollup).decode() for rollup in made.values()],
            }
            await connection.execute(_SAVE, bound)
        if gone:
            await connection.execute(_REMOVE, {"ids": list(gone)})

    async def add(
        self,
        connection: AsyncConnection,
        sums: Mapping[Place, Measures],
        fields: Mapping[tuple[str, str], int],
    ) -> None:
        """Add to the sums by place, and to the counts of known fields by (segment, field)."""
        if sums:
            bound: dict[str, Any] = {
                "segments": [segment for segment, _, _ in sums],
                "cohorts": [day_in(cohort) for _, cohort, _ in sums],
                "months": [day_in(month) for _, _, month in sums],
            }
            columns = zip(*map(astuple, sums.values()), strict=True)
            bound |= dict(zip(NAMES, map(list, columns), strict=True))
            await connection.execute(_ADD, bound)
        if fields:
            bound = {
                "segments": [segment for segment, _ in fields],
                "fields": [name for _, name in fields],
                "customers": list(fields.values()),
            }
            await connection.execute(_ADD_FIELDS, bound)


def _happening(at: datetime, key: bytes, type_: str, record: str | None) -> Happening:
    if record is None:
        return Happening(at, key.hex(), type_)
    data = _records.decode(record).data
    skus = tuple(line.sku for line in data.lines or () if line.sku)
    return Happening(at, key.hex(), type_, skus, data.kind, data.score)
