"""Takes up the program that is in force: in one moment for all processes, without a restart of any.

What counts here stands in one row, beside the saved segments, and changes under the lock that everybody holds who
works by it. So there is one order of what was decided by the version before and what by the one after, and the passes
that follow miss nobody.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.switching import Anew, made_anew
from shared.program.model.program import Program
from shared.program.parse import ProgramError

log = structlog.get_logger()


class ProgramVersions(Protocol):
    """Versions of the program, and which of them counts here."""

    async def in_force(self, connection: AsyncConnection, now: datetime) -> int | None:
        """The version in force at `now`; None while none is stored."""

    async def counts(self, connection: AsyncConnection) -> int:
        """The version that counts here; 0 when it is the file's."""

    async def program(self, connection: AsyncConnection, version: int) -> Program:
        """A version; 0 is the file's. Raises `ProgramError` when it is not fit any more."""

    async def hold_alone(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, nobody works by what counts."""

    async def switch(
        self, connection: AsyncConnection, version: int, anew: Sequence[Anew], now: datetime
    ) -> None:
        """This version counts from now on; this must be made anew."""


class SwitchProgram:
    """The use case: a job of the worker. Any number may run."""

    def __init__(self, programs: ProgramVersions) -> None:
        self._programs = programs
        self._unfit: int | None = None

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Take up what is in force, if that is another version. There is never more to do at once."""
        wanted = await self._programs.in_force(connection, now)
        if wanted in (None, self._unfit) or wanted == await self._programs.counts(connection):
            return False
        assert wanted is not None
        try:
            after = await self._programs.program(connection, wanted)
        except ProgramError as error:  # stored by a release that allowed more
            self._unfit = wanted
            log.error("program_is_not_valid_any_more", version=wanted, faults=str(error))
            return False
        await self._programs.hold_alone(connection)
        counts = await self._programs.counts(connection)
        if counts == wanted:
            return False  # somebody was faster
        anew = made_anew(await self._programs.program(connection, counts), after)
        await self._programs.switch(connection, wanted, anew, now)
        log.info("program_taken_up", version=wanted, before=counts, anew=[str(one) for one in anew])
        return False
