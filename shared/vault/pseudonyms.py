"""Pseudonyms: the same identifier always gives the same one, and only who holds the secret can tell which."""

import re
import unicodedata
from hashlib import blake2b

from shared.vault.secret import Secret, derive

PSEUDONYM_BYTES = 16

_NOT_DIGITS = re.compile(r"[^0-9]")


class Pseudonyms:
    """Keyed hashes (BLAKE2b, 128 bits) of identifiers. Raises `SecretError` when the secret is no good."""

    def __init__(self, secret: Secret) -> None:
        # The keyed state is copied for each value: the key block is hashed once, not every time.
        self._keyed = blake2b(key=derive(secret, "pseudonyms"), digest_size=PSEUDONYM_BYTES)

    def of(self, kind: str, value: str) -> str:
        """The pseudonym, 32 hexadecimal characters, of an identifier of this kind (`id`, `email`, `phone`, …)."""
        state = self._keyed.copy()
        state.update(f"{kind}\0{normalise(kind, value)}".encode())
        return state.hexdigest()


def normalise(kind: str, value: str) -> str:
    """The form in which two spellings of one identifier are the same.

    E-mail addresses: trimmed, NFC, lower case. Telephone numbers: digits, with a leading + where there was one or
    where the number starts with 00. Anything else is exact.
    """
    if kind == "email":
        return unicodedata.normalize("NFC", value.strip()).lower()
    if kind == "phone":
        trimmed = value.strip()
        digits = _NOT_DIGITS.sub("", trimmed)
        if trimmed.startswith("+"):
            return "+" + digits
        return "+" + digits[2:] if digits.startswith("00") else digits
    return value
