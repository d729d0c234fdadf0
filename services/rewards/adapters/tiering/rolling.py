"""What members spent within a period that moves on with time."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.lots import FOR_EVER
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.purchases import ZERO

_ROLLED = text("""
    SELECT w.customer_id, sum(p.net)
    FROM unnest(CAST(:customers AS text[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
        AS w(customer_id, starts_at, ends_at)
    JOIN rewards.purchases p
        ON p.customer_id = w.customer_id AND p.placed_at >= w.starts_at AND p.placed_at < w.ends_at
    WHERE p.counts GROUP BY w.customer_id
    """)


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
