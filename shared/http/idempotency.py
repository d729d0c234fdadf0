"""Idempotency keys: the same write twice has one effect, and answers the same twice.

The key's row is written in the transaction of the effect itself. So a crash leaves neither, and there is no state
"begun, outcome unknown" to clean up.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import Column, Index, LargeBinary, MetaData, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.faults import is_transient
from shared.clock import Clock
from shared.http.problems import Problem
from shared.vault.secret import Secret, derive
from shared.waiting import rest

BODY_HASH_BYTES = 32
KEPT_FOR = timedelta(hours=48)
PRUNE_BATCH = 5_000
PRUNE_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered the first time, to the byte."""

    status: int
    body: bytes


def idempotency_table(metadata: MetaData) -> Table:
    """The table `idempotency_keys`, to be part of a service's metadata and made by its migration."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("scope", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("body_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        Index("idempotency_keys_created_at", "created_at"),
    )


class IdempotencyKeys:
    """The idempotency keys of one service. `scope` is who asks and what for: the API key's id, method and path.

    Bodies may name people, so of them a hash is kept that nobody can compare with guesses who has not the `secret`.
    Raises `SecretError` when that is no good.
    """

    def __init__(self, schema: str, secret: Secret) -> None:
        self._schema = schema
        self._keyed = blake2b(key=derive(secret, "idempotency"), digest_size=BODY_HASH_BYTES)
        self._begin = text(
            f"SELECT pg_try_advisory_xact_lock(:lock) AS locked, k.body_hash, k.status, k.body"  # noqa: S608
            f" FROM (SELECT 1) one LEFT JOIN {schema}.idempotency_keys k ON k.scope = :scope AND k.key = :key"
        )
        self._finish = text(
            f"INSERT INTO {schema}.idempotency_keys (scope, key, body_hash, status, body, created_at)"  # noqa: S608
            " VALUES (:scope, :key, :body_hash, :status, :body, :now) ON CONFLICT DO NOTHING RETURNING 1"
        )
        self._prune = text(
            f"DELETE FROM {schema}.idempotency_keys WHERE (scope, key) IN (SELECT scope, key"  # noqa: S608
            f" FROM {schema}.idempotency_keys WHERE created_at < :before ORDER BY created_at LIMIT :batch) RETURNING 1"
        )

    def hash_body(self, body: bytes) -> bytes:
        """What tells one body from another under the same key."""
        state = self._keyed.copy()
        state.update(body)
        return state.digest()

    async def begin(
        self, connection: AsyncConnection, key: str, scope: str, body_hash: bytes
    ) -> StoredAnswer | None:
        """The stored answer, if this was done before; None if the caller shall do it now and then call `finish`.

        Call it first in the transaction of the effect. Raises the 422 problem when the key came with another body,
        the 409 problem when another transaction is doing it at this moment.
        """
        bound = {"lock": self._lock_number(key, scope), "scope": scope, "key": key}
        row = (await connection.execute(self._begin, bound)).one()
        if row.body_hash is not None:
            if row.body_hash != body_hash:
                raise _reused()
            return StoredAnswer(row.status, row.body)
        if not row.locked:
            raise _in_flight()
        return None

    async def finish(
        self,
        connection: AsyncConnection,
        key: str,
        scope: str,
        body_hash: bytes,
        *,
        status: int,
        body: bytes,
        now: datetime,
    ) -> None:
        """Store the answer, to be committed together with the effect.

        Raises the 409 problem when another transaction committed the same key since `begin` looked; raised inside
        the transaction, it undoes this one's effect.
        """
        bound = {
            "scope": scope,
            "key": key,
            "body_hash": body_hash,
            "status": status,
            "body": body,
            "now": now,
        }
        if (await connection.execute(self._finish, bound)).first() is None:
            raise _in_flight()

    async def prune(self, connection: AsyncConnection, now: datetime) -> int:
        """Delete a batch of keys older than `KEPT_FOR`; how many went. Call again while it is `PRUNE_BATCH`."""
        gone = await connection.execute(self._prune, {"before": now - KEPT_FOR, "batch": PRUNE_BATCH})
        return len(gone.all())

    async def prune_until(self, stop: asyncio.Event, engine: AsyncEngine, clock: Clock) -> None:
        """A loop of a worker: delete old keys every `PRUNE_EVERY_S`, until `stop`. It waits out what is transient."""
        while not stop.is_set():
            try:
                gone = PRUNE_BATCH
                while gone == PRUNE_BATCH and not stop.is_set():
                    async with engine.begin() as connection:
                        gone = await self.prune(connection, clock())
            except Exception as error:
                if not is_transient(error):
                    raise
            await rest(stop, PRUNE_EVERY_S)

    def _lock_number(self, key: str, scope: str) -> int:
        digest = blake2b(
            f"{self._schema}\0{scope}\0{key}".encode(), digest_size=8, person=b"idempotency"
        ).digest()
        return int.from_bytes(digest, "big", signed=True)


def _reused() -> Problem:
    return Problem(
        422,
        "idempotency_key_reused",
        "Idempotency key reused",
        "This Idempotency-Key came before with another body. Use a new key for a new intent.",
    )


def _in_flight() -> Problem:
    return Problem(
        409,
        "idempotency_key_in_flight",
        "Request in flight",
        "A request with this Idempotency-Key is being handled. Ask again to get its answer.",
        headers={"Retry-After": "1"},
    )
