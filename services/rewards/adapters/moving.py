"""A merge in PostgreSQL: the rows of one customer become another's. The ledger's own rows stay as they are."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.member import Member

_MOVES = [
    text(statement)
    for statement in (
        "UPDATE rewards.lots SET customer_id = :target WHERE customer_id = :source",
        """UPDATE rewards.purchases p SET customer_id = :target WHERE p.customer_id = :source AND NOT EXISTS
            (SELECT FROM rewards.purchases o WHERE o.customer_id = :target AND o.order_id = p.order_id)""",
        """UPDATE rewards.rule_uses u SET customer_id = :target WHERE u.customer_id = :source AND NOT EXISTS
            (SELECT FROM rewards.rule_uses o
             WHERE o.customer_id = :target AND o.rule = u.rule AND o.cause = u.cause)""",
        """UPDATE rewards.milestones m SET customer_id = :target WHERE m.customer_id = :source AND NOT EXISTS
            (SELECT FROM rewards.milestones o
             WHERE o.customer_id = :target AND o.milestone = m.milestone AND o.occasion = m.occasion)""",
        "UPDATE rewards.offers SET customer_id = :target WHERE customer_id = :source",
        "UPDATE rewards.offer_uses SET customer_id = :target WHERE customer_id = :source",
        "UPDATE rewards.redemptions SET customer_id = :target WHERE customer_id = :source",
        "UPDATE rewards.aliases SET customer_id = :target WHERE customer_id = :source",
        "UPDATE rewards.members SET merged_into = :target WHERE merged_into = :source",
    )
]
_REVOKE = text("""
    UPDATE rewards.offers SET revoked_at = :now
    WHERE customer_id = :customer AND rule = ANY(CAST(:rules AS text[])) AND used = 0 AND revoked_at IS NULL
    RETURNING code, offer
    """)


async def move(connection: AsyncConnection, source: Member, target: Member) -> None:
    """Make the stored rows of `source` the `target`'s; what both have stays where it is. Both are locked."""
    for statement in _MOVES:
        await connection.execute(statement, {"source": source.customer_id, "target": target.customer_id})


async def revoke_offers(
    connection: AsyncConnection, customer_id: str, rules: list[str], now: datetime
) -> list[tuple[str, str]]:
    """Revoke the unused offers that these rules gave; their codes and names."""
    rows = await connection.execute(_REVOKE, {"customer": customer_id, "rules": rules, "now": now})
    return [(code, offer) for code, offer in rows]
