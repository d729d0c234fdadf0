"""Of a customer's lots those are loaded that a decision touches, however many others there are."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import text

from services.rewards.adapters.members.loading import LOT, add_lot, load_lots
from services.rewards.domain.changes import Changes
from services.rewards.domain.member import Member
from services.rewards.domain.points import ledger
from services.rewards.domain.points.accounts import Entry
from services.rewards.domain.points.lots import oldest_first
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import NOW

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
    drawn, full = {}, {}
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
            if lot.expires_at is None or lot.expires_at > NOW
        ]
        assert sum(lot.remaining for lot in beside_due[:-1]) < max(points, 1), customer
        assert spent(member, points, NOW) == spent(full[customer], points, NOW), customer
    assert sum(len(member.lots) for member in members.values()) < sum(len(one.lots) for one in full.values())
