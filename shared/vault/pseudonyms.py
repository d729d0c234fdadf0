"""Pseudonyms: the same identifier always gives the same one, and only who holds the secret can tell which."""

import unicodedata
from hashlib import blake2b

from shared.vault.phones import e164
from shared.vault.secret import Secret, derive

PSEUDONYM_BYTES = 16


class Pseudonyms:
    """Keyed hashes (BLAKE2b, 128 bits) of identifiers. `region` is where telephone numbers without a country code are.

    Raises `SecretError` when the secret is no good.
    """

    def __init__(self, secret: Secret, region: str | None = None) -> None:
        self._region = region
        # The keyed state is copied for each value: the key block is hashed once, not every time.
        self._keyed = blake2b(key=derive(secret, "pseudonyms"), digest_size=PSEUDONYM_BYTES)

    def of(self, kind: str, value: str) -> str:
        """The pseudonym, 32 hexadecimal characters, of an identifier of this kind (`id`, `email`, `phone`, …)."""
        state = self._keyed.copy()
        state.update(f"{kind}\0{normalise(kind, value, self._region)}".encode())
        return state.hexdigest()


def normalise(kind: str, value: str, region: str | None = None) -> str:
    """The form in which two spellings of one identifier are the same.

    E-mail addresses: trimmed, NFC, lower case. Telephone numbers: E.164, those without a country code as in `region`.
    Anything else is exact.
    """
    if kind == "email":
        return unicodedata.normalize("NFC", value.strip()).lower()
    if kind == "phone":
        return e164(value, region)
    return value
