"""Lets alerts follow who is who: a merge takes a customer's along, an undone one brings back what came from each."""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_S, _T = "CAST(:source AS text)", "CAST(:target AS text)"
_MOVE = text(f"""
    UPDATE platform.alerts SET customer_id = {_T}, part = nullif(coalesce(part, {_S}), {_T})
    WHERE customer_id = {_S}
    """)  # noqa: S608  # our own words
_MOVE_PARTS = text(f"""
    UPDATE platform.alerts SET customer_id = {_T}, part = nullif(coalesce(part, {_S}), {_T})
    WHERE customer_id = {_S} AND coalesce(part, {_S}) = ANY(CAST(:parts AS text[]))
    """)  # noqa: S608


async def move_alerts(
    connection: AsyncConnection, source: str, target: str, parts: Iterable[str] | None = None
) -> None:
    """Make the alerts about one customer another's: all of them, or those that came from these parts."""
    bound: dict[str, object] = {"source": source, "target": target}
    if parts is None:
        await connection.execute(_MOVE, bound)
    else:
        await connection.execute(_MOVE_PARTS, bound | {"parts": list(parts)})
