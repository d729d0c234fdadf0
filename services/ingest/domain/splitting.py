"""Takes an event's data apart: what may travel in plain sight, and what is sealed first.

`shared.contracts.events.whole` is the way back.
"""

from typing import Any

from services.ingest.domain.sanity import is_sane
from services.ingest.domain.shapes import Shape, Treatment

Object = dict[str, Any]

PLAIN, SEALED = Treatment.PLAIN, Treatment.SEALED
PLAIN_FREE, SEALED_FREE = Treatment.PLAIN_FREE, Treatment.SEALED_FREE
NESTED = Treatment.NESTED


class Notes:
    """What is noticed while data is taken apart."""

    __slots__ = ("sane", "sealed", "unknown")

    def __init__(self) -> None:
        self.sane = True
        """False when a part of the sender's own shape cannot be taken (see `sanity`)."""
        self.sealed: dict[str, None] = {}
        """Names of the sealed fields, in the order met."""
        self.unknown: dict[str, None] = {}
        """Names of keys that the catalogue does not know."""


def split(value: Object, shape: Shape, notes: Notes, depth: int) -> tuple[Object, Object]:
    """What of `value` travels plain, and what is sealed; each empty when there is nothing of its kind.

    `value` has been checked against the type behind `shape`, and stands at `depth` within the event.
    """
    if value.keys() <= shape.plain_keys:
        return value, {}
    plain: Object = {}
    hidden: Object = {}
    fields = shape.fields
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            field = shape.unknown
            notes.sane = notes.sane and is_sane({key: item}, depth)
            if field.treatment is SEALED_FREE:
                notes.unknown[field.name[:-1] + key] = None
        treatment = field.treatment
        if treatment is PLAIN:
            plain[key] = item
        elif treatment is SEALED:
            hidden[key] = item
            notes.sealed[field.name] = None
        elif treatment is SEALED_FREE:
            hidden[key] = item
            notes.sealed[field.name] = None
            notes.sane = notes.sane and is_sane(item, depth + 1)
        elif treatment is PLAIN_FREE:
            plain[key] = item
            notes.sane = notes.sane and is_sane(item, depth + 1)
        else:
            assert field.inner is not None
            step = _one if treatment is NESTED else _many
            visible, secret = step(item, field.inner, notes, depth + 1)
            if visible or not secret:
                plain[key] = visible
            if secret:
                hidden[key] = secret
    return plain, hidden


def _one(value: Object | None, shape: Shape, notes: Notes, depth: int) -> tuple[Any, Object]:
    if value is None:
        return None, {}
    return split(value, shape, notes, depth)


def _many(values: list[Object] | None, shape: Shape, notes: Notes, depth: int) -> tuple[Any, list[Object]]:
    if values is None:
        return None, []
    plain_keys = shape.plain_keys
    if all(value.keys() <= plain_keys for value in values):
        return values, []
    pairs = [split(value, shape, notes, depth + 1) for value in values]
    return [plain for plain, _ in pairs], [hidden for _, hidden in pairs]
