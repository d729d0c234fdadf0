"""What a condition may ask for, and what it turned out to ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from shared.program.vocabulary.fields import ANY_EVENT, UTC, EventFields
from shared.program.vocabulary.types import Type


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may ask: the fields of `event` (None: there is no event), and of which segments the customer
    is in. `segments` are the ids that exist (None: not known, so any); `nested` when the condition itself defines a
    segment, which asks neither for other segments nor for an event. `zone` is where days and hours are counted.
    `without` are fields of the customer that exist but may not be asked for here, as they follow from the answer."""

    event: EventFields | None = ANY_EVENT
    segments: frozenset[str] | None = None
    nested: bool = False
    zone: ZoneInfo = UTC
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Variable:
    """A field that the condition reads: its name in CEL, where it comes from, and its type.

    `tested` when the condition asks whether it is there, so that an absent one is null instead of undefined. With
    `compare` the variable is a flag instead: whether `compare(value, against)`. Such comparisons of a field with a
    written value are made in decimals, so that amounts are exact, and need no CEL, so that they are fast.
    """

    name: str
    root: str
    key: str
    type: Type
    zone: ZoneInfo
    tested: bool = False
    compare: Callable[[Any, Any], bool] | None = None
    against: Any = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A part of the condition as CEL, and its type.

    `certain` is its value where that is known without looking at anybody; `variable` the field that it is, when it is
    nothing more; `flags` the comparisons that it joins by &&, when it is nothing more.
    """

    text: str
    type: Type
    certain: bool | None = None
    variable: Variable | None = None
    flags: tuple[Variable, ...] | None = None
