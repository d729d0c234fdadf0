"""Seals bytes under the key of a subject (AES-256-GCM): who has the key can read, and nobody can alter."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16


class UnsealError(Exception):
    """The bytes were not sealed with this key and this associated data, or were altered since."""


class Sealer:
    """Seals and unseals with one key. Making one costs microseconds: keep it (see `SubjectKeyring`).

    Random nonces of 96 bits are safe for 2^32 messages a key: far more than one person causes.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Nonce, ciphertext and tag. `associated` (the event's key) binds them to their place."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, associated)

    def unseal(self, sealed: bytes, associated: bytes) -> bytes:
        """What was sealed. Raises `UnsealError`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise UnsealError("too short to be sealed")
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
        except InvalidTag:
            raise UnsealError("sealed under another key or for another place, or altered") from None
