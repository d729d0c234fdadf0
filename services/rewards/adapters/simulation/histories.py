"""Reads history for simulations: customer after customer, straight from the driver, in the order it was taken in.

A process of a simulation loads no more than this of the database's: it begins in half the time.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg

from services.rewards.application.simulation.simulating import Task
from services.rewards.domain.simulation.groups import Group, Movement

FETCH_ROWS = 5_000
FAMILIES_AT_ONCE = 200
LAST = "\U0010ffff"
"""After every id."""

_SLICE = """
    SELECT customer_id, record FROM rewards.activities
    WHERE customer_id >= $1 AND customer_id < $2 AND number < $3 ORDER BY customer_id, number
    """
_FAMILIES = """
    SELECT customer_id, record FROM rewards.activities
    WHERE customer_id = ANY($1::text[]) AND number < $2 ORDER BY number
    """
_MOVEMENTS = """
    SELECT reserved_at AS at, customer_id, 'spent' AS kind, id, points, order_id, NULL AS tier,
        CAST(NULL AS timestamptz) AS until
    FROM rewards.redemptions WHERE status IN ('confirmed', 'returned') AND {which}
    UNION ALL
    SELECT at, customer_id, 'by_hand', id, points, NULL, NULL, NULL FROM rewards.adjustments WHERE {which}
    UNION ALL
    SELECT at, customer_id, 'granted', id, 0, NULL, tier, least(until, revoked_at)
    FROM rewards.tier_grants WHERE {which}
    ORDER BY at, id
    """
_MOVEMENTS_IN = _MOVEMENTS.format(which="customer_id >= $1 AND customer_id < $2")
_MOVEMENTS_OF = _MOVEMENTS.format(which="customer_id = ANY($1::text[])")


class PostgresHistory:
    """Implements `History` on a connection of its own."""

    def __init__(self, driver: "asyncpg.Connection[Any]") -> None:
        self._driver = driver

    async def groups(self, task: Task) -> AsyncIterator[Group]:
        """See `History.groups`. Reads at one moment, through a cursor: memory holds one customer at a time."""
        async with self._driver.transaction(isolation="repeatable_read", readonly=True):
            apart = frozenset(task.apart)
            for first, last in task.slices:
                async for group in self._slice(first, last, task.end, apart):
                    yield group
            for start in range(0, len(task.families), FAMILIES_AT_ONCE):
                for group in await self._families(task, task.families[start : start + FAMILIES_AT_ONCE]):
                    yield group

    async def _slice(self, first: str, last: str, end: int, apart: frozenset[str]) -> AsyncIterator[Group]:
        movements: dict[str, list[Movement]] = defaultdict(list)
        for row in await self._driver.fetch(_MOVEMENTS_IN, first, last):
            movements[row["customer_id"]].append(_movement(row))
        cursor = await self._driver.cursor(_SLICE, first, last, end)
        customer, records = "", list[bytes]()
        while rows := await cursor.fetch(FETCH_ROWS):
            for name, found in groupby(rows, key=itemgetter(0)):
                if name != customer:
                    if records and customer not in apart:
                        yield Group(records, movements.get(customer, ()))
                    customer, records = name, []
                records += [row[1] for row in found]
        if records and customer not in apart:
            yield Group(records, movements.get(customer, ()))

    async def _families(self, task: Task, families_: Sequence[Sequence[str]]) -> list[Group]:
        number = {name: place for place, names in enumerate(families_) for name in names}
        records: list[list[bytes]] = [[] for _ in families_]
        movements: list[list[Movement]] = [[] for _ in families_]
        for name, record in await self._driver.fetch(_FAMILIES, list(number), task.end):
            records[number[name]].append(record)
        for row in await self._driver.fetch(_MOVEMENTS_OF, list(number)):
            owner = task.owners.get(row["customer_id"], row["customer_id"])
            movements[number[row["customer_id"]]].append(_movement(row)._replace(owner=owner))
        return [
            Group(told, moved, {name: task.owners.get(name, name) for name in names})
            for names, told, moved in zip(families_, records, movements, strict=True)
        ]


def _movement(row: Any) -> Movement:
    return Movement(*row.values())
