"""The program's versions as rewards decides with them: rule books, and which of them is in force."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.rulebook import Rulebook
from shared.program.faults import ProgramError
from shared.program.model.program import Program
from shared.program.model.tiers import Tiers
from shared.program.parse import load_section
from shared.program.versions.following import FollowedVersions
from shared.program.versions.reading import (
    NoProgramError,
    UnreadableProgramError,
    read_version,
    read_version_at,
)
from shared.program.versions.store import keep_file, put_program
from shared.program.versions.timeline import Activation, Timeline
from shared.program.versions.zones import check_zone

__all__ = ["NoProgramError", "PostgresPrograms"]

Section = Literal["points", "tiers"]


class PostgresPrograms(FollowedVersions[Rulebook]):
    """Implements `Programs`, and puts programs in force. `code_key` is the secret of offer codes."""

    def __init__(self, code_key: bytes) -> None:
        super().__init__(lambda program: Rulebook.of(program, code_key))
        self._sections: dict[tuple[int, Section], Program | None] = {}
        self._deciding: tuple[Activation, Rulebook] | None = None

    async def current(self, connection: AsyncConnection, now: datetime) -> Rulebook:
        """The version in force, with what was `promised` before it: that is looked up once for each activation."""
        await self.number(connection, now)
        timeline = self._timeline
        activation = timeline.in_force(now)
        assert activation is not None, "it has a number"
        if self._deciding is not None and self._deciding[0] == activation:
            return self._deciding[1]
        rulebook = await self.version(connection, activation.version)
        promised = await self._promised(connection, rulebook.program, timeline, activation)
        deciding = replace(rulebook, promised=promised)
        self._deciding = activation, deciding
        return deciding

    async def _promised(
        self, connection: AsyncConnection, program: Program, timeline: Timeline, present: Activation
    ) -> dict[tuple[str, str], datetime]:
        """See `Rulebook.promised`. A version that cannot be read has decided nothing: it breaks no promise."""
        promised: dict[tuple[str, str], datetime] = {}
        sought, begun = _benefits(program.tiers), present.starts_at
        over = begun
        for earlier in timeline.activations[timeline.activations.index(present) + 1 :]:
            if not any(_is_good(program, offer, begun, present.starts_at) for _, offer in sought):
                break
            if earlier.starts_at == over:
                continue  # it has never been in force
            over = earlier.starts_at
            try:
                before = await self._read_then(connection, earlier.version, "tiers")
            except UnreadableProgramError:
                continue
            said = _benefits(before.tiers)
            promised |= dict.fromkeys(sought - said, begun)
            sought, begun = sought & said, over
        return promised

    async def of_then(self, connection: AsyncConnection, moment: datetime, section: Section) -> Program:
        """The program that was in force at a past moment, however long ago, to tell of then by this section: where this
        release cannot read all of it, nothing else of it may be gone by.

        Raises `NoProgramError`, and `UnreadableProgramError` if the section cannot be read either.
        """
        return await self._read_then(connection, await read_version_at(connection, moment), section)

    async def _read_then(self, connection: AsyncConnection, version: int, section: Section) -> Program:
        """A version of which this section can be read; the same errors."""
        try:
            return (await self.version(connection, version)).program
        except UnreadableProgramError:
            key = version, section
            if key not in self._sections:
                source = (await read_version(connection, version)).source
                self._sections[key] = await asyncio.to_thread(_read, source, section, version)
            program = self._sections[key]
            if program is None:
                raise
            return program

    async def check_zone(self, connection: AsyncConnection, version: int) -> None:
        """Raises `UnreadableProgramError` also where this database does not know the version's time zone."""
        program, source = (
            (await self.version(connection, version)).program,
            await self.source(connection, version),
        )
        try:
            await check_zone(connection, program, source)
        except ProgramError as error:
            raise UnreadableProgramError(version, error) from error

    async def put(
        self,
        connection: AsyncConnection,
        source: str,
        *,
        actor: str,
        now: datetime,
        starts_at: datetime | None = None,
    ) -> Activation:
        """Put a text from the API in force (`shared.program.versions.store.put_program`)."""
        put = await put_program(connection, source, origin="api", actor=actor, now=now, starts_at=starts_at)
        self.look_again()
        return put

    async def add_file(
        self, connection: AsyncConnection, source: str, now: datetime, *, shipped: bool = False
    ) -> None:
        """Put the program file in force if it differs from the one that was last read from a file; the one that is
        `shipped` gives way to what somebody activated."""
        await keep_file(connection, source, now, shipped=shipped)
        self.look_again()


def _benefits(tiers: Tiers | None) -> frozenset[tuple[str, str]]:
    """Which tier brings which offer again and again."""
    levels = tiers.levels if tiers is not None else ()
    return frozenset((level.id, offer) for level in levels for offer, _ in level.recurring)


def _is_good(program: Program, offer: str, given_at: datetime, now: datetime) -> bool:
    until = program.offers[offer].good_until(given_at, program.time_zone)
    return until is None or until > now


def _read(source: str, section: Section, version: int) -> Program | None:
    try:
        return load_section(source, section, version=version)
    except ProgramError:
        return None
