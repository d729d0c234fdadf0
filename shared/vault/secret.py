"""The one secret of an installation, and the keys that are derived from it.

Everything derives by HKDF-SHA256 with a purpose of its own, so that no key can stand in for another and none leads
back to the secret.
"""

import asyncio
import hmac
import unicodedata

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres.faults import is_database_away
from shared.waiting import rest

SECRET_MIN_CHARACTERS = 32
KEY_BYTES = 32
ASK_AGAIN_S = 1.0

Secret = SecretStr | str | None
"""As it comes from the settings."""


class SecretError(Exception):
    """The secret is missing, too short, or not the one that this database was set up with. The message is for the
    operator; the process must not start."""


def derive(secret: Secret, purpose: str) -> bytes:
    """A 256-bit key for one purpose. Raises `SecretError` when there is no secret or it is too short."""
    plain = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if not plain:
        raise SecretError(
            "REGULARS_SECRET is not set. It seals personal data; choose at least 32 random characters"
            " (for example: openssl rand -hex 32) and keep them as safe as the database."
        )
    if len(plain) < SECRET_MIN_CHARACTERS:
        raise SecretError(
            f"REGULARS_SECRET has {len(plain)} characters; it needs {SECRET_MIN_CHARACTERS} or more."
        )
    material = unicodedata.normalize("NFC", plain).encode()
    return HKDF(
        algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"regulars/{purpose}/v1".encode()
    ).derive(material)


async def check_secret(connection: AsyncConnection, secret: Secret) -> None:
    """Make sure that this is the secret that the database was set up with; the first call sets it.

    Raises `SecretError` otherwise. Call it once at start, in a transaction, before anything is sealed or hashed.
    """
    value = derive(secret, "check")
    await connection.execute(
        text("INSERT INTO platform.secret_check (id, value) VALUES (1, :value) ON CONFLICT DO NOTHING"),
        {"value": value},
    )
    stored = await connection.scalar(text("SELECT value FROM platform.secret_check WHERE id = 1"))
    if stored is None or not hmac.compare_digest(stored, value):
        raise SecretError(
            "REGULARS_SECRET is not the secret that this database was set up with. Customers would not be recognised"
            " and sealed data could not be read. Start with the secret of the first start."
        )


async def secret_checked(engine: AsyncEngine, secret: Secret, stop: asyncio.Event) -> bool:
    """Wait for a database that is away until it says that this is its secret; False when `stop` came first. For whoever
    would take what it cannot unseal for gone. Raises `SecretError`."""
    while not stop.is_set():
        try:
            async with engine.begin() as connection:
                await check_secret(connection, secret)
            return True
        except Exception as error:
            if not is_database_away(error):
                raise
        await rest(stop, ASK_AGAIN_S)
    return False
