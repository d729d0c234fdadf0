"""What the database itself refuses, whoever writes: entries that change, and balances, lots and entries that part."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, order, refund

ENTRY = (
    "INSERT INTO rewards.entries VALUES ('{customer}', {number}, now(), now(), 'earn', 'program:issued',"
    " 'customer:available', {points}, 1, 'purchase', 'x', 1, 'k{number}')"
)
REFUSED = (DBAPIError, asyncpg.PostgresError)


async def attempt(rewards: Rewards, *statements: str) -> str:
    """Run statements in one transaction as the service; the message of the refusal."""
    before = await rewards.dump()
    with pytest.raises(REFUSED) as refused:
        await _write(rewards, statements)
    assert await rewards.dump() == before
    return str(refused.value)


async def _write(rewards: Rewards, statements: Sequence[str]) -> None:
    async with rewards.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rewards.entries SET points = points + 1",
        "DELETE FROM rewards.entries",
        "TRUNCATE rewards.entries",
        "ALTER TABLE rewards.entries DISABLE TRIGGER ALL",
        "ALTER TABLE rewards.entries OWNER TO regulars_rewards",
        "CREATE OR REPLACE FUNCTION rewards.ledger_is_balanced() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET ROLE regulars_ledger; UPDATE rewards.entries SET points = 1",
    ],
)
async def test_the_service_may_only_read_and_add_entries(
    rewards: Rewards, database_url: str, statement: str
) -> None:
    """Given a connection that logs in as the service; when it changes entries, or what guards them; then it may not."""
    await rewards.happen(order("1", "10"))
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET SESSION AUTHORIZATION regulars_rewards")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("table", ["entries", "members", "lots"])
@pytest.mark.parametrize("statement", ["DELETE FROM rewards.{}", "TRUNCATE rewards.{} CASCADE"])
async def test_nobody_removes_rows_of_the_ledger(
    rewards: Rewards, engine_for: EngineFor, table: str, statement: str
) -> None:
    """Given the database's owner; when entries, members or lots are removed; then a trigger refuses."""
    await rewards.happen(order("1", "10"))
    with pytest.raises(REFUSED, match="refused"):
        async with engine_for(None).begin() as connection:
            await connection.execute(text(statement.format(table)))


async def test_nobody_changes_an_entry(rewards: Rewards, engine_for: EngineFor) -> None:
    """Given the database's owner; when an entry is updated; then a trigger refuses."""
    await rewards.happen(order("1", "10"))
    with pytest.raises(REFUSED, match="append-only"):
        async with engine_for(None).begin() as connection:
            await connection.execute(text("UPDATE rewards.entries SET points = 1"))


PLANTED = {
    "a balance without an entry": ["UPDATE rewards.members SET available = available + 1"],
    "reserved points without an entry": ["UPDATE rewards.members SET reserved = reserved + 1"],
    "a balance and its lot without an entry": [
        "UPDATE rewards.members SET available = available + 1",
        "UPDATE rewards.lots SET points = points + 1, remaining = remaining + 1",
    ],
    "a lot that holds more": ["UPDATE rewards.lots SET points = points + 1, remaining = remaining + 1"],
    "a lot that holds less": ["UPDATE rewards.lots SET remaining = remaining - 1"],
    "a lot that becomes pending": ["UPDATE rewards.lots SET pending = true, available_at = now()"],
    "a lot that becomes another customer's": ["UPDATE rewards.lots SET customer_id = 'cus_x'"],
    "an entry that nobody counts": [ENTRY.format(customer=CUSTOMER, number=2, points=5)],
    "an entry of nobody": [ENTRY.format(customer="cus_x", number=1, points=5)],
    "an entry that is counted, but not in the balance": [
        ENTRY.format(customer=CUSTOMER, number=2, points=5),
        "UPDATE rewards.members SET entries = 2",
    ],
    "an entry that is in the balance, but in no lot": [
        ENTRY.format(customer=CUSTOMER, number=2, points=5),
        "UPDATE rewards.members SET entries = 2, available = available + 5",
    ],
    "a gap in the numbers": [
        ENTRY.format(customer=CUSTOMER, number=3, points=5),
        "UPDATE rewards.members SET entries = 2, available = available + 5",
        "UPDATE rewards.lots SET points = points + 5, remaining = remaining + 5",
    ],
    "an entry that is not there": ["UPDATE rewards.members SET entries = entries + 1"],
    "a member with points from nowhere": [
        (
            "INSERT INTO rewards.members (customer_id, entries, available, pending, reserved, debt, lifetime_earned,"
            " tier_changes, spend) VALUES ('cus_y', 0, 0, 5, 0, 0, 0, 0, 0)"
        )
    ],
    "points of two customers exchanged": [
        "UPDATE rewards.members SET available = 30 - available",
    ],
}


