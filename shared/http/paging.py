"""Lists in pages: an opaque cursor that names where the next page starts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from shared.http.problems import ProblemError, invalid_request

PAGE_DEFAULT = 50
PAGE_MAX = 200
CURSOR_MAX_CHARACTERS = 1000

Item = TypeVar("Item")
Position = TypeVar("Position")

PageLimit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many items at most.")]
"""A route's `limit` parameter; give it `= PAGE_DEFAULT`."""

PageCursor = Annotated[
    str | None, Query(max_length=CURSOR_MAX_CHARACTERS, description="`next` of the page before.")
]
"""A route's `cursor` parameter; give it `= None`."""


class Page(BaseModel, Generic[Item]):
    """A part of a list, and the cursor of the part after it."""

    items: list[Item]
    next: str | None = Field(None, description="Cursor of the next page; null on the last one.")


def encode_cursor(position: Any) -> str:
    """An opaque cursor for `position`: anything msgspec can write (a tuple of times, numbers and texts, usually)."""
    return urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str, shape: type[Position]) -> Position:
    """The position behind a cursor. Raises the 422 problem when it is not one that we gave."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        position = msgspec.json.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise _not_ours() from None
    if b"\\u0000" in raw or _has_no_zone(position):
        raise _not_ours()
    return position


def _has_no_zone(position: Any) -> bool:
    """Whether a time of it has no offset, as none of ours is: it cannot be compared with those that have one."""
    parts = position if isinstance(position, tuple) else (position,)
    return any(isinstance(part, datetime) and part.tzinfo is None for part in parts)


def _not_ours() -> Exception:
    error = ProblemError("", "invalid_cursor", "is not a cursor of this list", parameter="cursor")
    return invalid_request(error, detail="The cursor is not one that this list gave.")
