"""The worker of ingest: carries the spool to Kafka."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.adapters.metrics import SPOOL_DEPTH
from services.ingest.adapters.spool import PostgresSpool
from shared.bus.interface import BusUnavailableError
from shared.http.health import Check, Degraded, database_answers

MEASURE_EVERY_S = 1.0

log = structlog.get_logger()


class Relay(Protocol):
    """Publishes what the spool holds."""

    trouble: str | None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""


class SpoolWorker:
    """Runs the relay; on PostgreSQL, where there is no spool, it has nothing to do and says so."""

    def __init__(self, engine: AsyncEngine, spool: PostgresSpool, relay: Relay | None) -> None:
        self._engine = engine
        self._spool = spool
        self._relay = relay

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`."""
        measuring = None
        try:
            if self._relay is None:
                log.info("nothing_to_do", reason="the streams are in PostgreSQL: there is no spool to empty")
                await stop.wait()
                return
            measuring = asyncio.create_task(self._measure(), name="ingest-spool-depth")
            await self._relay.run(stop)
        finally:
            if measuring is not None:
                measuring.cancel()
                await asyncio.gather(measuring, return_exceptions=True)
            await self._engine.dispose()

    def checks(self) -> Mapping[str, Check]:
        """For `/readyz`: the database answers. Kafka away is no reason to send the worker home."""

        async def relay() -> str | None:
            trouble = None if self._relay is None else self._relay.trouble
            return Degraded(f"the spool waits: {trouble}") if trouble else None

        return {"database": database_answers(self._engine), "relay": relay}

    async def _measure(self) -> None:
        while True:
            with suppress(BusUnavailableError):
                SPOOL_DEPTH.set(await self._spool.depth())
            await asyncio.sleep(MEASURE_EVERY_S)
