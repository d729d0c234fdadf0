"""The links in messages: signed, so that nobody can make one up, and free of personal data.

A token names the message that it stands in, and, for a link that is followed, where it leads: the destination is part
of what is signed, so that our address cannot be abused to lead anywhere else (no open redirect). It never ends:
unsubscribing must work from the oldest mail.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import msgspec

SIGNATURE_BYTES: Final = 16
"""Of HMAC-SHA-256 (RFC 2104 allows cutting it to half its length)."""
TOKEN_MAX: Final = 4_096
DESTINATION_MAX: Final = 2_000
"""Bytes of an address that is signed, as the token has them; a longer one is left as it is."""


class Use(StrEnum):
    """What a link is for, and how its path begins."""

    OPEN = "o"
    CLICK = "c"
    UNSUBSCRIBE = "u"
    PREFERENCES = "p"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was read back: of which message, and where to."""

    message: str
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links. `base` is the public address of the API without a slash at its end; `key` signs."""

    base: str
    key: bytes

    def make(self, use: Use, message: str, destination: str = "") -> str:
        """The whole address."""
        return f"{self.base}/{use}/{self.token(use, message, destination)}"

    def token(self, use: Use, message: str, destination: str = "") -> str:
        """The signed part of the address."""
        said = msgspec.json.encode([message, destination] if destination else [message])
        return f"{_text(said)}.{_text(self._signature(use, said))}"

    def read(self, use: Use, token: str) -> Link | None:
        """What the token says; None if it was not made by us for this use."""
        said, _, signature = token.partition(".")
        try:
            content, given = _bytes(said), _bytes(signature)
        except ValueError:
            return None
        if len(token) > TOKEN_MAX or not hmac.compare_digest(given, self._signature(use, content)):
            return None
        return Link(*msgspec.json.decode(content, type=list[str]))

    def own(self, address: str) -> bool:
        """Whether the address is one of ours."""
        return address.startswith(f"{self.base}/")

    def _signature(self, use: Use, said: bytes) -> bytes:
        return hmac.digest(self.key, use.encode() + b"\0" + said, sha256)[:SIGNATURE_BYTES]


def can_be_followed(address: str) -> bool:
    """Whether a link to this address is one that may be counted: a whole web address of ordinary length."""
    if not address.isprintable() or " " in address or len(msgspec.json.encode(address)) - 2 > DESTINATION_MAX:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Raises `ValueError`."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, Base64Error) as error:
        raise ValueError("not base64") from error
