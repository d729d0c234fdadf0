"""Points given or taken by hand, in PostgreSQL: who did it, and why. Opening balances stand among them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ADD = text("""
    INSERT INTO rewards.adjustments (id, customer_id, points, reason, actor, at)
    SELECT id, customer_id, points, :reason, :actor, :at
    FROM unnest(CAST(:ids AS text[]), CAST(:customers AS text[]), CAST(:points AS bigint[]))
        AS w(id, customer_id, points) ORDER BY id
    """)


async def add_adjustments(
    connection: AsyncConnection,
    rows: Sequence[tuple[str, str, int]],
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Write new adjustments, each as (id, customer id, points), in the caller's transaction. `actor`: the id of the key
    that asked for them."""
    ids, customers, points = (list(column) for column in zip(*rows, strict=True))
    bound = {"ids": ids, "customers": customers, "points": points}
    await connection.execute(_ADD, bound | {"reason": reason, "actor": actor, "at": now})
