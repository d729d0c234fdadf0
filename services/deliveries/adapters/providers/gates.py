"""What is remembered of providers, one row a channel."""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.providers.breaker import Breaker
from services.deliveries.domain.providers.gate import Gate

_MAKE = text("""
    INSERT INTO deliveries.providers (channel)
    SELECT unnest(CAST(:channels AS text[])) ON CONFLICT DO NOTHING
    """)
_LOCK = text("""
    SELECT channel, arrival, failures, until, openings, probed, code FROM deliveries.providers
    WHERE channel = ANY(CAST(:channels AS text[])) ORDER BY channel FOR UPDATE
    """)
_SAVE = text("""
    UPDATE deliveries.providers SET arrival = :arrival, failures = :failures, until = :until,
        openings = :openings, probed = :probed, code = :code
    WHERE channel = :channel
    """)


class PostgresGates:
    """Implements `Gates`."""

    async def lock(self, connection: AsyncConnection, channels: Collection[Channel]) -> dict[Channel, Gate]:
        """See `Gates.lock`."""
        names = {"channels": sorted(channels)}
        rows = list(await connection.execute(_LOCK, names))
        if len(rows) < len(channels):
            await connection.execute(_MAKE, names)
            rows = list(await connection.execute(_LOCK, names))
        return {
            Channel(row.channel): Gate(
                row.arrival, Breaker(row.failures, row.until, row.openings, row.probed), row.code
            )
            for row in rows
        }

    async def save(self, connection: AsyncConnection, gates: Mapping[Channel, Gate]) -> None:
        """See `Gates.save`."""
        if not gates:
            return
        await connection.execute(
            _SAVE,
            [
                {
                    "channel": channel,
                    "arrival": gate.arrival,
                    "failures": gate.breaker.failures,
                    "until": gate.breaker.until,
                    "openings": gate.breaker.openings,
                    "probed": gate.breaker.probed,
                    "code": gate.code,
                }
                for channel, gate in sorted(gates.items())
            ],
        )
