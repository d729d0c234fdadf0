"""Who is one with whom, and how far history goes, when a simulation begins."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_END = text("SELECT nextval('rewards.activity_numbers')")
_MERGED = text("SELECT customer_id, merged_into FROM rewards.members WHERE merged_into IS NOT NULL")
_PARTS = text("SELECT part, customer_id FROM rewards.parts")


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
