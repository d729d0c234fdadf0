"""The keys of subjects, handed out only once it is known that the secret is the right one."""

import asyncio
from collections.abc import Collection, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.application.recording import Seal
from shared.bus.interface import BusUnavailableError
from shared.vault.keyring import SubjectKeyring
from shared.vault.secret import Secret, SecretError, check_secret

log = structlog.get_logger()


class VerifiedKeyring:
    """A `SubjectKeyring` that seals nothing before the secret was compared with the database's.

    The database may be away at start; then the first request, or the first look at `/readyz`, after it is back makes
    up for it.
    """

    def __init__(self, engine: AsyncEngine, secret: Secret) -> None:
        self._engine = engine
        self._secret = secret
        self._keyring = SubjectKeyring(engine, secret)
        self._verified = False
        self._verifying = asyncio.Lock()

    async def verify(self) -> None:
        """Compare the secret. Raises `SecretError` when it is the wrong one."""
        async with self._verifying:
            if not self._verified:
                async with self._engine.begin() as connection:
                    await check_secret(connection, self._secret)
                self._verified = True

    async def sealers(self, subjects: Collection[str]) -> Mapping[str, Seal]:
        """A seal for each subject. Raises `SubjectErasedError`, and `BusUnavailableError` with a wrong secret."""
        if not self._verified:
            try:
                await self.verify()
            except SecretError as error:
                log.error("secret_refused", reason=str(error))
                raise BusUnavailableError("the secret is not the database's") from error
        return await self._keyring.sealers(subjects)

    async def problem(self) -> str | None:
        """For `/readyz`: why nothing can be sealed, if so."""
        try:
            await self.verify()
        except SecretError as error:
            return str(error)
        return None
