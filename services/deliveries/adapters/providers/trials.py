"""How often test e-mails may go out, and whether the address may have one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.adapters.providers.gates import PostgresGates
from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.pace import Pace
from services.deliveries.domain.recipients.person import ADDRESS
from shared.vault.pseudonyms import Pseudonyms

PACE: Final = Pace(per_second=1 / 30, burst=10)
"""Ten at once, and then one every half a minute, over all keys and processes: nobody sends letters to a list by it."""

# Beside the rows of the providers, which go by channels.
_ROW: Final = "email.test"
_MAKE = text("INSERT INTO deliveries.providers (channel) VALUES (:row) ON CONFLICT DO NOTHING")
_LOCK = text("SELECT arrival FROM deliveries.providers WHERE channel = :row FOR UPDATE")
_KEEP = text("UPDATE deliveries.providers SET arrival = :arrival WHERE channel = :row")
_SUPPRESSED = text("""
    SELECT EXISTS (SELECT FROM deliveries.suppressed WHERE pseudonym = :pseudonym AND channel = :channel)
    """)


async def take_turn(connection: AsyncConnection, pace: Pace, now: datetime) -> timedelta | None:
    """Take a turn, which counts towards the provider's own rate (`pace`), too; None: it may go now, else how long to
    wait. The row stays locked until the transaction ends."""
    await connection.execute(_MAKE, {"row": _ROW})
    arrival = await connection.scalar(_LOCK, {"row": _ROW})
    granted, moment = PACE.grant(arrival, now, 1)
    if not granted:
        return PACE.wait(arrival, now)
    await connection.execute(_KEEP, {"row": _ROW, "arrival": moment})
    gates = PostgresGates()
    gate = (await gates.lock(connection, [Channel.EMAIL]))[Channel.EMAIL]
    await gates.save(connection, {Channel.EMAIL: replace(gate, arrival=pace.grant(gate.arrival, now, 1)[1])})
    return None


async def is_suppressed(connection: AsyncConnection, pseudonyms: Pseudonyms, address: str) -> bool:
    """Whether nothing is sent to this e-mail address any more."""
    bound = {"pseudonym": pseudonyms.of(ADDRESS[Channel.EMAIL], address), "channel": Channel.EMAIL.value}
    return bool(await connection.scalar(_SUPPRESSED, bound))
