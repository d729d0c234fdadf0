"""What was withdrawn by a link in a message holds until scoring says so itself.

What outcomes tell of a recipient while our own event still goes round was decided before it: taken as it is, it would
let messages go to somebody who has just unsubscribed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.recipients.knowing import KNOWN
from shared.contracts.outcomes import Outcome

CONSENT: Final = "consent.changed"

_COME_BACK = text("DELETE FROM deliveries.withdrawals WHERE event = ANY(CAST(:events AS text[]))")
# Given again elsewhere, at the shop, after it was withdrawn here.
_GIVEN_AGAIN = text("""
    DELETE FROM deliveries.withdrawals w
    USING unnest(CAST(:parts AS text[]), CAST(:names AS text[]), CAST(:times AS timestamptz[])) AS g(part, name, at)
    WHERE w.part = g.part AND w.name = g.name AND w.at < g.at
    """)
# Consents rest as names with blanks between.
_HOLD = text("""
    UPDATE deliveries.recipients r
    SET withdrawn = (SELECT string_agg(name, ' ' ORDER BY name) FROM (
            SELECT unnest(string_to_array(r.withdrawn, ' ')) UNION SELECT unnest(held.names)) AS w(name)),
        consents = coalesce((SELECT string_agg(name, ' ' ORDER BY name) FROM (
            SELECT unnest(string_to_array(r.consents, ' ')) EXCEPT SELECT unnest(held.names)) AS c(name)), '')
    FROM (SELECT p.customer_id, array_agg(DISTINCT w.name::text) AS names
          FROM deliveries.withdrawals w JOIN deliveries.recipient_parts p USING (part)
          WHERE p.customer_id = ANY(CAST(:customers AS text[])) GROUP BY p.customer_id) AS held
    WHERE r.customer_id = held.customer_id AND NOT string_to_array(r.withdrawn, ' ') @> held.names
    """)


class Withdrawals:
    """Implements `Taker`; it comes after the one that takes what is known of recipients."""

    async def types(self, connection: AsyncConnection) -> frozenset[str]:
        """See `Taker`."""
        return KNOWN

    async def __call__(self, connection: AsyncConnection, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Forget what has come back; hold on to the rest."""
        about = [outcome for outcome in outcomes if outcome.type in KNOWN]
        if not about:
            return
        events = [str(outcome.data.get("event", outcome.cause)) for outcome in about]
        await connection.execute(_COME_BACK, {"events": events})
        given = [each for outcome in about for each in _given(outcome)]
        if given:
            parts, names, times = (list(column) for column in zip(*given, strict=True))
            await connection.execute(_GIVEN_AGAIN, {"parts": parts, "names": names, "times": times})
        customers = sorted({outcome.customer_id for outcome in about})
        await connection.execute(_HOLD, {"customers": customers})


def _given(outcome: Outcome) -> list[tuple[str, str, datetime]]:
    """Consents that the customer gave by this event, with its part and time."""
    data, person = outcome.data, outcome.data.get("person")
    if data.get("type") != CONSENT or not person:
        return []
    at = datetime.fromisoformat(str(data["at"]))
    return [(str(data["part"]), str(name), at) for name in person.get("consents", ())]
