"""The key of each subject (a person as their strongest identifier's pseudonym), wrapped, in PostgreSQL.

Destroying the key makes everything sealed under it unreadable, wherever it lies: on the streams, in backups. A mark
stays in its place, so that the subject cannot come back with a new key.
"""

import os
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.vault.seal import Sealer, UnsealError
from shared.vault.secret import KEY_BYTES, Secret, SecretError, derive

_FIND = text("SELECT subject, key FROM platform.subject_keys WHERE subject = ANY(CAST(:subjects AS text[]))")

# In one round trip: those that exist, and those that are made now, unless one of them was erased. One that another
# process makes at this moment is neither seen nor made.
_FIND_OR_CREATE = text(
    "WITH made AS ("
    " INSERT INTO platform.subject_keys (subject, key, created_at)"
    " SELECT s, k, :now FROM unnest(CAST(:subjects AS text[]), CAST(:keys AS bytea[])) AS new (s, k)"
    " WHERE NOT EXISTS (SELECT FROM platform.subject_keys"
    "  WHERE subject = ANY(CAST(:subjects AS text[])) AND destroyed_at IS NOT NULL)"
    " ON CONFLICT (subject) DO NOTHING RETURNING subject, key)"
    " SELECT subject, key FROM made"
    " UNION ALL SELECT subject, key FROM platform.subject_keys WHERE subject = ANY(CAST(:subjects AS text[]))"
)

# Locked in sorted order first; a subject never seen gets the mark as well, so that it cannot appear later.
_LOCK = text(
    "SELECT subject FROM platform.subject_keys WHERE subject = ANY(CAST(:subjects AS text[]))"
    " AND destroyed_at IS NULL ORDER BY subject FOR UPDATE"
)
_DESTROY = text(
    "INSERT INTO platform.subject_keys AS kept (subject, key, created_at, destroyed_at)"
    " SELECT s, NULL, :now, :now FROM unnest(CAST(:subjects AS text[])) AS gone (s)"
    " ON CONFLICT (subject) DO UPDATE SET key = NULL, destroyed_at = EXCLUDED.destroyed_at"
    " WHERE kept.destroyed_at IS NULL"
)


class SubjectErasedError(Exception):
    """These subjects were erased: nothing may be sealed for them any more. `subjects` names them."""

    def __init__(self, subjects: Collection[str]) -> None:
        super().__init__(f"{len(subjects)} erased subject(s)")
        self.subjects = frozenset(subjects)


class SubjectKeys:
    """Makes, finds and destroys the keys of subjects. Raises `SecretError` when the secret is no good."""

    def __init__(self, secret: Secret) -> None:
        self._master = Sealer(derive(secret, "subject-keys"))

    async def get_or_create(
        self, connection: AsyncConnection, subjects: Collection[str], now: datetime | None = None
    ) -> dict[str, bytes]:
        """A key for every subject, made where there is none, in one round trip.

        Raises `SubjectErasedError` when any of them was erased; nothing is made then.
        """
        wanted = sorted(set(subjects))
        fresh = {subject: _new_key() for subject in wanted}
        bound = {
            "subjects": wanted,
            "keys": [self._wrap(subject, key) for subject, key in fresh.items()],
            "now": now or datetime.now(UTC),
        }
        rows = {row.subject: row.key for row in await connection.execute(_FIND_OR_CREATE, bound)}
        _refuse_erased(rows)
        lost = [subject for subject in wanted if subject not in rows]
        if lost:  # another process was first: its keys count
            rows |= await self._rows(connection, lost)
            _refuse_erased(rows)
        return {subject: self._unwrap(subject, wrapped) for subject, wrapped in rows.items() if wrapped}

    async def get(self, connection: AsyncConnection, subjects: Collection[str]) -> dict[str, bytes]:
        """The keys that exist. Subjects unknown or erased are left out: what was sealed for them cannot be read."""
        known = await self._rows(connection, subjects)
        return {subject: self._unwrap(subject, wrapped) for subject, wrapped in known.items() if wrapped}

    async def destroy(
        self, connection: AsyncConnection, subjects: Collection[str], now: datetime | None = None
    ) -> None:
        """Destroy the keys for good, with the caller's transaction. Repeating it changes nothing."""
        bound = {"subjects": sorted(set(subjects))}
        await connection.execute(_LOCK, bound)
        await connection.execute(_DESTROY, {**bound, "now": now or datetime.now(UTC)})

    async def _rows(self, connection: AsyncConnection, subjects: Collection[str]) -> dict[str, bytes | None]:
        if not subjects:
            return {}
        rows = await connection.execute(_FIND, {"subjects": list(subjects)})
        return {row.subject: row.key for row in rows}

    def _wrap(self, subject: str, key: bytes) -> bytes:
        return self._master.seal(key, subject.encode())

    def _unwrap(self, subject: str, wrapped: bytes) -> bytes:
        try:
            return self._master.unseal(wrapped, subject.encode())
        except UnsealError:
            raise SecretError("A subject's key was wrapped under another REGULARS_SECRET.") from None


def _new_key() -> bytes:

    return os.urandom(KEY_BYTES)


def _refuse_erased(rows: dict[str, bytes | None]) -> None:
    erased = [subject for subject, wrapped in rows.items() if wrapped is None]
    if erased:
        raise SubjectErasedError(erased)
