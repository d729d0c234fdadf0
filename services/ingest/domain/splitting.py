"""Takes an event's data apart: what may travel in plain sight, and what is sealed first.

`shared.contracts.events.whole` is the way back.
"""

from typing import Any

from services.ingest.domain.sanity import is_sane
from services.ingest.domain.shapes import Field, Shape, Treatment

Object = dict[str, Any]

SEALED, SEALED_FREE = Treatment.SEALED, Treatment.SEALED_FREE
PLAIN_FREE, NESTED = Treatment.PLAIN_FREE, Treatment.NESTED


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
    plain_keys = shape.plain_keys
    if value.keys() <= plain_keys:
        return value, {}
    fields = shape.fields
    if value.keys() <= shape.sealed_keys:
        for key in value:
            notes.sealed[fields[key].name] = None
        return {}, value
    plain = value.copy()
    hidden: Object = {}
    for key, item in value.items():
        if key in plain_keys:
            continue
        field = fields.get(key) or _unknown(key, shape, notes, depth)
        treatment = field.treatment
        if field.inner is not None:
            step = _one if treatment is NESTED else _many
            visible, secret = step(item, field.inner, notes, depth + 1)
            if secret:
                hidden[key] = secret
            if visible or not secret:
                plain[key] = visible
            else:
                del plain[key]
            continue
        if treatment is not SEALED:
            notes.sane = notes.sane and is_sane(item, depth + 1)
        if treatment is not PLAIN_FREE:
            hidden[key] = plain.pop(key)
            notes.sealed[field.name] = None
    return plain, hidden


def _unknown(key: str, shape: Shape, notes: Notes, depth: int) -> Field:
    """What to do with a key that the type does not name."""
    notes.sane = notes.sane and is_sane({key: None}, depth)
    field = shape.unknown
    if field.treatment is SEALED_FREE:
        notes.unknown[field.name[:-1] + key] = None
    return field


def _one(value: Object | None, shape: Shape, notes: Notes, depth: int) -> tuple[Any, Object]:
    if value is None:
        return None, {}
    return split(value, shape, notes, depth)


def _many(values: list[Object] | None, shape: Shape, notes: Notes, depth: int) -> tuple[Any, list[Object]]:
    if values is None:
        return None, []
    plain_keys = shape.plain_keys
    for value in values:
        if not value.keys() <= plain_keys:
            break
    else:
        return values, []
    pairs = [split(value, shape, notes, depth + 1) for value in values]
    hidden = [secret for _, secret in pairs]
    return [plain for plain, _ in pairs], hidden if any(hidden) else []
