"""The program's versions as a service decides with them: each read once, and which of them is in force."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.parse import load_program
from shared.program.versions.reading import (
    FRESH_S,
    NoProgramError,
    UnreadableProgramError,
    read_timeline,
    read_version,
)
from shared.program.versions.timeline import Activation, Timeline

KEPT_VERSIONS = 32

Made = TypeVar("Made")


class FollowedVersions(Generic[Made]):
    """Versions, and what `make` makes of each, kept in memory. Raises `NoProgramError`, and `UnreadableProgramError`
    for what this release cannot read: that is found out once for each version, whose text never changes."""

    def __init__(self, make: Callable[[Program], Made]) -> None:
        self._make = make
        self._kept: dict[int, tuple[Made, str]] = {}
        self._unreadable: dict[int, ProgramError] = {}
        self._timeline = Timeline(())
        self._looked_at = float("-inf")

    async def current(self, connection: AsyncConnection, now: datetime) -> Made:
        """The version in force at `now`, as was known `FRESH_S` ago at most."""
        return await self.version(connection, await self.number(connection, now))

    async def number(self, connection: AsyncConnection, now: datetime) -> int:
        """The number of that version, whether it can be read or not."""
        moment = asyncio.get_running_loop().time()
        if moment - self._looked_at >= FRESH_S or not self._timeline.activations:
            self._timeline = await read_timeline(connection)
            self._looked_at = moment
        return _in_force(self._timeline, now).version

    async def latest(self, connection: AsyncConnection, now: datetime) -> tuple[Made, Timeline]:
        """The version in force at `now`, and all activations, as of this moment."""
        self.look_again()
        return await self.current(connection, now), self._timeline

    async def version(self, connection: AsyncConnection, version: int) -> Made:
        """A stored version."""
        return (await self._version(connection, version))[0]

    async def source(self, connection: AsyncConnection, version: int) -> str:
        """The text of a stored version."""
        return (await self._version(connection, version))[1]

    def look_again(self) -> None:
        """Something was decided: look before the next decision, however short ago that was done."""
        self._looked_at = float("-inf")

    async def _version(self, connection: AsyncConnection, version: int) -> tuple[Made, str]:
        if version in self._unreadable:
            # A new one each time: an error that is raised again remembers each time, and all that was at hand.
            raise UnreadableProgramError(version, self._unreadable[version])
        kept = self._kept.get(version)
        if kept is None:
            source = (await read_version(connection, version)).source
            # A long program takes a second and more to read, in which others must be answered.
            try:
                kept = await asyncio.to_thread(self._read, source, version), source
            except ProgramError as error:
                self._unreadable[version] = ProgramError(error.errors)
                raise UnreadableProgramError(version, error) from error
            if len(self._kept) >= KEPT_VERSIONS:
                self._kept.clear()
            self._kept[version] = kept
        return kept

    def _read(self, source: str, version: int) -> Made:
        return self._make(load_program(source, version=version))


def _in_force(timeline: Timeline, now: datetime) -> Activation:
    activation = timeline.in_force(now)
    if activation is None:
        raise NoProgramError("No program is in force yet.")
    return activation
