"""Introduces the occasions that the program in force asks for: from then on each is told, and everybody is looked at.

A campaign that is new today writes to those who fall silent from today on, not to all who did so years ago. The pass
over all customers goes by id, some a transaction, and stands in one row: whoever comes next goes on with it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import ComingDays, Rules

INTRODUCED_MAX = 1_000
"""Customers in one transaction; of each only a row is written."""


class Passing(Struct, frozen=True):
    """For which occasions the pass is (a digest, empty before the first), and how far it has come: None when done."""

    digest: str
    after_id: str | None


class Occasions(Protocol):
    """Which occasions are told since when. All methods take the caller's transaction."""

    async def lock(self, connection: AsyncConnection) -> Passing | None:
        """The pass, locked; None when somebody else is at it."""

    async def in_force_since(self, connection: AsyncConnection, now: datetime) -> datetime:
        """Since when the program in force is; now, if that is not known."""

    async def introduce(self, connection: AsyncConnection, names: Collection[str], since: datetime) -> None:
        """These are all there are; those that are new are told from that moment on."""

    async def note(self, connection: AsyncConnection, passing: Passing) -> None:
        """How far the pass has come."""

    async def following(self, connection: AsyncConnection, after_id: str, limit: int) -> list[str]:
        """The next customers, in the order of their ids."""


class IntroduceOccasions:
    """The use case: a job of the worker. Any number may run."""

    def __init__(self, *, occasions: Occasions, days: ComingDays, rules: Rules) -> None:
        self._occasions = occasions
        self._days = days
        self._rules = rules
        self._done = ""

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """One step. Answers whether there is more to do."""
        watch = (await self._rules.current(connection)).watch
        if watch.digest == self._done:
            return False
        passing = await self._occasions.lock(connection)
        if passing is None:
            return False
        if passing.digest != watch.digest:
            # Before the first there were none to be told late: only what comes from now on is.
            first = not passing.digest
            since = now if first else min(now, await self._occasions.in_force_since(connection, now))
            await self._occasions.introduce(connection, [one.name for one in watch.occasions], since)
            passing = Passing(watch.digest, "" if watch.occasions else None)
        if passing.after_id is not None:
            passing = await self._go_on(connection, passing, passing.after_id, now)
        await self._occasions.note(connection, passing)
        if passing.after_id is None:
            self._done = watch.digest
        return passing.after_id is not None

    async def _go_on(
        self, connection: AsyncConnection, passing: Passing, after_id: str, now: datetime
    ) -> Passing:
        ids = await self._occasions.following(connection, after_id, INTRODUCED_MAX)
        await self._days.note(connection, ids, now, now)
        return Passing(passing.digest, ids[-1] if len(ids) == INTRODUCED_MAX else None)
