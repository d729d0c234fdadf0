"""Follows the program: when the settings that take part in the fold are others than before, everybody is folded anew.

Which settings count is what `Rules` say (`SwitchProgram` changes it). With which ones all states were folded is
what the latest finished rebuild says; other ones, or a fold that has changed, begin a rebuild, of which every call does
a step. It goes on where it was after a restart, and shares the work with whoever else rebuilds.
"""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Rules
from services.scoring.application.rebuilding.rebuild import Rebuild, Rebuilds


class FoldedWith(Protocol):
    """With which settings all states were folded."""

    async def folded_with(self, connection: AsyncConnection, program: str, now: datetime) -> str | None:
        """The digest of the latest rebuild, if that is finished. Where nobody is known yet, it is `program` from now
        on."""


class Refold:
    """The use case: a job of the worker."""

    def __init__(
        self,
        *,
        rebuild: Rebuild,
        rebuilds: Rebuilds,
        folded: FoldedWith,
        rules: Rules,
    ) -> None:
        self._rebuild = rebuild
        self._rebuilds = rebuilds
        self._folded = folded
        self._rules = rules

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """One step. Answers whether there is more to do."""
        program = (await self._rules.current(connection)).fold_digest
        if await self._folded.folded_with(connection, program, now) == program:
            return False
        rebuilding = await self._rebuilds.begin(connection, program, now)
        await self._rebuild(connection, rebuilding.id, now)
        return True
