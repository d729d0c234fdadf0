"""Reads profiles for the API: by any id, their events, their orders, lists."""

import asyncio
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.adapters.events.timeline import event_of
from services.scoring.adapters.identity.identities import decode_links
from services.scoring.application.ports import Known
from services.scoring.domain.event import Event
from services.scoring.domain.identity.identifiers import EMAIL, ID, Link
from services.scoring.domain.money import decimal
from services.scoring.domain.state import decode_state
from shared.vault.pseudonyms import Pseudonyms

Sort = Literal[
    "id",
    "spend",
    "-spend",
    "orders",
    "-orders",
    "last_order_at",
    "-last_order_at",
]
"""What a list may be sorted by; with a minus, the largest or latest first."""

PHONE = "phone"
_DIGITS = re.compile(r"\d.*\d.*\d")
_NEVER = datetime(1, 1, 1, tzinfo=UTC)

_BY_ID = text("""
    SELECT id, state FROM scoring.customers
    WHERE id = :ref OR id = (SELECT winner FROM scoring.merges WHERE loser = :ref)
    """)

_BY_PSEUDONYM = text("""
    SELECT c.id, c.state FROM scoring.identities i JOIN scoring.customers c ON c.id = i.customer_id
    WHERE i.pseudonym = ANY(CAST(:pseudonyms AS text[])) ORDER BY c.id
    """)

_EVENTS_UNTIL = text("""
    SELECT at, event_key, CAST(record AS text), reading FROM scoring.timeline
    WHERE customer_id = :id AND at <= :at ORDER BY at, event_key
    """)

_EVENTS_NAMED = text("""
    SELECT at, event_key, CAST(record AS text), reading FROM scoring.timeline
    WHERE customer_id = :id AND event_key = ANY(CAST(:keys AS bytea[]))
    """)

_SEEN = text("""
    SELECT s.*, i.customer_id, i.links FROM (
        SELECT n.kind, n.pseudonym, count(*), min(t.at), max(t.at),
            (array_agg(encode(t.event_key, 'hex') ORDER BY t.at DESC, t.event_key DESC))[1]
        FROM scoring.timeline t CROSS JOIN LATERAL json_each_text(t.record->'identifiers') AS n(kind, pseudonym)
        WHERE t.customer_id = :id AND t.at <= :at GROUP BY n.kind, n.pseudonym
    ) s LEFT JOIN scoring.identities i USING (pseudonym)
    """)

# The same as `stages.stage_at`, for a whole list: `stage` was told with the newest event or by the sweep, and time may
# have gone on. (A test compares the two at every turn.)
_STAGE = """
    CASE WHEN churns_at <= :now THEN 'churned' WHEN lapses_at <= :now THEN 'lapsed'
        WHEN at_risk_at <= :now THEN 'at_risk' WHEN stage = 'loyal' AND loyal_until <= :now THEN 'active'
        ELSE stage END
    """

_SUMMARY = text(f"""
    SELECT {_STAGE} AS stage, count(*), sum(orders), sum(spend) FROM scoring.customers GROUP BY 1 ORDER BY 1
    """)  # noqa: S608  # our own words


_KEYS = {
    "id": "id",
    "spend": "spend",
    "orders": "orders",
    "last_order_at": "coalesce(last_order_at, TIMESTAMPTZ '0001-01-01Z')",
}
_KINDS = {"id": "text", "spend": "numeric", "orders": "int"}


def _list(sort: Sort) -> Any:
    """The statement of a list: sorted, then by id, from a position on."""
    column, descending = sort.removeprefix("-"), sort.startswith("-")
    key, kind = _KEYS[column], _KINDS.get(column, "timestamptz")
    compare, direction = ("<", "DESC") if descending else (">", "ASC")
    return text(f"""
        SELECT id, state FROM scoring.customers
        WHERE (CAST(:after AS {kind}) IS NULL OR ({key}, id) {compare} (CAST(:after AS {kind}), :id))
            AND (CAST(:stage AS text) IS NULL OR {_STAGE} = :stage)
            AND (CAST(:segment AS text) IS NULL OR id IN (
                SELECT customer_id FROM scoring.memberships WHERE segment = :segment))
            AND (CAST(:tag AS text) IS NULL OR id IN (
                SELECT customer_id FROM scoring.facts WHERE jsonb_exists(facts->'tags', :tag)))
        ORDER BY {key} {direction}, id {direction} LIMIT :limit
        """)  # noqa: S608  # `sort` is one of ours


