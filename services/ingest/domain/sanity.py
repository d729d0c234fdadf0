"""Whether JSON of any shape can be stored and read by everybody: no NUL, no huge integers, not too deep.

The typed parts of an event are bounded by their types; this is for the parts that the shop shapes itself.
"""

from typing import Any

from services.ingest.domain.faults import Fault, pointer_to
from services.ingest.domain.limits import DEPTH_MAX, INTEGER_MAX, INTEGER_MIN, KEY_LENGTH_MAX


def is_sane(value: Any, depth: int) -> bool:
    """Whether nothing is wrong with `value`, which stands at `depth` (an event stands at 1)."""
    kind: object = type(value)
    if kind is str:
        return "\0" not in value
    if kind is dict:
        return depth <= DEPTH_MAX and all(
            len(key) <= KEY_LENGTH_MAX and "\0" not in key and is_sane(item, depth + 1)
            for key, item in value.items()
        )
    if kind is list:
        return depth <= DEPTH_MAX and all(is_sane(item, depth + 1) for item in value)
    if kind is int:
        return bool(INTEGER_MIN <= value <= INTEGER_MAX)
    return True


def find_insanity(value: Any, depth: int = 1, pointer: str = "") -> Fault | None:
    """The first thing wrong with `value`, with its place."""
    if isinstance(value, str):
        return (
            Fault(pointer, "nul_character", "text must not contain NUL (U+0000)") if "\0" in value else None
        )
    if isinstance(value, dict | list):
        if depth > DEPTH_MAX:
            return Fault(pointer, "too_deep", f"objects and lists nest at most {DEPTH_MAX} deep")
        return _find_inside(value, depth, pointer)
    if isinstance(value, int) and not INTEGER_MIN <= value <= INTEGER_MAX:
        detail = "integers have at most 64 bits (signed); send a longer number as a string"
        return Fault(pointer, "number_out_of_range", detail)
    return None


def _find_inside(value: dict[str, Any] | list[Any], depth: int, pointer: str) -> Fault | None:
    if isinstance(value, list):
        items: list[tuple[str | int, Any]] = list(enumerate(value))
    else:
        items = list(value.items())
    for step, item in items:
        if isinstance(step, str) and (len(step) > KEY_LENGTH_MAX or "\0" in step):
            detail = f"keys have at most {KEY_LENGTH_MAX} characters and no NUL"
            return Fault(pointer, "bad_key", detail)
        fault = find_insanity(item, depth + 1, pointer_to(pointer, step))
        if fault is not None:
            return fault
    return None
