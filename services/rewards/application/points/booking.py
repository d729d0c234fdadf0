"""Keeps the books by day: adds what transactions left, and makes them anew where their days are of another zone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.jobs import DUE_MAX, Job
from services.rewards.application.ports import Programs


class Books(Protocol):
    """Sums of entries by day, and those that are yet to be added. Every method works in the caller's transaction."""

    async def lock(self, connection: AsyncConnection, *, wait: bool) -> str | None:
        """The time zone of the days, empty if the books were never made, and nobody else keeps the books meanwhile.
        None: somebody does, and `wait` was not asked for."""

    async def add(self, connection: AsyncConnection, zone: str) -> bool:
        """Add what was left, some of it if it is much; whether there may be more. Needs the lock."""

    async def make(self, connection: AsyncConnection, zone: str) -> None:
        """Make the books from the ledger. Needs the lock."""


@dataclass(frozen=True, slots=True)
class KeepBooks:
    """The job (see `jobs.Job`); by itself, since making the books takes as long as the ledger is."""

    books: Books
    programs: Programs

    def all(self) -> dict[str, Job]:
        """The job by its name."""
        return {"keep_books": self}

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        skip: Collection[str] = (),
        limit: int = DUE_MAX,
    ) -> int:
        """Bring the books up to date; 0 when they are. It is no member's work: `skip` and `limit` are not for it."""
        zone = str((await self.programs.current(connection, now)).program.time_zone)
        kept = await self.books.lock(connection, wait=False)
        if kept is None:
            return 0
        if kept == zone:
            return int(await self.books.add(connection, zone))
        await self.books.make(connection, zone)
        return 1

    async def make_anew(self, connection: AsyncConnection, now: datetime) -> None:
        """Make the books from the ledger, whatever they say. Waits for whoever keeps them."""
        zone = str((await self.programs.current(connection, now)).program.time_zone)
        await self.books.lock(connection, wait=True)
        await self.books.make(connection, zone)
