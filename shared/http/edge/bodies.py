"""What no request may carry, whichever route it goes to: characters and numbers that nothing behind can keep."""

from typing import Any

import msgspec

from shared.http.problems import Problem, ProblemError, invalid_request, malformed_json

BODY_LIMIT_BYTES = 2 * 1024 * 1024


def body_too_large(limit_bytes: int = BODY_LIMIT_BYTES) -> Problem:
    """413: the body has more bytes than are taken in one request."""
    return Problem(
        413,
        "body_too_large",
        "Body too large",
        f"A body may have at most {limit_bytes} bytes.",
        headers={"Connection": "close"},
    )


def body_too_slow(seconds: float) -> Problem:
    """408: the body has not come whole in time."""
    return Problem(
        408,
        "body_too_slow",
        "Body too slow",
        f"A body must arrive within {seconds:g} seconds.",
        headers={"Connection": "close"},
    )


def refuse_nul_in_address(path: str, query: bytes) -> None:
    """Raise the problem when the path or the query holds a NUL, which PostgreSQL cannot store or compare."""
    if "\x00" in path:
        raise invalid_request(ProblemError("", "nul_character", "must not contain NUL characters", "path"))
    if b"%00" in query or b"\x00" in query:
        raise invalid_request(ProblemError("", "nul_character", "must not contain NUL characters", "query"))


def refuse_unstorable_json(body: bytes) -> None:
    """Raise the problem when a JSON body holds a NUL, half a surrogate pair, NaN or Infinity.

    Python's JSON reader lets all of them pass. The body is only parsed here if it looks as if it held one.
    """
    if b"\\u" in body and (b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body):
        suspicious = True
    else:
        suspicious = b"NaN" in body or b"Infinity" in body
    if not suspicious:
        return
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed_json() from None
    place = _nul_in(value, "")
    if place is not None:
        raise invalid_request(ProblemError(place, "nul_character", "must not contain NUL characters"))


def pointer_part(part: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "/" + str(part).replace("~", "~0").replace("/", "~1")


def _nul_in(value: Any, place: str) -> str | None:
    """Where the first NUL is, as a JSON pointer."""
    if isinstance(value, str):
        return place if "\x00" in value else None
    if isinstance(value, dict):
        for name, inner in value.items():
            if "\x00" in name:
                return place
            found = _nul_in(inner, place + pointer_part(name))
            if found is not None:
                return found
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found = _nul_in(inner, place + pointer_part(index))
            if found is not None:
                return found
    return None
