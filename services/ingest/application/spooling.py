"""Keeps events while Kafka is away: they go to a spool in PostgreSQL, from which a relay publishes them in order.

While anything waits in the spool new events go there as well, or they would overtake it.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from shared.bus.interface import BusUnavailableError
from shared.bus.records import Outgoing

KAFKA_PATIENCE_S = 2.0
"""How long Kafka may take before the spool is used: a request has to be answered within 5 s, spool and all."""

log = structlog.get_logger()


class Bus(Protocol):
    """Where events go when all is well."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when they are durable; raise `BusUnavailableError`."""


class Spool(Protocol):
    """Where events wait."""

    async def append(self, records: Sequence[Outgoing]) -> None:
        """Return when they are durable; raise `BusUnavailableError`."""

    async def is_empty(self) -> bool:
        """Whether everything in it has been published; raise `BusUnavailableError`."""


class SpoolingPublisher:
    """Publishes to the bus, or to the spool while the bus is away or the spool is not empty.

    Call `publish` for one batch at a time, and `look` every half second, so that all API processes notice what one
    of them had to put into the spool, and when it has been emptied.
    """

    def __init__(self, bus: Bus, spool: Spool, patience_s: float = KAFKA_PATIENCE_S) -> None:
        self._bus = bus
        self._spool = spool
        self._patience_s = patience_s
        self._appends = 0
        self._appending = False
        self.spooling = True
        """Whether events go to the spool: so until the first look has found it empty."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when the records are durable in one place or the other; raise `BusUnavailableError` if in none."""
        if not self.spooling:
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._bus.publish(records)
            except (BusUnavailableError, TimeoutError) as error:
                # The records may have arrived all the same. A repeat is harmless: identities tell downstream.
                log.warning("bus_away_spooling", error=str(error) or type(error).__name__)
                self.spooling = True
            else:
                return
        self._appends += 1
        self._appending = True
        try:
            await self._spool.append(records)
        finally:
            self._appending = False

    async def look(self) -> None:
        """Find out whether the spool is empty, and go where events belong. Raises `BusUnavailableError`."""
        appends = self._appends
        empty = await self._spool.is_empty()
        if not empty:
            self.spooling = True
        elif self.spooling and appends == self._appends and not self._appending:
            # Nothing was put there since the question was asked, so the answer still holds.
            self.spooling = False
            log.info("spool_empty_publishing_directly")
