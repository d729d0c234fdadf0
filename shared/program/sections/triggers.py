"""What rules have in common: the event that triggers them, the condition that holds them back, how often they fire."""

import re
from collections.abc import Sequence

from shared.contracts.catalogue import CATALOGUE, CUSTOM_PREFIX
from shared.program.conditions.condition import Condition, Scope
from shared.program.document.fields import Fields, Reading
from shared.program.document.tree import Scalar
from shared.program.faults import suggestion
from shared.program.model.limit import Limit
from shared.program.values.period import Period
from shared.program.vocabulary.fields import EVENT_TYPES, OWN_EVENTS, REWARDS_EVENTS, event_fields
from shared.program.vocabulary.occasions import MISSING, SHORT, WATCHED, awaited, counts_silence
from shared.program.vocabulary.types import Kind

_CUSTOM = re.compile(r"x\.[a-z0-9_]+(?:[.\-][a-z0-9_]+)*\Z", re.ASCII)
_PERIOD = re.compile(r"P[T0-9]")
TIMES_MAX = 1_000_000


def read_event_type(fields: Fields, key: str = "on") -> str | None:
    """The event type under `key`: of the catalogue, of the shop's own (`x.…`), or one that scoring causes."""
    name = fields.text(key)
    if name is None:
        return None
    silent = name in OWN_EVENTS and counts_silence(name)
    if _is_event_type(name) and not silent:
        return name
    if silent or name in REWARDS_EVENTS:
        fields.fault(key, f"Only campaigns begin on {name}.", "Write it under campaigns.")
    else:
        fields.fault(key, f"There is no event type {name}.", _hint(name))
    return None


def check_event_type(reading: Reading, node: Scalar, path: str) -> None:
    """Notes a fault unless an entry of a list names an event type."""
    if not _is_event_type(node.text):
        reading.faults.add(node.place, path, f"There is no event type {node.text}.", _hint(node.text))


def _is_event_type(name: str) -> bool:
    return name in EVENT_TYPES or _CUSTOM.match(name) is not None


def read_occasion(fields: Fields, key: str = "on") -> str | None:
    """The occasion under `key`, on which a campaign begins: an event, silence, or what rewards decides."""
    name = fields.text(key)
    if name is None or name in REWARDS_EVENTS or _is_event_type(name):
        return name
    missed = awaited(name)
    if missed in WATCHED:
        return name
    if missed in CATALOGUE:
        watched = [f"{one}{MISSING}" for one in sorted(WATCHED)]
        hint = f"Of these it is: {', '.join(watched)}."
        fields.fault(key, f"The absence of {missed} is not noticed.", hint)
        return None
    known = sorted(EVENT_TYPES | REWARDS_EVENTS.keys() | {f"{short}{MISSING}" for short in SHORT})
    fields.fault(key, f"There is no event type {name}.", _hint(name, known))
    return None


def _hint(name: str, known: Sequence[str] = ()) -> str:
    if name.startswith(CUSTOM_PREFIX):
        return "Types of your own look like x.workout.finished."
    return suggestion(name, known or sorted(EVENT_TYPES), many=0)


def read_when(fields: Fields, event_type: str | None, *, key: str = "when") -> Condition | None:
    """The condition under `key`, over the customer and an event of that type (None: any type)."""
    return fields.condition(key, rule_scope(fields.reading, event_type))


def rule_scope(reading: Reading, event_type: str | None) -> Scope:
    """What a rule's condition may ask."""
    return Scope(event=event_fields(event_type), segments=reading.segments, zone=reading.zone)


def read_limit(fields: Fields, key: str, event_type: str | None, *, by_field: bool) -> Limit | None:
    """At most `times` per period, or (`by_field`) per value of a field of the event."""
    inside = fields.fields(key, ("times", "per"))
    if inside is None:
        return None
    inside.need("times", "Write such as {times: 2, per: P1M}.")
    times = inside.whole("times", high=TIMES_MAX)
    return Limit(times or 1, _per(inside, event_type, by_field=by_field))


def _per(fields: Fields, event_type: str | None, *, by_field: bool) -> Period | str | None:
    text = fields.text("per")
    if text is None or _PERIOD.match(text) or not by_field:
        return fields.period("per")
    if event_type is None or event_type.startswith(CUSTOM_PREFIX):
        return text
    known = event_fields(event_type)
    own = sorted(name for name, kind in known.fields.items() if kind.kind in (Kind.TEXT, Kind.WHOLE))
    if text in own:
        return text
    hint = "It is personal and never reaches a rule." if text in known.personal else suggestion(text, own)
    fields.fault(
        "per", f"{event_type} has no field {text} to count by.", hint or "Write a period, such as P1M."
    )
    return None
