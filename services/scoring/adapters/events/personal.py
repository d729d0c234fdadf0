"""Personal data of events, unsealed for those who may see it."""

import asyncio
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.domain.event import Event
from shared.vault.keyring import SubjectKeyring
from shared.vault.seal import UnsealError
from shared.vault.secret import Secret, SecretError, check_secret


class PersonalData:
    """Opens what is sealed. Raises `SecretError` when the secret is missing or too short."""

    def __init__(self, engine: AsyncEngine, secret: Secret) -> None:
        self._engine = engine
        self._secret = secret
        self._keyring = SubjectKeyring(engine, secret)
        self._verified = False
        self._verifying = asyncio.Lock()

    async def problem(self) -> str | None:
        """For `/readyz`: the secret is not the one that the database was set up with."""
        async with self._verifying:
            if not self._verified:
                try:
                    async with self._engine.begin() as connection:
                        await check_secret(connection, self._secret)
                except SecretError as error:
                    return str(error)
                self._verified = True
        return None

    async def need(self) -> None:
        """Raises `SecretError` when the secret is not the one that the database was set up with."""
        problem = await self.problem()
        if problem is not None:
            raise SecretError(problem)

    async def of(self, connection: AsyncConnection, events: Sequence[Event]) -> dict[str, dict[str, Any]]:
        """By event key the sealed part of the data. Events whose subject was erased are left out."""
        sealed = [event for event in events if event.record.sealed is not None]
        unsealers = await self._keyring.unsealers(connection, {event.record.subject for event in sealed})
        opened = {}
        for event in sealed:
            unsealer = unsealers.get(event.record.subject)
            if unsealer is None or event.record.sealed is None:
                continue
            try:
                plain = unsealer.unseal(b64decode(event.record.sealed), bytes.fromhex(event.key))
            except (
                UnsealError,
                ValueError,
            ):  # destroyed and altered look the same: it cannot be read any more
                continue
            opened[event.key] = msgspec.json.decode(plain, type=dict[str, Any])
        return opened
