"""Raises alerts, in the transaction of whoever found the reason.

While an alert is open, further reasons of the same kind and about the same are counted on it, and raise no other.
Whoever listens hears of it from rewards, which tells of every alert once (`shared.alerts.telling`).
"""

from collections.abc import Iterable
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.alerts.alert import NewAlert

DETAILS_BYTES_MAX = 16_384

# A cause that is known already, because it was tried again, counts once.
_COUNT = text("""
    WITH w AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:kinds AS text[]), CAST(:customers AS text[]),
            CAST(:subjects AS text[]), CAST(:causes AS text[]), CAST(:moments AS timestamptz[]),
            CAST(:times AS bigint[])) AS w(id, kind, customer_id, subject, cause, at, times)
    ), open AS (
        SELECT DISTINCT ON (w.id) w.id AS new_id, a.id, a.last_cause
        FROM w JOIN platform.alerts a ON (a.customer_id, a.kind, a.subject) = (w.customer_id, w.kind, w.subject)
        WHERE a.closed_at IS NULL ORDER BY w.id, a.raised_at, a.id
    ), counted AS (
        UPDATE platform.alerts a SET times = a.times + w.times, last_at = greatest(a.last_at, w.at),
            last_cause = w.cause
        FROM open JOIN w ON w.id = open.new_id
        WHERE a.id = open.id AND w.cause <> a.last_cause
            AND NOT EXISTS (SELECT FROM platform.alerts b WHERE b.id = w.id)
    )
    SELECT new_id FROM open
    """)
_RAISE = text("""
    INSERT INTO platform.alerts AS a (id, kind, customer_id, part, subject, rule, cause, program_version, raised_at,
        last_at, last_cause, times, details, told)
    SELECT w.id, w.kind, w.customer_id, w.part, w.subject, w.rule, w.cause, w.version, w.at, w.at, w.cause, w.times,
        CAST(w.details AS jsonb), 0
    FROM unnest(CAST(:ids AS text[]), CAST(:kinds AS text[]), CAST(:customers AS text[]), CAST(:parts AS text[]),
        CAST(:subjects AS text[]), CAST(:rules AS text[]), CAST(:causes AS text[]), CAST(:versions AS int[]),
        CAST(:moments AS timestamptz[]), CAST(:times AS bigint[]), CAST(:details AS text[]))
        AS w(id, kind, customer_id, part, subject, rule, cause, version, at, times, details)
    WHERE NOT EXISTS (SELECT FROM platform.alerts b WHERE b.id = w.id)
    ORDER BY w.kind, w.subject, w.id
    ON CONFLICT (kind, subject) WHERE closed_at IS NULL AND customer_id = ''
    DO UPDATE SET times = a.times + excluded.times, last_at = greatest(a.last_at, excluded.last_at),
        last_cause = excluded.last_cause
    RETURNING a.id
    """)


async def raise_alerts(connection: AsyncConnection, alerts: Iterable[NewAlert]) -> list[str]:
    """Raise them in the caller's transaction; the ids of those that were not open already.

    Call it under the lock of the customer that an alert is about (of the shop's, none is needed): two who raise the
    same at one moment would not see each other.
    """
    reasons: dict[tuple[str, str, str], list[NewAlert]] = {}
    for alert in alerts:
        reasons.setdefault((alert.customer_id, alert.kind, alert.subject), []).append(alert)
    if not reasons:
        return []
    groups = [_Group(found) for found in reasons.values()]
    common = _columns(groups)
    counted = {row[0] for row in await connection.execute(_COUNT, common)}
    new = [group for group in groups if group.first.id not in counted]
    if not new:
        return []
    rows = await connection.execute(_RAISE, _columns(new) | _more_columns(new))
    wanted = {group.first.id for group in new}
    return [id_ for (id_,) in rows if id_ in wanted]


class _Group:
    """Reasons for the same alert: the first raises it."""

    def __init__(self, alerts: list[NewAlert]) -> None:
        self.first = alerts[0]
        self.times = len({alert.cause for alert in alerts})


def _columns(groups: list[_Group]) -> dict[str, list[Any]]:
    firsts = [group.first for group in groups]
    return {
        "ids": [one.id for one in firsts],
        "kinds": [one.kind for one in firsts],
        "customers": [one.customer_id for one in firsts],
        "subjects": [one.subject for one in firsts],
        "causes": [one.cause for one in firsts],
        "moments": [one.at for one in firsts],
        "times": [group.times for group in groups],
    }


def _more_columns(groups: list[_Group]) -> dict[str, list[Any]]:
    firsts = [group.first for group in groups]
    return {
        "parts": [one.part for one in firsts],
        "rules": [one.rule for one in firsts],
        "versions": [one.program_version for one in firsts],
        "details": [_details(one.details) for one in firsts],
    }


def _details(details: dict[str, Any]) -> str:
    encoded = json.Encoder(decimal_format="string").encode(details)
    assert len(encoded) <= DETAILS_BYTES_MAX, "an alert carries figures, not documents"
    return encoded.decode()
