"""Types for bodies, paths, queries and headers. What they let pass, the database can keep."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Path
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.http.address import PathText

POINTS_MAX = 1_000_000_000_000
"""The most points in one call: far above any program, far below what a sum of them could overflow."""

_YEAR_MIN, _YEAR_MAX = 1900, 2200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc


def refuse_nul(text: str) -> str:
    """The text, which PostgreSQL can keep: without NUL."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "must not contain NUL characters")
    return text


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return text


def _storable_moment(moment: datetime) -> datetime:
    if not _YEAR_MIN <= moment.year <= _YEAR_MAX:
        raise PydanticCustomError("time_out_of_range", "must be between the years 1900 and 2200")
    return moment.astimezone(UTC)


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
"""A name, a reason, an id: one line of at most 200 characters."""

PointsAmount = Annotated[int, Field(ge=1, le=POINTS_MAX, strict=True)]
"""A positive number of points: a JSON integer, neither "5" nor 5.0 nor true."""

SignedPoints = Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX, strict=True)]
"""Points given or taken: an adjustment."""

Instant = Annotated[AwareDatetime, AfterValidator(_storable_moment)]
"""An RFC 3339 time with its offset, turned into UTC."""

CustomerRef = Annotated[
    PathText,
    Path(min_length=1, max_length=200, description="Our id (`cus_…`) or the shop's own id."),
    AfterValidator(refuse_nul),
]
"""A customer in a path. The shop's ids are what it posted, whatever characters they have."""

CustomerName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(refuse_nul)]
"""A customer in a body: our id or the shop's own."""

QueryText = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(refuse_nul)]
"""Something to look for, in a query."""

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Chosen by the caller, one per intent: a repeat with the same key has no second effect.",
    ),
]
"""A required `Idempotency-Key` header: 1 to 255 visible ASCII characters."""
