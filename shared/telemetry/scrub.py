"""Takes out of log lines what must not be in them: tokens, secrets, and values that may be personal."""

import re
from collections.abc import MutableMapping
from typing import Any

_TOKEN = re.compile(r"\b(?:reg_|Bearer\s+)[A-Za-z0-9_\-.~+/=]{8,}")
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]+):[^@\s]+@")
_EMAIL = re.compile(r"[^\s@'\"<>(),:=]+@[^\s@'\"<>(),]+\.[^\s@'\"<>(),]+")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_DIGITS = re.compile(r"\+?\d[\d ().\-/]{5,}\d")
_AFTER_DETAIL = re.compile(r"\n\s*(?:DETAIL|\[parameters|\[SQL|CONTEXT):?.*", re.DOTALL)

SECRET_NAMES = frozenset(
    {"authorization", "token", "secret", "password", "api_key", "cookie", "email", "phone", "name", "address"}
)


def scrub_tokens(text: str) -> str:
    """`text` without credentials: API tokens, bearer headers, passwords in URLs."""
    if "://" in text:
        text = _URL_PASSWORD.sub(r"\1:***@", text)
    return _TOKEN.sub("***", text)


def scrub_message(text: str) -> str:
    """An exception's message without the values in it: quoted text, addresses, long numbers, database details."""
    text = _AFTER_DETAIL.sub("", text)
    text = _EMAIL.sub("***", scrub_tokens(text))
    return _DIGITS.sub("***", _QUOTED.sub("'***'", text))


def scrub_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: blanks what is named like a secret and strips credentials from every text."""
    for name, value in event.items():
        if name in SECRET_NAMES:
            event[name] = "***"
        elif type(value) is str and ("reg_" in value or "Bearer" in value or "://" in value):
            event[name] = scrub_tokens(value)
    return event
