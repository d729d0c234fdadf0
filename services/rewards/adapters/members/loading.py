"""Queries that fill members with the state that decisions need. Each is one round trip for a whole batch."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.earning.milestones import milestone_name
from services.rewards.domain.member import Member, Use
from services.rewards.domain.points.lots import FOR_EVER, Lot, keep_in_step
from services.rewards.domain.purchases.baskets import Basket, Refund
from services.rewards.domain.purchases.purchases import ZERO, Grant, Purchase

_grants = json.Decoder(list[Grant])
_refunds = json.Decoder(dict[str, Refund])
_basket = json.Decoder(Basket)

_PURCHASE = (
    "p.customer_id, p.order_id, p.placed_at, p.currency, p.total, p.counts, p.cancelled, p.lot,"
    " p.grants, p.refunds, p.part, p.basket, p.told"
)
_PURCHASES = text(f"""
    SELECT {_PURCHASE} FROM unnest(CAST(:customers AS text[]), CAST(:orders AS text[])) AS w(customer_id, order_id)
    JOIN rewards.purchases p USING (customer_id, order_id)
    """)  # noqa: S608
_ALL_PURCHASES = text(f"SELECT {_PURCHASE} FROM rewards.purchases p WHERE p.customer_id = :customer")  # noqa: S608

_USE = "u.customer_id, u.rule, u.scope, u.at, u.cause, u.points, u.part"
_USES = text(f"""
    SELECT {_USE} FROM unnest(CAST(:customers AS text[]), CAST(:rules AS text[])) AS w(customer_id, rule)
    JOIN rewards.rule_uses u USING (customer_id, rule)
    """)  # noqa: S608
_ALL_USES = text(f"SELECT {_USE} FROM rewards.rule_uses u WHERE u.customer_id = :customer")  # noqa: S608

_MILESTONES = text("""
    SELECT m.customer_id, m.milestone, m.occasion, m.at, m.cause, m.points, m.part
    FROM unnest(CAST(:customers AS text[]), CAST(:milestones AS text[]), CAST(:occasions AS text[]))
        AS w(customer_id, milestone, occasion)
    JOIN rewards.milestones m USING (customer_id, milestone, occasion)
    """)
_SERIES = text("""
    SELECT m.customer_id, m.milestone, m.occasion, m.at, m.cause, m.points, m.part
    FROM unnest(CAST(:customers AS text[]), CAST(:milestones AS text[])) AS w(customer_id, milestone)
    JOIN rewards.milestones m USING (customer_id, milestone)
    """)
_ALL_MILESTONES = text("""
    SELECT customer_id, milestone, occasion, at, cause, points, part FROM rewards.milestones
    WHERE customer_id = :customer
    """)

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

_ROLLED = text("""
    SELECT w.customer_id, sum(p.net)
    FROM unnest(CAST(:customers AS text[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
        AS w(customer_id, starts_at, ends_at)
    JOIN rewards.purchases p
        ON p.customer_id = w.customer_id AND p.placed_at >= w.starts_at AND p.placed_at < w.ends_at
    WHERE p.counts GROUP BY w.customer_id
    """)


async def load_purchases(
    connection: AsyncConnection, members: dict[str, Member], orders: Collection[tuple[str, str]]
) -> None:
    """The purchases with these (customer, order) ids, where they exist."""
    if not orders:
        return
    keys = {"customers": [key[0] for key in orders], "orders": [key[1] for key in orders]}
    for row in await connection.execute(_PURCHASES, keys):
        members[row[0]].purchases[row[1]] = _purchase(row)


def _purchase(row: Any) -> Purchase:
    """The purchase in a row of `_PURCHASE`."""
    _, order_id, placed_at, currency, total, counts, cancelled, lot, grants, refunds, part, basket, told = row
    return Purchase(
        order_id=order_id,
        placed_at=placed_at,
        currency=currency,
        total=total,
        counts=counts,
        cancelled=cancelled,
        lot=lot,
        told=told,
        grants=_grants.decode(grants) if grants else [],
        refunds=_refunds.decode(refunds) if refunds else {},
        part=part,
        basket=_basket.decode(basket) if basket else None,
        stored=True,
        changed=False,
    )


async def load_uses(
    connection: AsyncConnection, members: dict[str, Member], rules: Collection[tuple[str, str]]
) -> None:
    """Earlier uses of limited rules, by (customer, rule)."""
    if not rules:
        return
    keys = {"customers": [key[0] for key in rules], "rules": [key[1] for key in rules]}
    for customer, rule, *use in await connection.execute(_USES, keys):
        members[customer].uses.setdefault(rule, []).append(Use(*use))


async def load_milestones(
    connection: AsyncConnection, members: dict[str, Member], goals: Collection[tuple[str, str, str]]
) -> None:
    """Which of these (customer, milestone, occasion) were reached."""
    if not goals:
        return
    keys = {
        "customers": [goal[0] for goal in goals],
        "milestones": [goal[1] for goal in goals],
        "occasions": [goal[2] for goal in goals],
    }
    for customer, milestone, occasion, *reached in await connection.execute(_MILESTONES, keys):
        members[customer].milestones[milestone_name(milestone, occasion)] = Use("", *reached)


async def load_series(
    connection: AsyncConnection, members: dict[str, Member], goals: Collection[tuple[str, str]]
) -> None:
    """All occasions of these (customer, milestone) that were reached."""
    if not goals:
        return
    keys = {"customers": [goal[0] for goal in goals], "milestones": [goal[1] for goal in goals]}
    for customer, milestone, occasion, *reached in await connection.execute(_SERIES, keys):
        members[customer].milestones[milestone_name(milestone, occasion)] = Use("", *reached)


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


async def roll_spend(
    connection: AsyncConnection, members: dict[str, Member], customers: Collection[str], since: datetime
) -> None:
    """Move the start of the rolling spend of these customers to `since`: purchases that lie between the old start and
    the new leave the sum (or join it, when a new program looks further back). Of a sum that was not kept, because there
    were no tiers, all that counts joins it."""
    moving = [m for m in (members[id_] for id_ in customers) if m.spend_since != since and not m.new]
    if moving:
        for member in moving:
            if member.spend_since is None:
                member.spend_since, member.spend = FOR_EVER, ZERO
        starts = [m.spend_since or since for m in moving]
        keys = {
            "customers": [m.customer_id for m in moving],
            "starts": [min(start, since) for start in starts],
            "ends": [max(start, since) for start in starts],
        }
        for customer, total in await connection.execute(_ROLLED, keys):
            member = members[customer]
            leaving = member.spend_since is not None and member.spend_since < since
            member.spend += -total if leaving else total
    for id_ in customers:
        members[id_].spend_since = since


async def load_all(connection: AsyncConnection, member: Member) -> None:
    """Everything that is stored of one customer, empty lots too: a reservation may give points back to them, and an
    undone merge what it had taken from them."""
    key = {"customer": member.customer_id}
    for row in await connection.execute(_ALL_PURCHASES, key):
        member.purchases[row[1]] = _purchase(row)
    for _, rule, *use in await connection.execute(_ALL_USES, key):
        member.uses.setdefault(rule, []).append(Use(*use))
    for _, milestone, occasion, *reached in await connection.execute(_ALL_MILESTONES, key):
        member.milestones[milestone_name(milestone, occasion)] = Use("", *reached)
    for row in await connection.execute(_ALL_LOTS, key):
        add_lot(member, row)
