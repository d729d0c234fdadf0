"""Addresses that nothing is sent to, by their pseudonyms: kept by whoever hears that they are no good."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.recipients.person import ADDRESS
from shared.vault.pseudonyms import Pseudonyms

_ADD = text("""
    INSERT INTO deliveries.suppressed (pseudonym, channel, at, message_id, code)
    VALUES (:pseudonym, :channel, :at, :message, :code) ON CONFLICT DO NOTHING
    """)
_ONE = text("""
    SELECT channel, at, message_id, code FROM deliveries.suppressed
    WHERE pseudonym = :pseudonym AND channel = :channel
    """)
_LIFT = text("""
    DELETE FROM deliveries.suppressed WHERE pseudonym = :pseudonym AND channel = :channel RETURNING 1
    """)
_LIST = text("""
    SELECT channel, at, message_id, code, pseudonym FROM deliveries.suppressed
    WHERE (at, pseudonym) < (:at, :pseudonym) ORDER BY at DESC, pseudonym DESC LIMIT :limit
    """)

BY_HAND: Final = ""
"""The message of what was told over the API: none."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address: since when, after which message, and why."""

    channel: Channel
    at: datetime
    message_id: str
    code: str
    pseudonym: str


async def suppress(
    connection: AsyncConnection, channel: Channel, pseudonym: str, message_id: str, code: str, *, at: datetime
) -> None:
    """Send nothing more to the address of this pseudonym. What was noted of it before stays."""
    bound = {"pseudonym": pseudonym, "channel": channel.value, "message": message_id, "code": code}
    await connection.execute(_ADD, bound | {"at": at})


class PostgresSuppressions:
    """As the API adds, lists and lifts them. Addresses go in and never come out: only their pseudonyms are kept."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms

    async def add(
        self, connection: AsyncConnection, channel: Channel, address: str, code: str, now: datetime
    ) -> Suppression:
        """Suppress an address, or leave it as it was suppressed before."""
        bound = self._bound(channel, address)
        await suppress(connection, channel, bound["pseudonym"], BY_HAND, code, at=now)
        row = (await connection.execute(_ONE, bound)).one()
        return Suppression(Channel(row.channel), row.at, row.message_id, row.code, bound["pseudonym"])

    async def lift(self, connection: AsyncConnection, channel: Channel, address: str) -> bool:
        """Whether the address was suppressed; it is not any more."""
        return (await connection.execute(_LIFT, self._bound(channel, address))).first() is not None

    async def listed(
        self, connection: AsyncConnection, before: tuple[datetime, str], limit: int
    ) -> list[Suppression]:
        """The newest before that place."""
        rows = await connection.execute(_LIST, {"at": before[0], "pseudonym": before[1], "limit": limit})
        return [
            Suppression(Channel(row.channel), row.at, row.message_id, row.code, row.pseudonym) for row in rows
        ]

    def _bound(self, channel: Channel, address: str) -> dict[str, str]:
        return {"channel": channel.value, "pseudonym": self._pseudonyms.of(ADDRESS[channel], address)}
