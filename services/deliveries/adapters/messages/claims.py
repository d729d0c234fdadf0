"""The queue in PostgreSQL as those see it who send: what is due, what was decided, what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.messages.messages import COLUMNS, message_of, states
from services.deliveries.application.ports import Claimed
from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.messages.frequency import Written
from services.deliveries.domain.messages.message import Message
from services.deliveries.domain.providers.answers import Receipt, Refused, Sent

DETAIL_MAX: Final = 200

_WITHDRAWN = "withdrawn OR EXISTS (SELECT FROM deliveries.withdrawn_runs w WHERE w.run = m.run) AS withdrawn"
_DUE = text(f"""
    SELECT {COLUMNS.replace("withdrawn", _WITHDRAWN)} FROM deliveries.messages m
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND due_at <= :now
    ORDER BY id FOR UPDATE OF m
    """)  # noqa: S608  # the columns are the program's own
_WRITTEN = text("""
    SELECT customer_id, id, coalesce(sent_at, claimed_at) AS at, purpose FROM deliveries.messages
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND state IN ('sent', 'sending')
        AND coalesce(sent_at, claimed_at) > :since
    """)
# What the words spoke of is kept for as long as it may be needed again; the row stays, for the links in the message.
_SETTLE = text("""
    UPDATE deliveries.messages m
    SET state = w.state, reason = w.reason, due_at = w.due_at, channel = coalesce(w.channel, m.channel),
        attempts = w.attempts, holds = w.holds, contact_part = coalesce(w.contact, m.contact_part),
        begun_at = CASE WHEN w.state = 'sending' AND w.contact IS NULL THEN m.begun_at END,
        contact_sealed = CASE WHEN w.state <> 'sending' THEN NULL WHEN w.contact IS NULL THEN m.contact_sealed
            ELSE (SELECT p.sealed FROM deliveries.recipient_parts p WHERE p.part = w.contact) END,
        lease = CASE WHEN w.state = 'sending' THEN CAST(:lease AS text) END,
        claimed_at = CASE WHEN w.state = 'sending' THEN CAST(:now AS timestamptz) ELSE m.claimed_at END,
        settled_at = CASE WHEN w.due_at IS NULL THEN CAST(:now AS timestamptz) END,
        context = CASE WHEN w.due_at IS NULL THEN '{}' ELSE m.context END
    FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
        CAST(:due AS timestamptz[]), CAST(:channels AS text[]), CAST(:attempts AS int[]), CAST(:holds AS text[]),
        CAST(:contacts AS text[])) AS w(id, state, reason, due_at, channel, attempts, holds, contact)
    WHERE m.id = w.id
    """)
# Right before the hand-over. What was agreed to when it was decided must be so still; what was begun before goes again
# whatever has changed, unless its reader is not there any more.
_BEGIN = text("""
    WITH w AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:leases AS text[]), CAST(:given AS text[]),
            CAST(:withdrawn AS text[]), CAST(:channels AS text[]), CAST(:pseudonyms AS text[]),
            CAST(:subjects AS text[])) AS b(id, lease, given, withdrawn, channel, pseudonym, subject)
    ), ours AS (
        SELECT m.id FROM w
        JOIN deliveries.messages m ON m.id = w.id AND m.lease = w.lease
        JOIN deliveries.recipients r ON r.customer_id = m.customer_id
        WHERE EXISTS (SELECT FROM platform.subject_keys k WHERE k.subject = w.subject AND k.destroyed_at IS NULL)
            AND (m.begun_at IS NOT NULL OR (
                NOT m.withdrawn
                AND string_to_array(r.withdrawn, ' ') <@ string_to_array(w.withdrawn, ' ')
                AND string_to_array(w.given, ' ') <@ string_to_array(r.consents, ' ')
                AND NOT EXISTS (SELECT FROM deliveries.suppressed s
                    WHERE s.pseudonym = w.pseudonym AND s.channel = w.channel)))
        ORDER BY m.id FOR UPDATE OF m
    )
    UPDATE deliveries.messages m SET begun_at = coalesce(m.begun_at, CAST(:now AS timestamptz))
    FROM ours WHERE m.id = ours.id RETURNING m.id
    """)
_NOTED = text("""
    WITH w AS (
        SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:leases AS text[]), CAST(:states AS text[]),
            CAST(:reasons AS text[]), CAST(:due AS timestamptz[]), CAST(:attempts AS int[]), CAST(:holds AS text[]))
            AS n(id, lease, state, reason, due_at, attempts, holds)
    ), ours AS (
        SELECT m.id FROM deliveries.messages m JOIN w ON m.id = w.id AND m.lease = w.lease
        ORDER BY m.id FOR UPDATE OF m
    )
    UPDATE deliveries.messages m
    SET state = w.state, reason = w.reason, due_at = w.due_at, attempts = w.attempts, holds = w.holds,
        lease = CASE WHEN w.state = 'sending' THEN gen_random_uuid()::text END,
        begun_at = CASE WHEN w.state = 'sending' THEN m.begun_at END,
        contact_sealed = CASE WHEN w.state = 'sending' THEN m.contact_sealed END,
        sent_at = CASE WHEN w.state = 'sent' THEN CAST(:now AS timestamptz) END,
        settled_at = CASE WHEN w.due_at IS NULL THEN CAST(:now AS timestamptz) END,
        context = CASE WHEN w.due_at IS NULL THEN '{}' ELSE m.context END
    FROM w JOIN ours USING (id) WHERE m.id = w.id
    RETURNING m.id
    """)
_ATTEMPTED = text("""
    INSERT INTO deliveries.attempts (message_id, number, at, channel, result, code, detail)
    SELECT w.id, 1 + (SELECT coalesce(max(number), 0) FROM deliveries.attempts a WHERE a.message_id = w.id),
        :now, w.channel, w.result, w.code, w.detail
    FROM unnest(CAST(:ids AS text[]), CAST(:channels AS text[]), CAST(:results AS text[]), CAST(:codes AS text[]),
        CAST(:details AS text[])) AS w(id, channel, result, code, detail)
    """)


class PostgresClaims:
    """Implements `Rows`."""

    async def due(
        self, connection: AsyncConnection, customers: Collection[str], now: datetime
    ) -> list[Message]:
        """See `Rows.due`."""
        rows = await connection.execute(_DUE, {"customers": list(customers), "now": now})
        return [message_of(row) for row in rows]

    async def written(
        self, connection: AsyncConnection, customers: Collection[str], since: datetime
    ) -> list[tuple[str, str, Written]]:
        """See `Rows.written`."""
        rows = await connection.execute(_WRITTEN, {"customers": list(customers), "since": since})
        return [(customer_id, id_, Written(at, Purpose(purpose))) for customer_id, id_, at, purpose in rows]

    async def settle(
        self, connection: AsyncConnection, messages: Sequence[tuple[Message, str | None]], now: datetime
    ) -> str:
        """See `Rows.settle`."""
        lease = uuid4().hex
        if messages:
            decided = [message for message, _ in messages]
            bound = {
                "channels": [message.channel for message in decided],
                "contacts": [contact for _, contact in messages],
                "lease": lease,
                "now": now,
            }
            await connection.execute(_SETTLE, bound | _results(decided))
        return lease

    async def begin(
        self, connection: AsyncConnection, claimed: Sequence[tuple[Claimed, str]], now: datetime
    ) -> set[str]:
        """See `Rows.begin`."""
        bound: dict[str, Any] = {
            "ids": [each.message.id for each, _ in claimed],
            "leases": [each.lease for each, _ in claimed],
            "given": [" ".join(each.recipient.consents) for each, _ in claimed],
            "withdrawn": [" ".join(each.recipient.withdrawn) for each, _ in claimed],
            "channels": [each.contact.channel.value for each, _ in claimed],
            "pseudonyms": [pseudonym for _, pseudonym in claimed],
            "subjects": [each.contact.subject for each, _ in claimed],
            "now": now,
        }
        return {id_ for (id_,) in await connection.execute(_BEGIN, bound)}

    async def noted(
        self, connection: AsyncConnection, messages: Sequence[tuple[Message, str]], now: datetime
    ) -> set[str]:
        """See `Rows.noted`."""
        if not messages:
            return set()
        bound = _results([message for message, _ in messages])
        leases = [lease for _, lease in messages]
        rows = await connection.execute(_NOTED, bound | {"leases": leases, "now": now})
        return {id_ for (id_,) in rows}

    async def attempted(
        self, connection: AsyncConnection, attempts: Sequence[tuple[Claimed, Receipt]], now: datetime
    ) -> None:
        """See `Rows.attempted`."""
        if not attempts:
            return
        bound: dict[str, Any] = {
            "ids": [claimed.message.id for claimed, _ in attempts],
            "channels": [claimed.contact.channel.value for claimed, _ in attempts],
            "results": [_result(receipt) for _, receipt in attempts],
            "codes": [_words(receipt)[0] for _, receipt in attempts],
            "details": [_words(receipt)[1][:DETAIL_MAX] for _, receipt in attempts],
            "now": now,
        }
        await connection.execute(_ATTEMPTED, bound)


def _results(messages: Sequence[Message]) -> dict[str, Any]:
    return states(messages) | {
        "ids": [message.id for message in messages],
        "attempts": [message.attempts for message in messages],
        "holds": [json.encode(message.holds).decode() for message in messages],
    }


def _result(receipt: Receipt) -> str:
    return "sent" if isinstance(receipt, Sent) else "refused" if isinstance(receipt, Refused) else "again"


def _words(receipt: Receipt) -> tuple[str, str]:
    return ("", receipt.reference) if isinstance(receipt, Sent) else (receipt.code, receipt.detail)
