"""Slashes inside a part of a path: `/v1/customers/a%2Fb` names the customer `a/b`, not a route below `a`.

Servers decode a path before the router sees it, and then the two look the same. So a slash that came encoded travels
to the route as half a surrogate pair, which no decoded path can hold otherwise.
"""

import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import BeforeValidator
from starlette.types import Scope

_STAND_IN = "\udc2f"
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


def keep_slashes(scope: Scope) -> None:
    """Put the stand-in into the request's path for every slash that came encoded."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None or (b"%2F" not in raw and b"%2f" not in raw):
        return
    parts = _ENCODED_SLASH.split(raw.decode("latin-1"))
    scope["path"] = _STAND_IN.join(unquote(part) for part in parts)


def as_sent(part: str) -> str:
    """A part of the path as the caller meant it."""
    return part.replace(_STAND_IN, "/")


PathText = Annotated[str, BeforeValidator(as_sent)]
"""A text in a path."""
