"""Reads history for simulations: customer after customer, straight from the driver, in the order it was taken in."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.simulation import Task
from services.rewards.domain.simulation.groups import Group, Movement

FETCH_ROWS = 5_000
FAMILIES_AT_ONCE = 200
LAST = "\U0010ffff"
"""After every id."""

_END = text("SELECT nextval('rewards.activity_numbers')")
_MERGED = text("SELECT customer_id, merged_into FROM rewards.members WHERE merged_into IS NOT NULL")
_PARTS = text("SELECT part, customer_id FROM rewards.parts")
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


async def end_of_history(connection: AsyncConnection) -> int:
    """The number that the next batch begins with, or a later one: what is taken from now on has a greater one."""
    end: int = await connection.scalar(_END)
    return end


async def families(connection: AsyncConnection) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Customers who have to do with each other, through merges and parts that went from one to another, each
    sorted; and whose each of them, and each part, is now."""
    merged = {row[0]: row[1] for row in await connection.execute(_MERGED)}
    owners = {row[0]: row[1] for row in await connection.execute(_PARTS)}
    for customer in merged:
        owners.setdefault(customer, customer)
    owners = {part: _end_of(owner, merged) for part, owner in owners.items()}
    return _together([*owners.items(), *merged.items()]), owners


def _end_of(customer: str, merged: Mapping[str, str]) -> str:
    seen = {customer}
    while (into := merged.get(customer)) is not None and into not in seen:
        seen.add(into)
        customer = into
    return customer


def _together(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The names that these pairs connect."""
    chief: dict[str, str] = {}

    def find(name: str) -> str:
        while (above := chief.setdefault(name, name)) != name:
            chief[name] = name = chief[above]
        return name

    for one, other in pairs:
        chief[find(one)] = find(other)
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(chief):
        found[find(name)].append(name)
    return sorted(map(tuple, found.values()))


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
