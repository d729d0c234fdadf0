"""The rules by which scoring works, as a test sets them."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.settings import ScoreSettings


class FixedRules:
    """`Rules` that stay as they are until the test gives other `settings`: no segments are saved, nobody is ranked."""

    def __init__(self, settings: ScoreSettings) -> None:
        self.settings = settings

    async def hold(self, connection: AsyncConnection) -> None:
        """Nobody else changes them."""

    async def current(self, connection: AsyncConnection) -> ScoreSettings:
        """The settings of now."""
        return self.settings

    async def at(self, connection: AsyncConnection, moment: datetime) -> ScoreSettings:
        """The same at any moment."""
        return self.settings

    async def ranked(self, connection: AsyncConnection) -> int:
        """Nobody."""
        return 0

    async def rank(self, connection: AsyncConnection, now: datetime) -> None:
        """Compares nobody."""
