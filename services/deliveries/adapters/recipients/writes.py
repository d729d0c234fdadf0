"""What is written down of recipients: statements that take whole batches."""

from base64 import b64decode
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.recipients.recipients import PostgresRecipients, bound_to
from services.deliveries.application.recipients.tagging import Named
from services.deliveries.domain.messages.message import Reason
from services.deliveries.domain.recipients.person import Part, State
from shared.vault.seal import Sealer, UnsealError
from shared.vault.subject_keys import SubjectKeys

_MAKE = text("""
    INSERT INTO deliveries.recipients (customer_id, consents, withdrawn, tickets_angry, emails_unopened)
    SELECT id, '', '', false, 0 FROM unnest(CAST(:ids AS text[])) AS w(id) ORDER BY id COLLATE "C"
    ON CONFLICT DO NOTHING
    """)
_LOCK = text("""
    SELECT customer_id FROM deliveries.recipients WHERE customer_id = ANY(CAST(:ids AS text[]))
    ORDER BY customer_id FOR UPDATE
    """)
_OWNERS = text("""
    SELECT part, customer_id, epoch FROM deliveries.recipient_parts WHERE part = ANY(CAST(:parts AS text[]))
    """)
_PARTS = text("""
    SELECT part, customer_id, subject, identifiers, sealed FROM deliveries.recipient_parts
    WHERE part = ANY(CAST(:parts AS text[]))
    """)
_NAMED = text("""
    SELECT part, customer_id, subject, identifiers FROM deliveries.recipient_parts
    WHERE subject IS NOT NULL
        AND (part = ANY(CAST(:parts AS text[])) OR customer_id = ANY(CAST(:customers AS text[])))
    """)
# What is told later than what is known counts: a record that comes again changes nothing back. What was told at a time
# that is still to come was told by a clock that has been set right since: it must not outlast what is true now.
_STATE = text("""
    UPDATE deliveries.recipients r
    SET tickets_angry = w.angry, emails_unopened = w.unopened, told_at = w.at,
        locale = CASE WHEN w.person THEN w.locale ELSE r.locale END,
        time_zone = CASE WHEN w.person THEN w.zone ELSE r.time_zone END,
        consents = CASE WHEN w.person THEN w.consents ELSE r.consents END,
        withdrawn = CASE WHEN w.person THEN w.withdrawn ELSE r.withdrawn END
    FROM unnest(CAST(:ids AS text[]), CAST(:angry AS boolean[]), CAST(:unopened AS int[]),
        CAST(:at AS timestamptz[]), CAST(:person AS boolean[]), CAST(:locales AS text[]), CAST(:zones AS text[]),
        CAST(:consents AS text[]), CAST(:withdrawn AS text[]))
        AS w(id, angry, unopened, at, person, locale, zone, consents, withdrawn)
    WHERE r.customer_id = w.id AND (r.told_at IS NULL OR r.told_at <= w.at OR r.told_at > :now)
    """)
_KEEP = text("""
    INSERT INTO deliveries.recipient_parts AS p (part, customer_id, epoch, subject, identifiers, sealed)
    SELECT part, customer, 0, subject, identifiers, sealed
    FROM unnest(CAST(:parts AS text[]), CAST(:customers AS text[]), CAST(:subjects AS text[]),
        CAST(:identifiers AS text[]), CAST(:sealed AS bytea[]))
        AS w(part, customer, subject, identifiers, sealed)
    ORDER BY part COLLATE "C"
    ON CONFLICT (part) DO UPDATE SET subject = excluded.subject, identifiers = excluded.identifiers,
        sealed = excluded.sealed, customer_id = CASE WHEN p.epoch > 0 THEN p.customer_id ELSE excluded.customer_id END
    """)
_MOVE_PARTS = text("""
    INSERT INTO deliveries.recipient_parts AS p (part, customer_id, epoch, identifiers)
    SELECT part, CAST(:customer AS text), CAST(:epoch AS bigint), '{}' FROM unnest(CAST(:parts AS text[])) AS w(part)
    ORDER BY part COLLATE "C"
    ON CONFLICT (part) DO UPDATE SET customer_id = excluded.customer_id, epoch = excluded.epoch
    WHERE p.epoch <= excluded.epoch
    RETURNING part
    """)
_MOVE_MESSAGES = text("""
    WITH theirs AS (
        SELECT id FROM deliveries.messages
        WHERE part = ANY(CAST(:parts AS text[])) AND customer_id <> :customer ORDER BY id FOR UPDATE
    )
    UPDATE deliveries.messages m SET customer_id = :customer FROM theirs t WHERE m.id = t.id
    """)
# What waited for a ticket, an address, or for the morning of another place, is looked at now.
_WAKE = text(f"""
    UPDATE deliveries.messages SET due_at = :now
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND state = 'held' AND due_at > :now
        AND reason IN ('{Reason.ANGRY_TICKET}', '{Reason.CONTACT_AWAITED}', '{Reason.QUIET_HOURS}')
    """)  # noqa: S608  # names of our own