@pytest.mark.parametrize("what", PLANTED)
async def test_what_does_not_add_up_is_refused_at_commit(rewards: Rewards, what: str) -> None:
    """Given a sound ledger; when one transaction leaves members, lots and entries at odds; then nothing of it stays."""
    await rewards.happen(order("1", "10"), order("2", "20", customer="cus_000000000000000000000002"))
    planted = PLANTED[what]
    if what != "points of two customers exchanged":
        planted = [
            f"{each} WHERE customer_id = '{CUSTOMER}'" if each.startswith("UPDATE") else each
            for each in planted
        ]
    assert "have not moved alike" in await attempt(rewards, *planted)


@pytest.mark.parametrize("points", [2**31, 2**32 - 1, 2**32, 3 * 2**32 + 1, 2**61 + 2**31])
async def test_points_of_any_size_are_weighed_to_the_point(rewards: Rewards, points: int) -> None:
    """Given a sound ledger; when an entry of more points than 32 bits hold, up to nearly 64, is written with its
    lot and the balance; then it is taken, and refused where the balance has one point less or 2^32 more."""
    await rewards.happen(order("1", "10"))
    entry = ENTRY.format(customer=CUSTOMER, number=2, points=points)
    lots = f"UPDATE rewards.lots SET points = points + {points}, remaining = remaining + {points}"
    member = "UPDATE rewards.members SET entries = 2, available = available + "
    for wrong in (points - 1, points + 2**32):
        assert "a balance is not the sum" in await attempt(rewards, entry, lots, f"{member}{wrong}")
        assert "have not moved alike" in await attempt(
            rewards, entry, lots.replace(str(points), str(wrong)), f"{member}{points}"
        )
    await _write(rewards, [entry, lots, f"{member}{points}"])
    assert await rewards.rows("SELECT available FROM rewards.members") == [(points + 10,)]


async def test_entries_that_name_no_customer_or_no_lot_are_refused(rewards: Rewards) -> None:
    """Given a sound ledger; when an entry moves points between the program's own accounts, or available points of no
    lot; then a check refuses it."""
    await rewards.happen(order("1", "10"))
    own = ENTRY.format(customer=CUSTOMER, number=2, points=5).replace("customer:available", "program:expired")
    assert "entries_customer" in await attempt(rewards, own)
    nowhere = ENTRY.format(customer=CUSTOMER, number=2, points=5).replace(
        " 1, 'purchase'", " NULL, 'purchase'"
    )
    assert "entries_lot" in await attempt(rewards, nowhere)


async def test_what_adds_up_in_any_order_of_statements_is_taken(rewards: Rewards) -> None:
    """Given a sound ledger; when an entry, its lot and the balance are written in another order, and a part of the
    transaction before is rolled back; then the commit is taken."""
    await rewards.happen(order("1", "10"))
    async with rewards.engine.begin() as connection:
        savepoint = await connection.begin_nested()
        await connection.execute(text("UPDATE rewards.members SET available = available + 7"))
        await savepoint.rollback()
        await connection.execute(
            text("UPDATE rewards.lots SET points = points + 5, remaining = remaining + 5")
        )
        await connection.execute(text(ENTRY.format(customer=CUSTOMER, number=2, points=5)))
        await connection.execute(text("UPDATE rewards.members SET entries = 2, available = available + 5"))
    assert await rewards.rows("SELECT available, entries FROM rewards.members") == [(15, 2)]


async def test_a_later_fault_of_the_same_transaction_is_seen_after_an_early_check(rewards: Rewards) -> None:
    """Given a transaction that has its checks made early; when it parts lots and balance after that; then it is refused
    all the same."""
    await rewards.happen(order("1", "10"))
    assert "have not moved alike" in await attempt(
        rewards,
        "UPDATE rewards.members SET tier = 'gold'",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET CONSTRAINTS ALL DEFERRED",
        "UPDATE rewards.lots SET remaining = remaining - 1",
    )


async def test_a_refund_of_points_that_expired_is_taken(rewards: Rewards) -> None:
    """Given an order whose points expired; when it is refunded; then they count as taken back, between two accounts of
    the program's, and the guards let it pass."""
    await rewards.happen(order("1", "10"))
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()
    await rewards.happen(refund("1", "r", "10"))
    assert await rewards.rows("SELECT kind, debit FROM rewards.entries ORDER BY number DESC LIMIT 1") == [
        ("reverse", "program:expired")
    ]
    await rewards.check()
