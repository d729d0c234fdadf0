"""Recipients in PostgreSQL, as those see them who decide about messages: contacts unsealed, in memory only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import DecodeError, json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.recipients.suppressions import suppress
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.recipients.person import ADDRESS, Part, Told, newest, preferred_channels
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from shared.vault.pseudonyms import Pseudonyms
from shared.vault.seal import Sealer, UnsealError
from shared.vault.subject_keys import SubjectKeys

_WORDS = ("first_name", "last_name", "name", "preferences")

# Whoever decides about messages of a customer holds the lock of its row: two never decide at once, and none waits.
_LOCK_DUE = text("""
    SELECT r.customer_id FROM deliveries.messages m
    JOIN deliveries.recipients r USING (customer_id)
    WHERE m.due_at <= :now ORDER BY m.due_at LIMIT :limit FOR UPDATE OF r SKIP LOCKED
    """)
_RECIPIENTS = text("""
    SELECT customer_id, locale, time_zone, consents, withdrawn, tickets_angry, emails_unopened, told_at,
        EXISTS (SELECT FROM deliveries.recipient_parts p
            WHERE p.customer_id = r.customer_id AND p.subject IS NULL) AS awaited
    FROM deliveries.recipients r WHERE customer_id = ANY(CAST(:ids AS text[]))
    """)
_PARTS = text("""
    SELECT part, customer_id, subject, identifiers, sealed FROM deliveries.recipient_parts
    WHERE customer_id = ANY(CAST(:ids AS text[])) AND sealed IS NOT NULL
    """)
_SUPPRESSED = text("""
    SELECT channel, pseudonym FROM deliveries.suppressed WHERE pseudonym = ANY(CAST(:pseudonyms AS text[]))
    """)
_BEGUN = text("""
    SELECT m.id, m.channel, p.part, p.customer_id, p.subject, p.identifiers, m.contact_sealed AS sealed
    FROM deliveries.messages m JOIN deliveries.recipient_parts p ON p.part = m.contact_part
    WHERE m.id = ANY(CAST(:messages AS text[]))
    """)
_OWNER = text("SELECT customer_id FROM deliveries.recipient_parts WHERE part = :part")
_KNOWN = text("SELECT 1 FROM deliveries.recipients WHERE customer_id = :id")

_told = json.Decoder(Told)
_identifiers = json.Decoder(dict[str, str])


def bound_to(part: str) -> bytes:
    """What the contacts of a part are sealed with, so that they open in their place alone."""
    return f"recipient/{part}".encode()


class PostgresRecipients:
    """Reads recipients. Keys of subjects are asked for each time: from the moment of an erasure nothing can be read."""

    def __init__(self, keys: SubjectKeys, pseudonyms: Pseudonyms) -> None:
        self._keys = keys
        self._pseudonyms = pseudonyms

    async def lock_due(self, connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
        """Customers with messages that are due, locked; those that somebody else has are passed over."""
        rows = await connection.execute(_LOCK_DUE, {"now": now, "limit": limit})
        return sorted({customer_id for (customer_id,) in rows})

    async def load(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Recipient]:
        """The recipients of these ids, by id."""
        bound = {"ids": list(ids)}
        rows = (await connection.execute(_RECIPIENTS, bound)).all()
        parts: dict[str, list[Part]] = {id_: [] for id_ in ids}
        for part in await self.parts(connection, await connection.execute(_PARTS, bound)):
            parts[part.customer_id].append(part)
        contacts = await self._contacts(connection, parts)
        return {
            row.customer_id: _recipient(row, parts[row.customer_id], contacts[row.customer_id])
            for row in rows
        }

    async def parts(self, connection: AsyncConnection, rows: Iterable[Any]) -> list[Part]:
        """Rows of `recipient_parts` unsealed."""
        found = list(rows)
        subjects = {row.subject for row in found if row.sealed is not None}
        keys = await self._keys.get(connection, subjects)
        return [
            Part(
                row.part,
                row.customer_id,
                row.subject,
                _identifiers.decode(row.identifiers),
                _unseal(keys.get(row.subject), row.sealed, row.part),
            )
            for row in found
        ]

    async def contacts(self, connection: AsyncConnection, messages: Collection[str]) -> dict[str, Contact]:
        """The contacts that these messages were begun with, as they were then; none of who was erased since."""
        rows = (await connection.execute(_BEGUN, {"messages": list(messages)})).all()
        parts = await self.parts(connection, rows)
        found = {
            row.id: _contact([part], Channel(row.channel)) for row, part in zip(rows, parts, strict=True)
        }
        return {id_: contact for id_, contact in found.items() if contact is not None}

    async def suppress(
        self, connection: AsyncConnection, contact: Contact, message_id: str, code: str, now: datetime
    ) -> None:
        """Note that an address is no good: nothing is sent there any more."""
        pseudonym = self.pseudonym(contact)
        await suppress(connection, contact.channel, pseudonym, message_id, code, at=now)

    async def customer(self, connection: AsyncConnection, part: str) -> str | None:
        """Whose a part is, or the customer of that id; None if nothing is known of either."""
        owner: str | None = await connection.scalar(_OWNER, {"part": part})
        if owner is not None:
            return owner
        return part if await connection.scalar(_KNOWN, {"id": part}) else None

    async def _contacts(
        self, connection: AsyncConnection, parts: Mapping[str, list[Part]]
    ) -> dict[str, dict[Channel, Contact]]:
        """The contacts of each customer, with what providers have said of their addresses."""
        found = {id_: _contacts(theirs) for id_, theirs in parts.items()}
        names = {id_: [self.pseudonym(one) for one in theirs] for id_, theirs in found.items()}
        asked = [name for each in names.values() for name in each]
        rows = await connection.execute(_SUPPRESSED, {"pseudonyms": asked}) if asked else ()
        bad = {(channel, name) for channel, name in rows}
        return {
            id_: {
                one.channel: replace(one, suppressed=True) if (one.channel.value, name) in bad else one
                for one, name in zip(theirs, names[id_], strict=True)
            }
            for id_, theirs in found.items()
        }

    def pseudonym(self, contact: Contact) -> str:
        """The name under which an address is suppressed."""
        return self._pseudonyms.of(ADDRESS[contact.channel], contact.value)


def _recipient(row: Any, parts: list[Part], contacts: dict[Channel, Contact]) -> Recipient:
    readable = _readable(parts)
    personal = {name: found[1] for name in _WORDS if (found := newest(readable, name)) is not None}
    return Recipient(
        customer_id=row.customer_id,
        contacts=contacts,
        personal=personal,
        locale=row.locale,
        zone=zone_of(row.time_zone),
        consents=frozenset(row.consents.split()),
        withdrawn=frozenset(row.withdrawn.split()),
        preferred=preferred_channels(personal.get("preferences")),
        tickets_angry=row.tickets_angry,
        emails_unopened=row.emails_unopened,
        erased=bool(parts) and not readable,
        awaited=row.awaited,
        told_at=row.told_at,
    )


def _readable(parts: Iterable[Part]) -> list[tuple[str, Told]]:
    return [(part.part, part.told) for part in parts if part.told is not None]


def _contacts(parts: list[Part]) -> list[Contact]:
    return [one for channel in Channel if (one := _contact(parts, channel)) is not None]


def _contact(parts: list[Part], channel: Channel) -> Contact | None:
    found = newest(_readable(parts), ADDRESS[channel])
    if found is None:
        return None
    name, value = found
    (part,) = [each for each in parts if each.part == name]
    return Contact(channel, str(value), name, part.subject, part.identifiers)


def _unseal(key: bytes | None, sealed: bytes | None, part: str) -> Told | None:
    if key is None or sealed is None:
        return None
    try:
        return _told.decode(Sealer(key).unseal(sealed, bound_to(part)))
    except (UnsealError, DecodeError):
        return None


@lru_cache(maxsize=1024)
def zone_of(name: str | None) -> ZoneInfo | None:
    """The time zone of a name, if it is one."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # whatever a customer of the shop may have written there
        return None