class PostgresKnowing:
    """Writes down what is known of recipients."""

    def __init__(self, keys: SubjectKeys, recipients: PostgresRecipients) -> None:
        self._keys = keys
        self._recipients = recipients

    async def lock(self, connection: AsyncConnection, ids: Collection[str]) -> None:
        """Lock these recipients in order; those that are new are made."""
        bound = {"ids": sorted(ids)}
        await connection.execute(_MAKE, bound)
        await connection.execute(_LOCK, bound)

    async def owners(self, connection: AsyncConnection, parts: Collection[str]) -> dict[str, tuple[str, int]]:
        """Whose these parts are, and since which change (0: since ever)."""
        rows = await connection.execute(_OWNERS, {"parts": list(parts)})
        return {part: (customer_id, epoch) for part, customer_id, epoch in rows}

    async def parts(self, connection: AsyncConnection, parts: Collection[str]) -> dict[str, Part]:
        """These parts as far as they are known."""
        rows = await connection.execute(_PARTS, {"parts": list(parts)})
        return {part.part: part for part in await self._recipients.parts(connection, rows)}

    async def named(
        self, connection: AsyncConnection, parts: Sequence[str], customers: Sequence[str]
    ) -> list[Named]:
        """See `Names.named`."""
        rows = await connection.execute(_NAMED, {"parts": [*parts], "customers": [*customers]})
        return [
            Named(part, customer_id, subject, json.decode(identifiers, type=dict[str, str]))
            for part, customer_id, subject, identifiers in rows
        ]

    async def open(
        self, connection: AsyncConnection, persons: Sequence[tuple[str, str, str]]
    ) -> list[dict[str, Any]]:
        """What events told in sealed fields, each given as its subject, its `sealed` and its key in hex. Empty where it
        cannot be read: the subject was erased."""
        sealers = await self._sealers(connection, {subject for subject, _, _ in persons})
        return [_opened(sealers.get(subject), sealed, key) for subject, sealed, key in persons]

    async def keep(self, connection: AsyncConnection, parts: Sequence[Part]) -> None:
        """Store what is known under parts, sealed. Nothing is stored of who was erased."""
        sealers = await self._sealers(connection, {part.subject for part in parts})
        parts = [part for part in parts if part.subject in sealers and part.told is not None]
        if not parts:
            return
        bound = {
            "parts": [part.part for part in parts],
            "customers": [part.customer_id for part in parts],
            "subjects": [part.subject for part in parts],
            "identifiers": [json.encode(part.identifiers).decode() for part in parts],
            "sealed": [
                sealers[part.subject].seal(json.encode(part.told), bound_to(part.part)) for part in parts
            ],
        }
        await connection.execute(_KEEP, bound)

    async def note(self, connection: AsyncConnection, states: Sequence[State], now: datetime) -> None:
        """Store what was told of customers, of each the last."""
        if not states:
            return
        bound: dict[str, Any] = {
            "ids": [each.customer_id for each in states],
            "angry": [each.tickets_angry for each in states],
            "unopened": [each.emails_unopened for each in states],
            "at": [each.at for each in states],
            "person": [each.person for each in states],
            "locales": [each.locale for each in states],
            "zones": [each.time_zone for each in states],
            "consents": [" ".join(each.consents) for each in states],
            "withdrawn": [" ".join(each.withdrawn) for each in states],
            "now": now,
        }
        await connection.execute(_STATE, bound)

    async def move_parts(
        self, connection: AsyncConnection, parts: Collection[str], customer_id: str, epoch: int
    ) -> list[str]:
        """These parts are this customer's since the change of that number, with their messages; answers those of which
        that is the latest change known."""
        bound = {"parts": sorted(parts), "customer": customer_id, "epoch": epoch}
        moved = [part for (part,) in await connection.execute(_MOVE_PARTS, bound)]
        if moved:
            await connection.execute(_MOVE_MESSAGES, {"parts": moved, "customer": customer_id})
        return moved

    async def wake(self, connection: AsyncConnection, ids: Collection[str], now: datetime) -> None:
        """Let what these customers' messages wait for be looked at again now."""
        await connection.execute(_WAKE, {"ids": list(ids), "now": now})

    async def _sealers(self, connection: AsyncConnection, subjects: Collection[str]) -> dict[str, Sealer]:
        keys = await self._keys.get(connection, subjects)
        return {subject: Sealer(key) for subject, key in keys.items()}


def _opened(sealer: Sealer | None, sealed: str, key: str) -> dict[str, Any]:
    if sealer is None:
        return {}
    try:
        plain = sealer.unseal(b64decode(sealed), bytes.fromhex(key))
    except (UnsealError, ValueError):  # destroyed and altered look the same: it cannot be read any more
        return {}
    return json.decode(plain, type=dict[str, Any])
