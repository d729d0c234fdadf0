"""The program's versions as rewards decides with them: rule books, and which of them is in force."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.rulebook import Rulebook
from shared.program.versions.following import FollowedVersions
from shared.program.versions.reading import NoProgramError
from shared.program.versions.store import keep_file, put_program
from shared.program.versions.timeline import Activation

__all__ = ["NoProgramError", "PostgresPrograms"]


class PostgresPrograms(FollowedVersions[Rulebook]):
    """Implements `Programs`, and puts programs in force. `code_key` is the secret of offer codes."""

    def __init__(self, code_key: bytes) -> None:
        super().__init__(lambda program: Rulebook.of(program, code_key))

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
