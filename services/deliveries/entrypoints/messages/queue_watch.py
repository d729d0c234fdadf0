"""Measures the queue of messages, and lets another version of the program count for what waits in it."""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.messages.messages import PostgresMessages
from services.deliveries.adapters.messages.reading import waiting
from services.deliveries.adapters.metrics import OVERDUE, WAITING
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.domain.messages.message import FINAL, State
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.program.faults import ProgramError
from shared.program.versions.reading import NoProgramError
from shared.waiting import rest

MEASURE_EVERY_S = 15.0
WAKE_BATCH = 500
"""Messages woken in one transaction."""


class QueueWatch:
    """A loop of the worker: how many messages wait, and since when the oldest is due. When another version of the
    program comes into force, what the limits of the one before hold is looked at again."""

    def __init__(self, engine: AsyncEngine, clock: Clock, programs: PostgresPrograms) -> None:
        self._engine = engine
        self._clock = clock
        self._programs = programs
        self._messages = PostgresMessages()
        self._version: int | None = None
        self.trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            try:
                await self.once()
                await self.follow()
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

    async def follow(self) -> None:
        """Wake what waits, if another version is in force than at the last look; at the first look too, because nobody
        looked before."""
        now = self._clock()
        try:
            async with self._engine.connect() as connection:
                version = (await self._programs.current(connection, now)).version
        except (NoProgramError, ProgramError):
            return  # nothing is decided then, and whoever would decide says so
        if version == self._version:
            return
        after: tuple[datetime, str] | None = (now, "")
        while after is not None:
            async with self._engine.begin() as connection:
                after = await self._messages.wake(connection, after, WAKE_BATCH, now)
        self._version = version
