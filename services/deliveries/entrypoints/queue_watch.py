"""Measures the queue of messages."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.metrics import OVERDUE, WAITING
from services.deliveries.adapters.reading import waiting
from services.deliveries.domain.message import FINAL, State
from services.deliveries.entrypoints.worker import rest
from shared.bus.faults import is_transient
from shared.clock import Clock

MEASURE_EVERY_S = 15.0


class QueueWatch:
    """A loop of the worker: how many messages wait, and since when the oldest is due."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            try:
                await self.once()
                self.trouble = None
            except Exception as error:
                if not is_transient(error):
                    raise
                self.trouble = type(error).__name__
            await rest(stop, MEASURE_EVERY_S)

    async def once(self) -> None:
        """Look once."""
        async with self._engine.connect() as connection:
            found = {each.state: each for each in await waiting(connection)}
        for state in State:
            if state not in FINAL:
                WAITING.labels(state).set(found[state].messages if state in found else 0)
        oldest = min((each.due_at for each in found.values()), default=self._clock())
        OVERDUE.set(max(0.0, (self._clock() - oldest).total_seconds()))
