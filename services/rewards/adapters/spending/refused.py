"""Refusals of the checkout, remembered for as long as somebody may ask why: the newest of each customer, some weeks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.refused import Asked, Refused

KEPT = timedelta(days=90)
KEPT_MAX = 100
"""Refusals of one customer that are kept."""
FORGET_MAX = 10
"""Old rows that go whenever one is written: more than come, so none stay."""

_encoder = json.Encoder(decimal_format="string")

# A request id that a caller uses again names the newest answer.
_NOTE = text("""
    INSERT INTO rewards.refusals (customer_id, request_id, at, what, code, detail, asked, figures, program_version,
        available, pending, reserved, tier)
    SELECT customer_id, :request_id, :now, :what, :code, :detail, :asked, :figures, :version,
        available - debt, pending, reserved, tier
    FROM rewards.members WHERE customer_id = :customer
    ON CONFLICT (customer_id, request_id) DO UPDATE SET at = excluded.at, what = excluded.what, code = excluded.code,
        detail = excluded.detail, asked = excluded.asked, figures = excluded.figures,
        program_version = excluded.program_version, available = excluded.available, pending = excluded.pending,
        reserved = excluded.reserved, tier = excluded.tier
    """)
_FORGET = text("""
    DELETE FROM rewards.refusals WHERE (customer_id, request_id) IN (
        SELECT customer_id, request_id FROM rewards.refusals WHERE at < :before
        ORDER BY at LIMIT :many FOR UPDATE SKIP LOCKED)
    """)
_BOUND = text("""
    DELETE FROM rewards.refusals WHERE (customer_id, request_id) IN (
        SELECT customer_id, request_id FROM rewards.refusals WHERE customer_id = :customer
        ORDER BY at DESC, request_id OFFSET :kept FOR UPDATE SKIP LOCKED)
    """)
_FOUND = text("""
    SELECT request_id, at, what, code, detail, asked, figures, program_version, available, pending, reserved, tier
    FROM rewards.refusals
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND (request_id = :request_id OR :request_id = 'latest')
    ORDER BY at DESC, request_id LIMIT 1
    """)


async def note(  # noqa: PLR0917
    connection: AsyncConnection,
    customer_id: str,
    request_id: str,
    what: Asked,
    refusal: RefusedError,
    asked: Mapping[str, Any],
    version: int,
    now: datetime,
) -> None:
    """Remember a refusal, with what the customer has now; forget some that are old."""
    bound = {
        "customer": customer_id,
        "request_id": request_id,
        "now": now,
        "what": what.value,
        "code": refusal.code,
        "detail": refusal.detail,
        "asked": _encoder.encode(asked).decode(),
        "figures": _encoder.encode(refusal.extra).decode(),
        "version": version,
    }
    await connection.execute(_FORGET, {"before": now - KEPT, "many": FORGET_MAX})
    await connection.execute(_NOTE, bound)
    await connection.execute(_BOUND, {"customer": customer_id, "kept": KEPT_MAX})


async def find(connection: AsyncConnection, customers: list[str], request_id: str) -> Refused | None:
    """The refusal that answered this request (`latest`: the newest)."""
    row = (await connection.execute(_FOUND, {"customers": customers, "request_id": request_id})).first()
    if row is None:
        return None
    stored = dict(row._mapping)
    return Refused(
        **{
            **stored,
            "what": Asked(stored["what"]),
            "asked": json.decode(stored["asked"]),
            "figures": json.decode(stored["figures"]),
        }
    )
