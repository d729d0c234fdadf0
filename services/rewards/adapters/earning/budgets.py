"""What rules with a cap for all customers together may still give.

A rule's points are spread over slots, a row each. A transaction takes a slot that nobody else holds (`SKIP LOCKED`),
and only when that has too little for what it decides, further free ones: workers do not wait for each other. No slot
gives more than it holds, so the cap is never exceeded. What slots hold that are in other hands at that moment is left
to later events: so close to the end, an event may get less although others that come later get something.

This is the escrow method (O'Neil 1986, "The escrow transactional method", ACM TODS 11:4).
"""

from asyncio import get_running_loop
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.budgets import Budget
from shared.program.model.program import Program

SLOTS = 16
"""More than workers run at once, so that each finds one."""
LOOK_AGAIN_S = 10.0
"""Whoever was late to hear of a version may have spread the points as the one before says: then we do it again."""
LOCK = 0x62756467  # "budg": one new allotment at a time

_STORED = text("SELECT max(version) FROM rewards.rule_budgets WHERE rule = :rule")
_SLOTS = text("SELECT slot, given FROM rewards.rule_budgets WHERE rule = :rule ORDER BY slot FOR UPDATE")
_ALLOT = text("""
    INSERT INTO rewards.rule_budgets (rule, slot, allotted, given, version)
    SELECT CAST(:rule AS text), slot, allotted, 0, :version
    FROM unnest(CAST(:slots AS int[]), CAST(:allotted AS bigint[])) AS w(slot, allotted) ORDER BY slot
    ON CONFLICT (rule, slot) DO UPDATE SET allotted = excluded.allotted, version = excluded.version
    """)
_CLAIM = text("""
    SELECT slot, allotted - given FROM rewards.rule_budgets WHERE rule = :rule AND given < allotted
    ORDER BY allotted - given DESC, slot LIMIT :many FOR UPDATE SKIP LOCKED
    """)
_GIVEN = text("SELECT rule, sum(given)::bigint FROM rewards.rule_budgets GROUP BY rule")
_SPEND = text("""
    UPDATE rewards.rule_budgets b SET given = b.given + w.points
    FROM unnest(CAST(:rules AS text[]), CAST(:slots AS int[]), CAST(:points AS bigint[])) AS w(rule, slot, points)
    WHERE b.rule = w.rule AND b.slot = w.slot
    """)


@dataclass(slots=True)
class Claimed(Budget):
    """A budget of which this transaction holds these slots, each with what is left in it."""

    slots: list[tuple[int, int]] = field(default_factory=list)


class PostgresBudgets:
    """Implements `Budgets`."""

    def __init__(self) -> None:
        self._allotted: dict[str, tuple[int, float]] = {}

    async def claim(
        self, connection: AsyncConnection, wanted: Mapping[str, int], program: Program
    ) -> dict[str, Budget]:
        """See `Budgets.claim`."""
        caps = {rule.id: rule.cap.program for rule in program.points.earn if rule.cap is not None}
        budgets: dict[str, Budget] = {}
        for rule, want in sorted(wanted.items()):
            whole = caps[rule]
            assert whole is not None
            version, looked_at = self._allotted.get(rule, (-1, 0.0))
            if version != program.version or get_running_loop().time() - looked_at >= LOOK_AGAIN_S:
                await self._allot(connection, rule, whole, program.version)
            slots = await _claim_enough(connection, rule, want)
            budgets[rule] = Claimed(sum(left for _, left in slots), 0, slots)
        return budgets

    async def _allot(self, connection: AsyncConnection, rule: str, whole: int, version: int) -> None:
        """Spread what is left of the rule's points anew, once each time that another version of the program comes in
        force, an earlier one too. What another transaction has just done is trusted when it has been seen committed, so
        that nothing is trusted that is rolled back."""
        self._allotted.pop(rule, None)
        stored = await connection.scalar(_STORED, {"rule": rule})
        if stored == version:
            self._allotted[rule] = version, get_running_loop().time()
            return
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        stored = await connection.scalar(_STORED, {"rule": rule})
        if stored == version:
            return
        given = {slot: points for slot, points in await connection.execute(_SLOTS, {"rule": rule})}  # noqa: C416
        each, more = divmod(max(whole - sum(given.values()), 0), SLOTS)
        slots = range(SLOTS)
        allotted = [given.get(slot, 0) + each + (slot < more) for slot in slots]
        keys = {"rule": rule, "slots": [*slots], "allotted": allotted, "version": version}
        await connection.execute(_ALLOT, keys)


async def left(connection: AsyncConnection, rules: Iterable[str], program: Program) -> dict[str, int]:
    """What is left of the points that these rules give to all customers together, only to look at."""
    wanted = set(rules)
    if not wanted:
        return {}
    so_far = await given(connection)
    return {
        rule.id: max(rule.cap.program - so_far.get(rule.id, 0), 0)
        for rule in program.points.earn
        if rule.id in wanted and rule.cap is not None and rule.cap.program is not None
    }


async def given(connection: AsyncConnection) -> dict[str, int]:
    """What rules have given to all customers together, as far as it counts."""
    return {rule: points for rule, points in await connection.execute(_GIVEN)}  # noqa: C416  # rows are not tuples


async def _claim_enough(connection: AsyncConnection, rule: str, want: int) -> list[tuple[int, int]]:
    """The fullest free slot, and if that does not hold so many points, as many as do."""
    slots, many = await _claim(connection, rule, 1), 1
    while slots and many < SLOTS and sum(left for _, left in slots) < want:
        many = min(SLOTS, max(many + 1, -(-want // slots[-1][1])))
        slots = await _claim(connection, rule, many)
    return slots


async def _claim(connection: AsyncConnection, rule: str, many: int) -> list[tuple[int, int]]:
    return [(slot, left) for slot, left in await connection.execute(_CLAIM, {"rule": rule, "many": many})]


async def spend(connection: AsyncConnection, changes: Changes) -> None:
    """Write what was given of the budgets that this transaction holds."""
    rows: list[tuple[str, int, int]] = []
    for rule, budget in changes.budgets.items():
        if not isinstance(budget, Claimed):
            assert not budget.given, "nothing is given of a budget that was not claimed"
            continue
        open_points = budget.given
        for slot, left in budget.slots:
            if points := min(left, open_points):
                rows.append((rule, slot, points))
                open_points -= points
    if rows:
        rules, slots, points_ = zip(*rows, strict=True)
        await connection.execute(_SPEND, {"rules": [*rules], "slots": [*slots], "points": [*points_]})
