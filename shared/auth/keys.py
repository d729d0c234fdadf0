"""API keys: made, listed, revoked. The token is shown once; only its SHA-256 is kept.

A token has 256 bits of randomness, so a plain hash is safe: there is nothing to guess. Making and revoking needs the
role that owns schema `platform`; services can only look keys up.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.auth.scopes import ALL_SCOPES, Scope

TOKEN_PREFIX = "reg_"  # noqa: S105  # a prefix by which scanners recognise a leaked token
TOKEN_MIN_CHARACTERS = 16
TOKEN_MAX_CHARACTERS = 256
NAME_MAX_CHARACTERS = 200

_COLUMNS = "id, name, scopes, created_at, expires_at, revoked_at, last_used_at"
_BY_HASH = text(f"SELECT {_COLUMNS} FROM platform.api_keys WHERE hash = :hash")  # noqa: S608  # our own columns

# Names that this version does not know stay: they are of a newer one, which may come back.
_WIDEN = text(f"""
    UPDATE platform.api_keys
    SET scopes = ARRAY(SELECT DISTINCT unnest(scopes || CAST(:scopes AS text[])) ORDER BY 1)
    WHERE hash = :hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
        AND NOT scopes @> CAST(:scopes AS text[])
    RETURNING {_COLUMNS}
    """)  # noqa: S608


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as operators see it: without its token."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key's id, and its token for the only time."""

    id: str
    token: str


def hash_token(token: str) -> bytes:
    """What is stored and looked up instead of the token."""
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


async def create_key(
    connection: AsyncConnection,
    *,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    expires_at: datetime | None = None,
) -> CreatedKey:
    """Make a key. Raises `ValueError` for a name or scopes that are empty."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return CreatedKey(
        await _insert(connection, token, name=name, scopes=scopes, now=now, expires_at=expires_at), token
    )


async def list_keys(connection: AsyncConnection) -> list[ApiKey]:
    """All keys, oldest first."""
    rows = await connection.execute(text(f"SELECT {_COLUMNS} FROM platform.api_keys ORDER BY created_at, id"))  # noqa: S608
    return [_key(row) for row in rows]


async def revoke_key(connection: AsyncConnection, key_id: str, now: datetime) -> bool:
    """Revoke a key; False if there is none with this id. Guards notice within `guard.TRUSTED`."""
    found = await connection.scalar(
        text(
            "UPDATE platform.api_keys SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id RETURNING 1"
        ),
        {"id": key_id, "now": now},
    )
    return found is not None


async def ensure_key(connection: AsyncConnection, token: SecretStr | str, now: datetime) -> ApiKey:
    """Make sure that this token is a key with all scopes (REGULARS_API_KEY), and return the key.

    A key that is there already gains the scopes that it lacks: those that newer versions have added. One that was
    revoked or has expired stays as it is; the caller sees so in what is returned. Raises `ValueError` for a token
    that is too short or not visible ASCII.
    """
    plain = token.get_secret_value() if isinstance(token, SecretStr) else token
    if not TOKEN_MIN_CHARACTERS <= len(plain) <= TOKEN_MAX_CHARACTERS or not all(
        "!" <= c <= "~" for c in plain
    ):
        raise ValueError(
            f"REGULARS_API_KEY needs {TOKEN_MIN_CHARACTERS} to {TOKEN_MAX_CHARACTERS} visible ASCII characters."
        )
    found = {"hash": hash_token(plain)}
    updated = await connection.execute(_WIDEN, {**found, "scopes": _names(ALL_SCOPES), "now": now})
    row = updated.one_or_none() or (await connection.execute(_BY_HASH, found)).one_or_none()
    if row is None:
        name = "REGULARS_API_KEY"
        await _insert(connection, plain, name=name, scopes=ALL_SCOPES, now=now, expires_at=None)
        row = (await connection.execute(_BY_HASH, found)).one()
    return _key(row)


async def any_key(connection: AsyncConnection) -> bool:
    """Whether any key exists, so that the first start can make one and print it."""
    return bool(await connection.scalar(text("SELECT EXISTS (SELECT 1 FROM platform.api_keys)")))


async def _insert(
    connection: AsyncConnection,
    token: str,
    *,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    expires_at: datetime | None,
) -> str:
    if not scopes:
        raise ValueError("A key needs at least one scope.")
    if not 1 <= len(name) <= NAME_MAX_CHARACTERS:
        raise ValueError(f"A key needs a name of at most {NAME_MAX_CHARACTERS} characters.")
    found = await connection.scalar(
        text(
            "INSERT INTO platform.api_keys (hash, id, name, scopes, created_at, expires_at)"
            " VALUES (:hash, :id, :name, CAST(:scopes AS text[]), :now, :expires_at)"
            " ON CONFLICT (hash) DO UPDATE SET hash = EXCLUDED.hash RETURNING id"
        ),
        {
            "hash": hash_token(token),
            "id": "key_" + secrets.token_hex(8),
            "name": name,
            "scopes": _names(scopes),
            "now": now,
            "expires_at": expires_at,
        },
    )
    return str(found)


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=known_scopes(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _names(scopes: Collection[Scope]) -> list[str]:
    return sorted(scope.value for scope in scopes)


def known_scopes(names: Collection[str]) -> frozenset[Scope]:
    """The scopes by their names; a name from a newer version gives no right here."""
    return frozenset(scope for scope in Scope if scope.value in names)
