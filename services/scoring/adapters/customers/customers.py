"""Customers: their states, and the few columns by which they are found and listed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.copying import copy
from services.scoring.adapters.segments.memberships import cross, encode_facts
from services.scoring.application.ports import Profile, Stored
from services.scoring.domain.state import decode_state, encode_state

_COLUMNS = {
    "id": "text",
    "state": "text",
    "stage": "text",
    "orders": "int",
    "spend": "numeric",
    "last_order_at": "timestamptz",
    "at_risk_at": "timestamptz",
    "lapses_at": "timestamptz",
    "churns_at": "timestamptz",
    "loyal_until": "timestamptz",
    "check_at": "timestamptz",
    "segments": "text",
    "score": "int",
    "updated_at": "timestamptz",
}
_CHANGING = [name for name in _COLUMNS if name not in ("id", "updated_at")]
_SAVED = {name: kind for name, kind in _COLUMNS.items() if name != "updated_at"} | {"facts": "text"}

_STORED = "id, state, stage, check_at, segments, score"

_LOCK = text(f"""
    SELECT {_STORED} FROM scoring.customers
    WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR UPDATE
    """)  # noqa: S608  # the names are our own

_LOCK_AFTER = text(f"""
    SELECT {_STORED} FROM scoring.customers
    WHERE id > :after ORDER BY id LIMIT :limit FOR UPDATE
    """)  # noqa: S608  # the names are our own

_ANY_AFTER = text("SELECT EXISTS (SELECT FROM scoring.customers WHERE id > :after)")

_STATES = text("SELECT id, state FROM scoring.customers WHERE id = ANY(CAST(:ids AS text[]))")

_SAVE = text(f"""
    WITH u AS (
        SELECT * FROM
        unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _SAVED.items())}) AS u({", ".join(_SAVED)})
    ), f AS (
        UPDATE scoring.facts t SET facts = CAST(u.facts AS jsonb) FROM u WHERE t.customer_id = u.id
    )
    UPDATE scoring.customers c SET {", ".join(f"{name} = u.{name}" for name in _CHANGING)}, updated_at = :now
    FROM u WHERE c.id = u.id
    """)  # noqa: S608  # the names are our own

_REMOVE = text("""
    WITH gone AS (
        DELETE FROM scoring.customers WHERE id = ANY(CAST(:ids AS text[])) RETURNING id, segments
    ), facts_gone AS (
        DELETE FROM scoring.facts USING gone WHERE customer_id = gone.id
    )
    DELETE FROM scoring.memberships m
    USING (SELECT id, unnest(string_to_array(segments, ' ')) AS segment FROM gone) AS left_behind
    WHERE m.segment = left_behind.segment AND m.customer_id = left_behind.id
    """)

_TAKE_DUE = text(f"""
    SELECT {_STORED} FROM scoring.customers
    WHERE check_at <= :now AND updated_at <= :quiet_since
    ORDER BY check_at LIMIT :limit FOR UPDATE SKIP LOCKED
    """)  # noqa: S608  # the names are our own

_NOTE_CHECKED = text("""
    UPDATE scoring.customers c SET stage = u.stage, check_at = u.check_at
    FROM unnest(CAST(:ids AS text[]), CAST(:stages AS text[]), CAST(:times AS timestamptz[]))
        AS u(id, stage, check_at)
    WHERE c.id = u.id
    """)


class PostgresCustomers:
    """`Customers` on PostgreSQL."""

    async def lock(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, Stored]:
        """Those of these that exist, locked in the order of their ids."""
        if not customer_ids:
            return {}
        return _stored(await connection.execute(_LOCK, {"ids": list(customer_ids)}))

    async def lock_after(
        self, connection: AsyncConnection, customer_id: str, limit: int
    ) -> dict[str, Stored]:
        """The next customers after an id, locked in the order of their ids."""
        return _stored(await connection.execute(_LOCK_AFTER, {"after": customer_id, "limit": limit}))

    async def any_after(self, connection: AsyncConnection, customer_id: str) -> bool:
        """Whether there are customers after an id; locks nothing."""
        return bool(await connection.scalar(_ANY_AFTER, {"after": customer_id}))

    async def first_seen(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, datetime]:
        """The time of each customer's first event."""
        rows = await connection.execute(_STATES, {"ids": list(customer_ids)})
        states = {customer_id: decode_state(state) for customer_id, state in rows}
        return {customer_id: state.first_at for customer_id, state in states.items() if state.first_at}

    async def add(self, connection: AsyncConnection, profiles: Sequence[Profile], now: datetime) -> None:
        """Store new customers."""
        await copy(connection, "customers", list(_COLUMNS), [(*_row(one), now) for one in profiles])
        facts = [(one.id, encode_facts(one.facts)) for one in profiles]
        await copy(connection, "facts", ["customer_id", "facts"], facts)
        await cross(connection, [(one.id, one.crossings) for one in profiles])

    async def save(self, connection: AsyncConnection, profiles: Sequence[Profile], now: datetime) -> None:
        """Store customers that exist and are locked."""
        columns = zip(*((*_row(one), encode_facts(one.facts)) for one in profiles), strict=True)
        bound: dict[str, Any] = dict(zip(_SAVED, map(list, columns), strict=True))
        await connection.execute(_SAVE, bound | {"now": now})
        await cross(connection, [(one.id, one.crossings) for one in profiles])

    async def remove(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """Remove customers that were merged into others."""
        await connection.execute(_REMOVE, {"ids": list(customer_ids)})

    async def take_due(
        self, connection: AsyncConnection, now: datetime, quiet_since: datetime, limit: int
    ) -> dict[str, Stored]:
        """Some customers whose time has come, locked; those locked by another transaction are passed over."""
        bound = {"now": now, "quiet_since": quiet_since, "limit": limit}
        return _stored(await connection.execute(_TAKE_DUE, bound))

    async def note_checked(
        self, connection: AsyncConnection, checked: Mapping[str, tuple[str, datetime | None]]
    ) -> None:
        """Store the stage told and the next check of customers taken by `take_due`."""
        bound = {
            "ids": list(checked),
            "stages": [stage for stage, _ in checked.values()],
            "times": [at for _, at in checked.values()],
        }
        await connection.execute(_NOTE_CHECKED, bound)


def _stored(rows: Any) -> dict[str, Stored]:
    return {
        customer_id: Stored(decode_state(state), stage, check_at, segments.split(), score)
        for customer_id, state, stage, check_at, segments, score in rows
    }


def _row(profile: Profile) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`, without `updated_at`."""
    state, facts = profile.state, profile.facts
    return (
        profile.id,
        encode_state(state),
        facts.stage,
        state.orders,
        facts.spend,
        state.last_order_at,
        state.at_risk_at,
        state.lapses_at,
        state.churns_at,
        state.loyal_until,
        profile.check_at,
        " ".join(facts.segments),
        facts.score,
    )
