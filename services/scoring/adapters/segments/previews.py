"""Counts the customers for whom a rule holds, by the facts as each was last looked at."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.segments.sql import is_sql, sayable, where
from services.scoring.application.ports import Known
from services.scoring.domain.state import decode_state
from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition
from shared.program.conditions.segments import SegmentRules

SAMPLE = 10
BLOCK = 10_000
"""Customers read at once when Python has to look at each."""

_NO_JIT = text("SET LOCAL jit = off")  # compiling takes longer than counting
_STATES = text("SELECT id, state FROM scoring.customers WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id")
_COUNTS = text("SELECT segment, count(*) FROM scoring.memberships GROUP BY segment")
_COUNT = text("SELECT count(*) FROM scoring.memberships WHERE segment = :segment")

_decoder = msgspec.json.Decoder(Facts)


class Preview(msgspec.Struct, frozen=True):
    """How many, and some of them."""

    count: int
    sample: list[Known]


class Previews:
    """Counts of segments, and of rules that are not saved."""

    async def of(self, connection: AsyncConnection, condition: Condition) -> Preview:
        """How many customers the rule holds for, and the first few by id that were found."""
        await connection.execute(_NO_JIT)
        if is_sql(condition.predicate):
            count, ids = await self._by_sql(connection, condition)
        else:
            count, ids = await self._by_python(connection, condition)
        rows = await connection.execute(_STATES, {"ids": ids})
        return Preview(count, [Known(customer_id, decode_state(state)) for customer_id, state in rows])

    async def counts(self, connection: AsyncConnection) -> dict[str, int]:
        """The members of every segment that has some."""
        return {str(segment): int(count) for segment, count in await connection.execute(_COUNTS)}

    async def count(self, connection: AsyncConnection, segment: str) -> int:
        """The members of one segment."""
        return int(await connection.scalar(_COUNT, {"segment": segment}) or 0)

    async def _by_sql(self, connection: AsyncConnection, condition: Condition) -> tuple[int, list[str]]:
        """Counted in parallel by the database; then a few are picked, which is quick where there are many."""
        holds, bound = where(condition.predicate)
        counted = text(f"SELECT count(*) FROM scoring.facts f WHERE {holds}")  # noqa: S608  # see sql.py
        count = int(await connection.scalar(counted, bound) or 0)
        if not count:
            return 0, []
        picked = text(f"SELECT f.customer_id FROM scoring.facts f WHERE {holds} LIMIT {SAMPLE}")  # noqa: S608
        return count, [str(row[0]) for row in await connection.execute(picked, bound)]

    async def _by_python(self, connection: AsyncConnection, condition: Condition) -> tuple[int, list[str]]:
        """SQL leaves out whom it can; Python looks at the rest, some thousands at a time."""
        holds, bound = where(sayable(condition.predicate))
        query = text(f"""
            SELECT f.customer_id, CAST(f.facts AS text) FROM scoring.facts f
            WHERE f.customer_id > :after AND {holds} ORDER BY f.customer_id LIMIT {BLOCK}
            """)  # noqa: S608  # see sql.py
        ask: Callable[[Facts], list[str]] = SegmentRules({"asked": condition}).of
        count, sample, after = 0, list[str](), ""
        while True:
            rows: list[Any] = (await connection.execute(query, bound | {"after": after})).all()  # type: ignore[assignment]
            found = [customer_id for customer_id, facts in rows if ask(_decoder.decode(facts))]
            count += len(found)
            sample += found[: SAMPLE - len(sample)]
            if len(rows) < BLOCK:
                return count, sample
            after = rows[-1][0]
