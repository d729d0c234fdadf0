"""What people do with messages, in SQL."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.application.recipients.responding import Addressee, Response, Withdrawal
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.recipients.choices import Consents
from services.deliveries.domain.recipients.person import ADDRESS
from shared.vault.subject_keys import SubjectKeys

# Whoever the contact belongs to now: customers may have been merged, or parted, since the message was sent.
_ADDRESSEE = text("""
    SELECT m.campaign, coalesce(m.channel, 'email') AS channel, coalesce(p.customer_id, m.customer_id) AS customer_id,
           coalesce(m.contact_part, m.part) AS part, p.subject, p.identifiers,
           m.run, m.arm, m.template, m.purpose,
           ARRAY(SELECT o.identifiers FROM deliveries.recipient_parts o
                 WHERE o.customer_id = coalesce(p.customer_id, m.customer_id) AND o.sealed IS NOT NULL) AS others
    FROM deliveries.messages m
    LEFT JOIN deliveries.recipient_parts p ON p.part = coalesce(m.contact_part, m.part)
    WHERE m.id = :message
    """)
_NOTE = text("""
    INSERT INTO deliveries.responses (message_id, response, target, at) VALUES (:message, :response, :target, :now)
    ON CONFLICT DO NOTHING RETURNING message_id
    """)
_LOCK = text("SELECT consents, withdrawn FROM deliveries.recipients WHERE customer_id = :customer FOR UPDATE")
_LOOK = text("SELECT consents, withdrawn FROM deliveries.recipients WHERE customer_id = :customer")
_KEEP = text("""
    UPDATE deliveries.recipients SET consents = :given, withdrawn = :withdrawn WHERE customer_id = :customer
    """)
_GIVE = text("DELETE FROM deliveries.withdrawals WHERE part = :part AND name = ANY(CAST(:names AS text[]))")
_WITHDRAW = text("""
    INSERT INTO deliveries.withdrawals (part, name, event, at)
    SELECT :part, name, :event, :at FROM unnest(CAST(:names AS text[])) AS name
    ON CONFLICT (part, name) DO UPDATE SET event = excluded.event, at = excluded.at
    """)


class PostgresResponses:
    """Implements `ResponseStore`. Keys of subjects are asked for each time: whoever was erased is nobody from then on,
    however many mails with links there are in mailboxes."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    async def addressee(self, connection: AsyncConnection, message: str) -> Addressee | None:
        """See `ResponseStore.addressee`."""
        row = (await connection.execute(_ADDRESSEE, {"message": message})).first()
        if row is None:
            return None
        alive = row.subject is not None and bool(await self._keys.get(connection, {row.subject}))
        kinds = {kind for each in row.others for kind in _identifiers(each)}
        return Addressee(
            message=message,
            campaign=row.campaign,
            channel=Channel(row.channel),
            customer_id=row.customer_id,
            part=row.part,
            subject=row.subject if alive else None,
            identifiers=_identifiers(row.identifiers),
            about={"run": row.run, "arm": row.arm, "template": row.template, "purpose": row.purpose},
            reached=frozenset(channel for channel, kind in ADDRESS.items() if kind in kinds),
        )

    async def note(
        self, connection: AsyncConnection, message: str, response: Response, target: str, now: datetime
    ) -> bool:
        """See `ResponseStore.note`."""
        values = {"message": message, "response": response, "target": target, "now": now}
        return (await connection.execute(_NOTE, values)).first() is not None

    async def consents(self, connection: AsyncConnection, customer_id: str) -> Consents | None:
        """See `ResponseStore.consents`."""
        row = (await connection.execute(_LOCK, {"customer": customer_id})).first()
        return None if row is None else _consents(row)

    async def look(self, connection: AsyncConnection, customer_id: str) -> Consents:
        """See `ResponseStore.look`."""
        row = (await connection.execute(_LOOK, {"customer": customer_id})).first()
        return Consents() if row is None else _consents(row)

    async def decide(
        self,
        connection: AsyncConnection,
        customer_id: str,
        consents: Consents,
        withdrawal: Withdrawal,
        given: tuple[str, ...],
    ) -> None:
        """See `ResponseStore.decide`."""
        values = {
            "given": " ".join(sorted(consents.given)),
            "withdrawn": " ".join(sorted(consents.withdrawn)),
        }
        await connection.execute(_KEEP, {"customer": customer_id, **values})
        if given:
            await connection.execute(_GIVE, {"part": withdrawal.part, "names": list(given)})
        if withdrawal.names:
            await connection.execute(
                _WITHDRAW,
                {
                    "part": withdrawal.part,
                    "names": list(withdrawal.names),
                    "event": withdrawal.event,
                    "at": withdrawal.at,
                },
            )


def _consents(row: Row[Any]) -> Consents:
    return Consents(frozenset(row.consents.split()), frozenset(row.withdrawn.split()))


def _identifiers(stored: str | None) -> dict[str, str]:
    return msgspec.json.decode(stored, type=dict[str, str]) if stored else {}
