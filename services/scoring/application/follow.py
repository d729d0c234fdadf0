"""Follows the program: when the settings that take part in the fold are others than before, everybody is folded anew.

Which settings count is what `Rules` say (`application.take_up` changes it). With which ones all states were folded is
what the latest finished rebuild says; other ones, or a fold that has changed, begin a rebuild, of which every call does
a step. It goes on where it was after a restart, and shares the work with whoever else rebuilds.
"""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Rules
from services.scoring.application.rebuild import Rebuild, Rebuilds


class FoldedWith(Protocol):
    """With which settings all states were folded."""

    async def folded_with(self, connection: AsyncConnection, program: str, now: datetime) -> str | None:
        """The digest of the latest rebuild, if that is finished. Where nobody is known yet, it is `program` from now
        on."""


class Follow:
    """The use case: a job of the worker. `program` is the digest of the settings to fold with; with `rules` it is that
    of those that count now."""

    def __init__(
        self,
        *,
        rebuild: Rebuild,
        rebuilds: Rebuilds,
        folded: FoldedWith,
        program: str,
        rules: Rules | None = None,
    ) -> None:
        self._rebuild = rebuild
        self._rebuilds = rebuilds
        self._folded = folded
        self._program = program
        self._rules = rules

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """One step. Answers whether there is more to do."""
        if self._rules is not None:
            self._program = (await self._rules.current(connection)).fold_digest
        if await self._folded.folded_with(connection, self._program, now) == self._program:
            return False
        rebuilding = await self._rebuilds.begin(connection, self._program, now)
        await self._rebuild(connection, rebuilding.id, now)
        return True
