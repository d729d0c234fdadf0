"""Queries that fill members with the state that decisions need. Each is one round trip for a whole batch."""

from collections.abc import Collection
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.points.lots import load_all_lots
from services.rewards.domain.earning.milestones import milestone_name
from services.rewards.domain.state.baskets import Basket, Refund
from services.rewards.domain.state.member import Member, Use
from services.rewards.domain.state.purchases import Grant, Purchase

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
    await load_all_lots(connection, member)
