"""Of a customer's lots those are loaded that a decision touches, however many others there are."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.rewards.adapters.points.lots import LOT, add_lot, load_lots
from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.domain.changes import Changes
from services.rewards.domain.points import ledger
from services.rewards.domain.state.accounts import Entry
from services.rewards.domain.state.lots import oldest_first
from services.rewards.domain.state.member import Member
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, order, refund

MEMBERS = 400
DAYS = [timedelta(days=days) for days in range(-3, 4)]
"""Few, so that lots end together, and when the customer's activity begins or ends."""


def random_member(random: Random, name: str) -> tuple[Member, list[dict[str, Any]]]:
    """A member and the rows of their lots."""
    member = Member(name)
    if random.random() < 0.5:
        since = NOW + random.choice(DAYS)
        member.renewed_since, member.renewed_until = since, since + random.choice(DAYS[4:])
    lots = [
        {
            "customer_id": name,
            "lot": random.randrange(2**62),
            "expires_at": NOW + random.choice(DAYS) if random.random() < 0.8 else None,
            "available_at": NOW + random.choice(DAYS) if (pending := random.random() < 0.3) else None,
            "pending": pending,
            "points": 20,
            "remaining": random.choice((0, 1, 5, 10)),
            "expired": random.choice((0, 10)),
            "renewable": random.random() < 0.5,
        }
        for _ in range(random.randrange(12))
    ]
    member.available = sum(lot["remaining"] for lot in lots if not lot["pending"])
    member.pending = sum(lot["remaining"] for lot in lots if lot["pending"])
    return member, lots


def spent(member: Member, points: int, now: datetime) -> tuple[int, list[Entry], list[tuple[int, int]]]:
    """What the member can spend, what time alone has posted until then, and from which lots the points come."""
    changes = Changes(now, 1)
    spendable = ledger.spendable_at(member, now)
    ledger.bring_up_to_date(member, changes, now)
    assert ledger.spendable_at(member, now) == spendable
    taken = ledger.draw(member, points) if 0 < points <= spendable else []
    return spendable, changes.entries, [(lot.number, part) for lot, part in taken]


async def test_the_lots_that_are_loaded_are_enough_and_no_more(rewards: Rewards) -> None:
    """Given hundreds of customers with any lots: due, ended, waiting, renewed, ending together; when points are drawn
    from the lots that are loaded, and from all there are; then both come to the same, and none was loaded in vain."""
    random = Random(20_000)
    drawn, full, stored_ends = {}, {}, {}
    async with rewards.engine.begin() as connection:
        for statement in ("SET LOCAL ROLE NONE", "SET LOCAL session_replication_role = replica"):
            await connection.execute(text(statement))
        members = {}
        for number in range(MEMBERS):
            member, lots = random_member(random, f"cus_{number:024}")
            members[member.customer_id], full[member.customer_id] = member, Member(member.customer_id)
            for field in ("available", "pending", "renewed_since", "renewed_until"):
                setattr(full[member.customer_id], field, getattr(member, field))
            drawn[member.customer_id] = random.randrange(50)
            for lot in lots:
                stored_ends[lot["lot"]] = lot["expires_at"]
                await connection.execute(
                    text(
                        f"INSERT INTO rewards.lots ({', '.join(lot)}) VALUES ({', '.join(f':{k}' for k in lot)})"
                    ),
                    lot,
                )
        await load_lots(connection, members, drawn, NOW)
        for row in await connection.execute(text(f"SELECT {LOT} FROM rewards.lots")):
            add_lot(full[row[0]], row)

    for customer, points in drawn.items():
        member = members[customer]
        beside_due = [
            lot
            for lot in oldest_first(member.lots.values())
            if (end := stored_ends[lot.number]) is None
            or end > NOW  # what has ended is due, though it lasts on
        ]
        assert sum(lot.remaining for lot in beside_due[:-1]) < max(points, 1), customer
        assert spent(member, points, NOW) == spent(full[customer], points, NOW), customer
    assert sum(len(member.lots) for member in members.values()) < sum(len(one.lots) for one in full.values())


@pytest.mark.parametrize("noticed", [True, False])
async def test_a_debt_is_paid_by_what_could_be_spent_first_however_late_that_is_noticed(
    rewards: Rewards, api: httpx.AsyncClient, noticed: bool
) -> None:
    """Given a customer who owes points, and others that have waited long enough; when an old order arrives late, after
    the jobs have come by or before; then those that waited pay, and the order's points are there."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    async with rewards.engine.begin() as connection:
        source = PROGRAM.replace("expire_after: P12M", "expire_after: P12M\n  pending_for: P14D")
        await programs.put(connection, source, actor="test", now=rewards.clock())
    await rewards.happen(order("1", "100"))
    rewards.clock.advance(timedelta(days=15))
    await rewards.pass_time()
    taken = {"customer": CUSTOMER, "points": -100, "reason": "x"}
    await api.post("/v1/adjustments", json=taken, headers={"Idempotency-Key": "a"})
    await rewards.happen(refund("1", "r", "100"), order("2", "150", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=15))

    if noticed:
        await rewards.pass_time()
    await rewards.happen(order("late", "50"))
    await rewards.pass_time()

    points = "SELECT points, remaining FROM rewards.lots WHERE remaining > 0 ORDER BY points"
    assert await rewards.rows(points) == [(50, 50), (150, 50)]
    await rewards.check()
