"""Queries that fill members with their lots. Each is one round trip for a whole batch."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.lots import Lot, keep_in_step
from services.rewards.domain.state.member import Member

LOT = "customer_id, lot, expires_at, available_at, pending, points, remaining, expired, renewable, noticed, part"
EVERYTHING = 2**63 - 1
"""More points than anybody has."""

ENDS_AT = (
    "CASE WHEN renewable AND expires_at > {since} AND expires_at < {until} THEN {until} ELSE expires_at END"
)
"""When a lot of a member whose activity lets lots last from `since` until `until` ends: `keep_in_step`, as SQL."""

# Of those that can be drawn on, each stands behind what the ones before it hold: it is wanted if that does not suffice.
# Due is also what was to end by then and lasts on: the jobs find it until it is stored in step with the activity.
# OFFSET 0 stands for looking for them by the customer: planned for nearly empty tables, all that hold points were read.
WANTED_LOTS = f"""
    SELECT {LOT} FROM unnest(CAST(:holders AS text[]), CAST(:draws AS bigint[]), CAST(:since AS timestamptz[]),
        CAST(:until AS timestamptz[])) AS w(holder, draw, since, until)
    CROSS JOIN LATERAL (
        SELECT *, sum(CASE WHEN drawable THEN remaining ELSE 0 END)
            OVER (ORDER BY ends_at, lot ROWS UNBOUNDED PRECEDING) - remaining AS before
        FROM (
            SELECT *, NOT pending AND coalesce(ends_at > CAST(:due_by AS timestamptz), true) AS drawable
            FROM (
                SELECT *, {ENDS_AT.format(since="w.since", until="w.until")} AS ends_at
                FROM (SELECT * FROM rewards.lots WHERE customer_id = w.holder OFFSET 0) AS theirs
                WHERE remaining > 0
            ) AS held
        ) AS ordered
    ) AS lots
    WHERE drawable AND before < w.draw OR expires_at <= CAST(:due_by AS timestamptz)
        OR pending AND available_at <= CAST(:due_by AS timestamptz)
    """  # noqa: S608
"""The lots that `load_lots` tells of."""
_WANTED_LOTS = text(WANTED_LOTS)
_ALL_LOTS = text(f"SELECT {LOT} FROM rewards.lots WHERE customer_id = :customer")  # noqa: S608
_NUMBERED_LOTS = text(f"""
    SELECT {LOT} FROM unnest(CAST(:customers AS text[]), CAST(:lots AS bigint[])) AS w(customer_id, lot)
    JOIN rewards.lots USING (customer_id, lot)
    """)  # noqa: S608

_EXPIRED_LOTS = text(f"""
    SELECT {LOT} FROM unnest(CAST(:customers AS text[]), CAST(:moments AS timestamptz[])) AS w(customer_id, moment)
    JOIN rewards.lots USING (customer_id) WHERE renewable AND expired > 0 AND expires_at > moment
    """)  # noqa: S608


async def load_lots(
    connection: AsyncConnection, members: dict[str, Member], draws: Mapping[str, int], due_by: datetime
) -> None:
    """Of these customers the lots that are due by a moment: they end, or wait no longer. And of the others those that
    are spent first, so many that the points that may be drawn can be. It costs what these lots do, and a look at the
    rest in the database."""
    if not draws:
        return
    for row in await connection.execute(_WANTED_LOTS, wanted_lots(members, draws, due_by)):
        if row[1] not in members[row[0]].lots:
            add_lot(members[row[0]], row)


def wanted_lots(members: dict[str, Member], draws: Mapping[str, int], due_by: datetime) -> dict[str, Any]:
    """The parameters of `WANTED_LOTS`."""
    return {
        "holders": list(draws),
        "draws": list(draws.values()),
        "since": [members[id_].renewed_since for id_ in draws],
        "until": [members[id_].renewed_until for id_ in draws],
        "due_by": due_by,
    }


async def load_numbered_lots(
    connection: AsyncConnection, members: dict[str, Member], lots: Collection[tuple[str, int]]
) -> None:
    """The lots with these (customer, number), empty or not, unless they are loaded."""
    wanted = [(customer, lot) for customer, lot in lots if lot not in members[customer].lots]
    if not wanted:
        return
    keys = {"customers": [customer for customer, _ in wanted], "lots": [lot for _, lot in wanted]}
    for row in await connection.execute(_NUMBERED_LOTS, keys):
        add_lot(members[row[0]], row)


async def load_expired_lots(
    connection: AsyncConnection, members: dict[str, Member], since: Mapping[str, datetime]
) -> None:
    """The renewable lots of these customers that expired after these moments."""
    if not since:
        return
    keys = {"customers": list(since), "moments": list(since.values())}
    for row in await connection.execute(_EXPIRED_LOTS, keys):
        if row[1] not in members[row[0]].lots:
            add_lot(members[row[0]], row)


async def load_all_lots(connection: AsyncConnection, member: Member) -> None:
    """All lots of the customer, empty ones too."""
    for row in await connection.execute(_ALL_LOTS, {"customer": member.customer_id}):
        add_lot(member, row)


def add_lot(member: Member, row: Any) -> None:
    """Add the lot in a row of `LOT`, in step with the member's activity."""
    lot = Lot(
        number=row[1],
        expires_at=row[2],
        available_at=row[3],
        pending=row[4],
        points=row[5],
        remaining=row[6],
        expired=row[7],
        renewable=row[8],
        noticed=row[9],
        part=row[10],
        stored=True,
        changed=False,
    )
    keep_in_step(lot, member.renewed_since, member.renewed_until)
    member.lots[lot.number] = lot
