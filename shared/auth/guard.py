"""Lets a request in: finds the key behind its `Authorization` header and checks the scope."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from shared.auth.keys import TOKEN_MAX_CHARACTERS, hash_token, known_scopes
from shared.auth.scopes import Scope
from shared.clock import Clock
from shared.http.moments import refuse_unheeded_at
from shared.http.problems import Problem
from shared.postgres.direct import autocommit
from shared.postgres.faults import is_database_away
from shared.telemetry.context import bind_key_id

TRUSTED = timedelta(seconds=30)
"""How long a key found good is believed: a revocation is in force everywhere after that."""

REFUSED = timedelta(seconds=5)
"""How long a token found unknown is refused unseen."""

GRACE = timedelta(minutes=10)
"""How much longer a known key is believed while the database is away: events go on to Kafka without it."""

CACHE_MAX = 10_000
LOOKUPS_MAX = 4
LOOKUP_TIMEOUT_S = 3.0

_REALM = 'Bearer realm="regulars"'

# One round trip: the key, and the note that it was used.
_LOOK_UP = text(
    "UPDATE platform.api_keys SET last_used_at = greatest(last_used_at, :now) WHERE hash = :hash"
    " RETURNING id, scopes, expires_at, revoked_at"
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a key by its id, and what it may do."""

    key_id: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether the key has this scope; for answers that show more to some (`Scope.PERSONAL_READ`)."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal | None
    until: datetime
    expires_at: datetime | None


class Guard:
    """Checks keys against `platform.api_keys`, remembering what it found (bounded, for a short time)."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = autocommit(engine)
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._lookups: dict[bytes, asyncio.Task[_Known]] = {}
        self._slots = asyncio.Semaphore(LOOKUPS_MAX)

    async def admit(self, request: Request, scope: Scope) -> Principal:
        """The principal of a request; raises as `check`, and 422 for an `at` that its route does not heed."""
        principal = await self.check(request.headers.get("authorization"), scope)
        refuse_unheeded_at(request)
        return principal

    async def check(self, authorization: str | None, scope: Scope) -> Principal:
        """The principal behind an `Authorization` header, if it has `scope`.

        Raises the 401 problem for a key that is missing, unknown, expired or revoked, 403 for one without the scope,
        503 when the database is needed and away.
        """
        if authorization is None:
            raise _unauthenticated("Send an API key: Authorization: Bearer …", _REALM)
        token = authorization[7:].strip()
        if authorization[:7].lower() != "bearer " or not token or len(token) > TOKEN_MAX_CHARACTERS:
            raise _unauthenticated("The Authorization header must be: Bearer, a space, the key.", _REALM)
        # Looked up by hash: how long it takes says nothing of how much of a token is right.
        digest = hash_token(token)
        known = self._known.get(digest)
        if known is None or self._clock() >= known.until:
            known = await self._look_up_once(digest, known)
        principal = known.principal
        if principal is None or (known.expires_at is not None and self._clock() >= known.expires_at):
            raise _unauthenticated("The API key is not valid.", _REALM + ', error="invalid_token"')
        bind_key_id(principal.key_id)
        if scope not in principal.scopes:
            raise _lacks(scope)
        return principal

    async def _look_up_once(self, digest: bytes, before: _Known | None) -> _Known:
        """Ask the database, together with whoever else asks about this key now."""
        task = self._lookups.get(digest)
        if task is None:
            task = asyncio.create_task(self._look_up(digest, before))
            self._lookups[digest] = task
            task.add_done_callback(lambda done: self._forget_lookup(digest, done))
        return await asyncio.shield(task)

    def _forget_lookup(self, digest: bytes, task: "asyncio.Task[_Known]") -> None:
        self._lookups.pop(digest, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be left

    async def _look_up(self, digest: bytes, before: _Known | None) -> _Known:
        now = self._clock()
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S), self._slots, self._engine.connect() as connection:
                row = (await connection.execute(_LOOK_UP, {"hash": digest, "now": now})).one_or_none()
        except Exception as error:
            if before is None or before.principal is None or now >= before.until + GRACE:
                raise
            if not is_database_away(error):
                raise
            return before
        if row is None or row.revoked_at is not None:
            return self._remember(digest, _Known(None, now + REFUSED, None))
        principal = Principal(row.id, known_scopes(row.scopes))
        return self._remember(digest, _Known(principal, now + TRUSTED, row.expires_at))

    def _remember(self, digest: bytes, known: _Known) -> _Known:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > CACHE_MAX:
            self._known.popitem(last=False)
        return known


class Requirement(SecurityBase):
    """A FastAPI dependency that lets in keys with one scope, and shows the bearer scheme in OpenAPI."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.scheme_name = "bearer"
        self.model = HTTPBearerModel(description="An API key with the scope that the call needs.")

    async def __call__(self, request: Request) -> Principal:
        """The principal of this request; raises as `Guard.admit`."""
        guard: Guard = request.app.state.guard
        return await guard.admit(request, self.scope)


def require(scope: Scope) -> Requirement:
    """For a route: `principal: Annotated[Principal, Depends(require(Scope.REWARDS_READ))]`. Needs `app.state.guard`."""
    return Requirement(scope)


def _unauthenticated(detail: str, challenge: str) -> Problem:
    return Problem(
        401, "unauthenticated", "Not authenticated", detail, headers={"WWW-Authenticate": challenge}
    )


def _lacks(scope: Scope) -> Problem:
    challenge = f'{_REALM}, error="insufficient_scope", scope="{scope.value}"'
    return Problem(
        403,
        "insufficient_scope",
        "Scope missing",
        f"The API key needs the scope {scope.value}.",
        headers={"WWW-Authenticate": challenge},
    )
