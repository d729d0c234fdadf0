"""What every route of deliveries works with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.adapters.programs import PostgresPrograms
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.bus.interface import Outbox
from shared.clock import Clock
from shared.http.idempotency import IdempotencyKeys
from shared.settings import Settings
from shared.vault.keyring import SubjectKeyring
from shared.vault.pseudonyms import Pseudonyms

MayRead = Annotated[Principal, Depends(require(Scope.REWARDS_READ))]
MayWrite = Annotated[Principal, Depends(require(Scope.REWARDS_WRITE))]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `wiring` has put together. `engine` acts as deliveries' own role; `reading` is the same pool for
    routes that only read, each statement at a moment of its own."""

    settings: Settings
    engine: AsyncEngine
    reading: AsyncEngine
    clock: Clock
    programs: PostgresPrograms
    keyring: SubjectKeyring
    pseudonyms: Pseudonyms
    keys: IdempotencyKeys
    outbox: Outbox
