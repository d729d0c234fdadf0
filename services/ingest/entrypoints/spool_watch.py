"""Looks at the spool every half second, so that every process notices when it fills and when it is empty again."""

import asyncio

import structlog

from services.ingest.adapters.metrics import SPOOL_DEPTH, SPOOLING
from services.ingest.adapters.spool import PostgresSpool
from services.ingest.application.spooling import SpoolingPublisher
from shared.bus.interface import BusUnavailableError

LOOK_EVERY_S = 0.5

log = structlog.get_logger()


async def watch_spool(publisher: SpoolingPublisher, spool: PostgresSpool) -> None:
    """Look, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await look_once(publisher, spool)
        except BusUnavailableError:
            log.debug("spool_out_of_sight")
        except Exception as error:  # a look that fails must not be the last one
            log.error("spool_watch_failed", exc_info=error)


async def look_once(publisher: SpoolingPublisher, spool: PostgresSpool) -> None:
    """One look, and the metrics. Raises `BusUnavailableError`."""
    await publisher.look()
    SPOOLING.set(publisher.spooling)
    SPOOL_DEPTH.set(await spool.depth() if publisher.spooling else 0)
