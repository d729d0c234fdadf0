"""Runs a rebuild to its end, patiently."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.scoring.application.rebuilding.rebuild import Rebuild, Rebuilding, Rebuilds
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.waiting import rest

PAUSE_S = 1.0
"""After a transient fault, before the step is tried again."""

FAULTS_MAX = 60
"""In a row; beyond it the rebuild ends, and goes on when it is started again."""

_COUNT = text("SELECT count(*) FROM scoring.customers")

log = structlog.get_logger()

Told = Callable[[Rebuilding, int], None]
"""Hears after each step how far it has come, and how many customers there are."""


async def rebuild_all(
    engine: AsyncEngine,
    rebuild: Rebuild,
    rebuilds: Rebuilds,
    *,
    program: str,
    clock: Clock,
    stop: asyncio.Event,
    told: Told,
) -> Rebuilding:
    """Fold all customers anew with the program of the digest `program`, or go on where that was interrupted, until it
    is finished or `stop`. Raises what the database raises when that stays."""
    async with engine.begin() as connection:
        rebuilding = await rebuilds.begin(connection, program, clock())
        customers = int((await connection.execute(_COUNT, {})).scalar_one())
    told(rebuilding, customers)
    faults = 0
    while rebuilding.finished_at is None and not stop.is_set():
        try:
            async with engine.begin() as connection:
                rebuilding = await rebuild(connection, rebuilding.id, clock())
        except Exception as error:
            faults += 1
            if not is_transient(error) or faults > FAULTS_MAX:
                raise
            log.warning("rebuild_interrupted", reason=type(error).__name__)
            await rest(stop, PAUSE_S)
            continue
        faults = 0
        told(rebuilding, customers)
    return rebuilding