_LISTS = {sort: _list(sort) for sort in get_args(Sort)}


def position(known: Known, sort: Sort) -> Any:
    """By what a customer stands where in a list with this order."""
    state = known.state
    match sort.removeprefix("-"):
        case "spend":
            return decimal(state.spend)
        case "orders":
            return state.orders
        case "last_order_at":
            return state.last_order_at or _NEVER
    return known.id


class Seen(NamedTuple):
    """An identifier that events of a customer named: in how many, the first and the last of them; whose it is, and its
    links to stronger ones."""

    kind: str
    pseudonym: str
    events: int
    first_at: datetime
    last_at: datetime
    last_key: str
    customer_id: str | None
    links: tuple[Link, ...]


class Profiles:
    """Customers by whatever they are known by, and what belongs to them."""

    def __init__(self, engine: AsyncEngine, pseudonyms: Pseudonyms) -> None:
        self.engine = engine
        self._pseudonyms = pseudonyms

    async def find(self, connection: AsyncConnection, ref: str) -> Known | None:
        """The customer with our id `ref` (a merged one leads on), else with the shop's id `ref`."""
        if ref.startswith("cus_"):
            found = await self._known(connection, _BY_ID, {"ref": ref})
            if found:
                return found[0]
        found = await self._known(connection, _BY_PSEUDONYM, {"pseudonyms": [self._pseudonyms.of(ID, ref)]})
        return found[0] if found else None

    async def search(self, connection: AsyncConnection, words: str) -> list[Known]:
        """Customers with exactly this id (ours or the shop's), e-mail address or telephone number: few, if any.

        What else is personal, such as names, rests sealed, and nothing is kept by which it could be found.
        """
        found = {}
        one = await self.find(connection, words)
        if one is not None:
            found[one.id] = one
        kinds = [EMAIL] if "@" in words else [PHONE] if _DIGITS.search(words) else []
        if kinds:
            bound = {"pseudonyms": [self._pseudonyms.of(kind, words) for kind in kinds]}
            found |= {each.id: each for each in await self._known(connection, _BY_PSEUDONYM, bound)}
        return sorted(found.values(), key=lambda each: each.id)

    async def listed(
        self,
        connection: AsyncConnection,
        *,
        now: datetime,
        stage: str | None,
        segment: str | None = None,
        tag: str | None = None,
        sort: Sort,
        after: tuple[Any, str] | None,
        limit: int,
    ) -> list[Known]:
        """Customers in stage `stage` at `now` (None: all), in a segment, with a tag, from the one after (`position`,
        id) on."""
        value, customer_id = after or (None, "")
        bound = {
            "now": now,
            "stage": stage,
            "segment": segment,
            "tag": tag,
            "after": value,
            "id": customer_id,
            "limit": limit,
        }
        return await self._known(connection, _LISTS[sort], bound)

    async def summary(self, connection: AsyncConnection, now: datetime) -> list[tuple[str, int, int, Any]]:
        """By stage: how many customers, their orders, their spend."""
        return [tuple(row) for row in await connection.execute(_SUMMARY, {"now": now})]

    async def events_until(self, connection: AsyncConnection, customer_id: str, at: datetime) -> list[Event]:
        """All events up to a moment, in order."""
        rows = await connection.execute(_EVENTS_UNTIL, {"id": customer_id, "at": at})
        return await asyncio.to_thread(_events, rows)  # decoding thousands takes a while

    async def events_named(
        self, connection: AsyncConnection, customer_id: str, keys: Collection[str]
    ) -> list[Event]:
        """The events with these keys."""
        bound = {"id": customer_id, "keys": [bytes.fromhex(key) for key in keys]}
        return _events(await connection.execute(_EVENTS_NAMED, bound))

    async def identifiers(self, connection: AsyncConnection, customer_id: str, at: datetime) -> list[Seen]:
        """All identifiers that the customer's events up to a moment named."""
        rows = await connection.execute(_SEEN, {"id": customer_id, "at": at})
        return [Seen._make([*row, () if links is None else decode_links(links)]) for *row, links in rows]

    async def _known(self, connection: AsyncConnection, query: Any, bound: dict[str, Any]) -> list[Known]:
        rows = await connection.execute(query, bound)
        return [Known(customer_id, decode_state(state)) for customer_id, state in rows]


def _events(rows: Any) -> list[Event]:
    return [event_of(*row) for row in rows]
