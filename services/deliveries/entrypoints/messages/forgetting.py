"""The loop that forgets messages when they have been kept long enough."""

import asyncio
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.messages.forgetting import forget_messages
from services.deliveries.adapters.programs import PostgresPrograms
from services.deliveries.domain.messages.frequency import counted_since
from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.program.faults import ProgramError
from shared.program.values.period import Period
from shared.program.versions.reading import NoProgramError
from shared.waiting import rest

EVERY_S: Final = 600.0
PAUSE_S: Final = 0.1
"""Between two batches: after a year of downtime, too, those come first who wait for their messages."""
UTC_ZONE: Final = ZoneInfo("UTC")

log = structlog.get_logger()


class Forgetting:
    """A loop of the worker; any number of processes may run one. `months`: how long messages are kept."""

    def __init__(self, engine: AsyncEngine, clock: Clock, programs: PostgresPrograms, months: int) -> None:
        self._engine = engine
        self._clock = clock
        self._programs = programs
        self._kept = Period(months=months)
        self.trouble: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            try:
                while await self.once() and not stop.is_set():
                    await rest(stop, PAUSE_S)
                self.trouble = None
            except (NoProgramError, ProgramError) as error:
                self.trouble = type(error).__name__  # how far back its limits count cannot be said
            except Exception as error:
                if not is_transient(error):
                    raise
                self.trouble = type(error).__name__
            await rest(stop, EVERY_S)

    async def once(self) -> int:
        """Forget one batch; how many went. Raises `NoProgramError`, `ProgramError`: then nothing is forgotten."""
        now = self._clock()
        async with self._engine.begin() as connection:
            program = await self._programs.current(connection, now)
            counted = counted_since(program.messages.at_most, now, program.time_zone)
            gone = await forget_messages(connection, self._kept.before(now, UTC_ZONE), counted)
        if gone:
            log.info("messages_forgotten", messages=gone)
        return gone
