"""Who is in which segment, and the facts that previews count, as far as they change without an event.

The membership of one customer stands twice: with the customer, where taking in finds it in the row that it reads and
writes anyway, and by segment, where lists and counts find it. Both change in one transaction, under the customer's
lock; the rows by segment only when somebody enters or leaves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Pass
from services.scoring.domain.segments.membership import Crossing
from shared.contracts.activity import Facts

_ENTER = text("""
    INSERT INTO scoring.memberships (segment, customer_id, since)
    SELECT * FROM unnest(CAST(:segments AS text[]), CAST(:ids AS text[]), CAST(:times AS timestamptz[]))
    ON CONFLICT (segment, customer_id) DO UPDATE SET since = EXCLUDED.since
    """)

_LEAVE = text("""
    DELETE FROM scoring.memberships m
    USING unnest(CAST(:segments AS text[]), CAST(:ids AS text[])) AS u(segment, customer_id)
    WHERE m.segment = u.segment AND m.customer_id = u.customer_id
    """)

_NOTE = text("""
    UPDATE scoring.customers c SET segments = u.segments
    FROM unnest(CAST(:ids AS text[]), CAST(:segments AS text[])) AS u(id, segments) WHERE c.id = u.id
    """)

_REFRESH = text("""
    INSERT INTO scoring.facts AS f (customer_id, facts)
    SELECT u.id, CAST(u.facts AS jsonb) FROM unnest(CAST(:ids AS text[]), CAST(:facts AS text[])) AS u(id, facts)
    ON CONFLICT (customer_id) DO UPDATE SET facts = EXCLUDED.facts WHERE f.facts IS DISTINCT FROM EXCLUDED.facts
    """)

_STANDS = "SELECT cause, after_id, begun_at, passed FROM scoring.segment_pass WHERE id = 1"
_THE_PASS, _TAKE_PASS = text(_STANDS), text(f"{_STANDS} FOR UPDATE SKIP LOCKED")

_NOTE_PASS = text("""
    UPDATE scoring.segment_pass
    SET cause = :cause, after_id = :after_id, begun_at = :begun_at, passed = :passed WHERE id = 1
    """)

_rules = msgspec.json.Decoder(dict[str, str])
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode_facts(facts: Facts) -> str:
    """The facts as they are stored: what has its default is left out."""
    return _encoder.encode(facts).decode()


async def cross(connection: AsyncConnection, crossed: Sequence[tuple[str, Sequence[Crossing]]]) -> None:
    """Let customers, who are locked, enter and leave segments."""
    entered = [(one.segment, who, one.at) for who, found in crossed for one in found if one.entered]
    left = [(one.segment, who) for who, found in crossed for one in found if not one.entered]
    if left:
        segments, ids = map(list, zip(*left, strict=True))
        await connection.execute(_LEAVE, {"segments": segments, "ids": ids})
    if entered:
        columns = map(list, zip(*entered, strict=True))
        await connection.execute(_ENTER, dict(zip(("segments", "ids", "times"), columns, strict=True)))


class PostgresMemberships:
    """`Memberships` on PostgreSQL."""

    async def note(
        self,
        connection: AsyncConnection,
        facts: Mapping[str, Facts],
        crossed: Mapping[str, Sequence[Crossing]],
    ) -> None:
        """Store the facts of customers, who are locked, and the segments they enter and leave."""
        ids = list(facts)
        await connection.execute(_REFRESH, {"ids": ids, "facts": [encode_facts(facts[one]) for one in ids]})
        moved = [one for one in ids if crossed.get(one)]
        if moved:
            segments = [" ".join(facts[one].segments) for one in moved]
            await connection.execute(_NOTE, {"ids": moved, "segments": segments})
            await cross(connection, [(one, crossed[one]) for one in moved])

    async def the_pass(self, connection: AsyncConnection) -> Pass:
        """How the pass stands."""
        state = _as_pass((await connection.execute(_THE_PASS)).one_or_none())
        assert state is not None, "the migration made the row"
        return state

    async def take_pass(self, connection: AsyncConnection) -> Pass | None:
        """The same, locked; None while somebody else goes on with it."""
        return _as_pass((await connection.execute(_TAKE_PASS)).one_or_none())

    async def note_pass(self, connection: AsyncConnection, state: Pass) -> None:
        """Store how it stands."""
        bound = {
            "cause": state.cause,
            "after_id": state.after_id,
            "begun_at": state.begun_at,
            "passed": msgspec.json.encode(state.passed).decode(),
        }
        await connection.execute(_NOTE_PASS, bound)


def _as_pass(row: Row[Any] | None) -> Pass | None:
    if row is None:
        return None
    return Pass(row.cause, row.after_id, row.begun_at, _rules.decode(row.passed))
